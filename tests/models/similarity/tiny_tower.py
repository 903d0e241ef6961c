"""A network small enough to train in a test, and all that the training asks of one.

A module of its own, as torch costs each process that collects the tests two seconds: the tests that train import it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from attune.models.similarity.network_tower import trained_names
from attune.models.similarity.network_training import Network
from attune.models.similarity.space_files import LearnedSpace

SIDE, DIMENSION = 4, 6


class Tiny(torch.nn.Module):
    """A tower of two blocks, named as those of open_clip's ViTs are, its last map listed first."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.proj = torch.nn.Parameter(torch.randn(8, DIMENSION, generator=generator))
        self.start = torch.nn.Linear(3 * SIDE * SIDE, 8)
        self.resblocks = torch.nn.ModuleList(torch.nn.Linear(8, 8) for _ in range(2))
        self.ln_post = torch.nn.LayerNorm(8)
        for parameter in self.parameters():
            torch.nn.init.normal_(parameter, std=0.3, generator=generator)

    def forward(self, images: Any) -> Any:
        """Vectors (n, d) of images."""
        x = self.start(images.flatten(1))
        for block in self.resblocks:
            x = x + torch.tanh(block(x))
        return self.ln_post(x) @ self.proj


class Encoder(SimpleNamespace):
    """As much of an encoder as the training asks for."""

    def encode_prepared(self, tensors: Any) -> Any:
        """Unit vectors of images."""
        with torch.no_grad():
            return torch.nn.functional.normalize(self.model.visual(torch.stack(list(tensors))), dim=-1).numpy()


def network(blocks: int | None = None) -> Network:
    tower = Tiny()
    rng = np.random.default_rng(0)
    eye = np.eye(DIMENSION, dtype=np.float32)
    space = LearnedSpace(np.zeros(DIMENSION), eye, rng.standard_normal((3, DIMENSION)), np.zeros(2))
    model = SimpleNamespace(visual=tower, encode_image=tower)
    encoder: Any = Encoder(model=model, device=torch.device("cpu"), half=None, dimension=DIMENSION)
    return Network(encoder, space, trained_names(tower, blocks))
