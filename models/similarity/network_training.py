"""Fine-tuning: the image tower and the map after it learn together, until titles held back in the pool gain no more.

At the start the network gives exactly what the map alone gives. An epoch that does not help is thrown away: the next
one starts from the best weights with a smaller rate. A batch of the loss may be larger than what the memory holds at
once (gradient caching, Gao et al. 2021, arXiv 2101.06983): the loss is taken of vectors without a graph, and its
gradients go through the tower part by part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from attune.models.similarity.angular_loss import BatchLoss, batches
from attune.models.similarity.network_state import State
from attune.models.similarity.network_tower import own_tower, put_weights, read_weights, trained_names
from attune.models.similarity.space_files import LearnedSpace

if TYPE_CHECKING:
    import torch

    from attune.models.encoders.encoders import OpenClipEncoder

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
MAP = "projection"  # of the space: it is trained with the tower
WARM_UP = 10  # steps until the full rate: the optimiser knows nothing at first
DECAY = 1e-4
STEPS = 8


@dataclass(frozen=True)
class NetworkSettings:
    """``blocks`` of the tower that are trained, None for all; ``epochs`` at most; ``batch`` images of one loss, of
    which ``at_once`` go through the tower together; ``rate`` of the first epoch; ``misses``: epochs without gain that
    end it. Of few images a batch has fewer, so that an epoch has some ``STEPS``.
    """

    blocks: int | None = 2
    epochs: int = 10
    batch: int = 128
    at_once: int = 32
    rate: float = 3e-4
    misses: int = 3

    def batch_of(self, images: int) -> int:
        """How many of so many images make a batch."""
        return min(self.batch, max(self.at_once, images // STEPS))


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images of ``pixels`` (all, 3, h, w) float16, which may be mapped from disk: those of ``rows`` (n,), prepared for
    the tower, with their ``labels`` (n, k) multi-hot."""

    pixels: Halves
    rows: npt.NDArray[np.intp]
    labels: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, some: npt.NDArray[np.intp]) -> torch.Tensor:
        """The images ``some`` (m,) of these n, float32 (m, 3, h, w); no others are read from disk."""
        import torch

        return torch.from_numpy(np.asarray(self.pixels[self.rows[some]], dtype=np.float32))


@dataclass(frozen=True, eq=False)
class Network:
    """An encoder with a tower of its own, of which the parameters ``names`` are trained, and a space of its vectors."""

    encoder: OpenClipEncoder
    space: LearnedSpace
    names: Sequence[str]

    @classmethod
    def of(cls, encoder: OpenClipEncoder, space: LearnedSpace, blocks: int | None) -> Network:
        """The network that gives what ``space`` gives of the encoder's vectors. Raises EncoderError."""
        mine = own_tower(encoder)
        return cls(mine, space, trained_names(mine.model.visual, blocks))

    def weights(self) -> dict[str, torch.Tensor]:
        """Copies of what is trained: the tower's parameters and the space's map."""
        import torch

        return read_weights(self.encoder.model.visual, self.names) | {
            MAP: torch.tensor(self.space.projection).contiguous()
        }

    def with_weights(self, weights: Mapping[str, torch.Tensor]) -> Network:
        """This network, its tower changed in place, with these weights."""
        put_weights(self.encoder.model.visual, {name: weights[name] for name in self.names})
        return replace(self, space=replace(self.space, projection=weights[MAP].numpy()))

    def vectors(self, images: Pictures, at_once: int) -> Floats:
        """What the tower makes of images, float32 (n, d) of unit length; ``at_once`` go through it together."""
        parts = [np.arange(at, min(at + at_once, len(images))) for at in range(0, len(images), at_once)]
        found = [self.encoder.encode_prepared(list(images.take(part))) for part in parts]
        return np.concatenate(found) if found else np.empty((0, self.encoder.dimension), dtype=np.float32)


def train(
    network: Network,
    taught: Pictures,
    loss: BatchLoss,
    score: Callable[[Network], float],
    settings: NetworkSettings,
    seed: int,
    state: State | None = None,
    after: Callable[[State], None] = lambda state: None,
) -> tuple[Network, State]:
    """The network with the best weights by ``score``, and how the training went; ``after`` gets every state.

    From a ``state`` it goes on. The same seed gives the same weights on one machine, stopped on the way or not.
    """
    state = state or State(network.weights(), settings.rate)
    if not state.scores:
        state = state.after(score(network), state.weights)
        after(state)
    while state.epoch < settings.epochs and state.misses < settings.misses:
        rng = np.random.default_rng([seed, 68, state.epoch])
        tried = _epoch(network.with_weights(state.weights), taught, loss, settings, state.rate, rng)
        state = state.after(score(tried), tried.weights())
        after(state)
    return network.with_weights(state.weights), state


def _epoch(
    network: Network,
    taught: Pictures,
    loss: BatchLoss,
    settings: NetworkSettings,
    rate: float,
    rng: np.random.Generator,
) -> Network:
    """The network once every image was in a batch."""
    import torch

    encoder = network.encoder
    forward = _Forward(encoder, network.space)
    held = dict(encoder.model.visual.named_parameters())
    for name, parameter in held.items():
        parameter.requires_grad_(name in set(network.names))
    parameters = [*(held[name] for name in network.names), forward.projection]
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=DECAY)
    warm = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, (step + 1) / WARM_UP))
    for rows in batches(len(taught), settings.batch_of(len(taught)), 1, rng):
        parts = [rows[at : at + settings.at_once] for at in range(0, len(rows), settings.at_once)]
        optimiser.zero_grad()
        for part, gradient in zip(parts, _gradients(forward, taught, parts, loss, rng), strict=True):
            torch.autograd.backward(forward(taught.take(part)), gradient)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        warm.step()
    return replace(network, space=replace(network.space, projection=forward.projection.detach().cpu().numpy()))


def _gradients(
    forward: _Forward,
    taught: Pictures,
    parts: Sequence[npt.NDArray[np.intp]],
    loss: BatchLoss,
    rng: np.random.Generator,
) -> Sequence[torch.Tensor]:
    """The gradient of the loss of all parts together, for the vectors of each part (m, k)."""
    import torch

    with torch.no_grad():
        found = torch.cat([forward(taught.take(part)) for part in parts])
    found.requires_grad_(True)
    (gradient,) = torch.autograd.grad(loss(found, taught.labels[np.concatenate(parts)], rng), found)
    return torch.split(gradient, [len(part) for part in parts])


class _Forward:
    """From prepared images to the space's learned directions, with gradients; the result is on the processor."""

    def __init__(self, encoder: OpenClipEncoder, space: LearnedSpace) -> None:
        import torch

        self.encoder = encoder
        self.mean, self.components, self.projection = (
            torch.tensor(part, device=encoder.device) for part in (space.mean, space.components, space.projection)
        )
        self.projection.requires_grad_(True)

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        import torch

        encoder = self.encoder
        # float16 would need its gradients scaled; bfloat16 has the range of float32.
        half = encoder.half if encoder.half == torch.bfloat16 else None
        with torch.autocast(encoder.device.type, half, enabled=half is not None):
            vectors = encoder.model.encode_image(pixels.to(encoder.device))
        unit = torch.nn.functional.normalize(vectors.float(), dim=-1)
        mapped = (unit - self.mean) @ self.components.T @ self.projection.T
        return torch.nn.functional.normalize(mapped, dim=-1).cpu()
