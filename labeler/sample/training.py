"""How the sample encoder learns: CLIP's contrastive loss, and the caption's words from the picture alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from torch import distributed
from torch.nn.functional import affine_grid, binary_cross_entropy_with_logits, cross_entropy, grid_sample, normalize

from attune.labeler.sample import ENCODER_CONFIG
from attune.labeler.sample.training_set import CAPTIONS_PER_IMAGE, Pixels

TRAINING_SEED = 900_001
WORD_WEIGHT = 10.0
_VOCABULARY, _START = 49_408, 49_406
_LARGEST_LOGIT_SCALE = 4.6052


@dataclass(frozen=True)
class Plan:
    """How much to draw and how long to train."""

    images: int = 12_000
    epochs: int = 10
    batch: int = 96
    learning_rate: float = 2e-3
    seed: int = TRAINING_SEED


def build_model(config: Path = ENCODER_CONFIG) -> tuple[Any, Any]:
    """An untrained open_clip model of the configuration, and its tokenizer."""
    open_clip.add_model_config(config)
    return open_clip.create_model(config.stem), open_clip.get_tokenizer(config.stem)


def spoken_words(tokens: torch.Tensor, least: float = 0.004) -> torch.Tensor:
    """The share of a picture's captions that hold each common token, float32 (n, words).

    ``tokens``: ids int64 (n, captions, length). Common is what stands in a share ``least`` of all captions or more.
    """
    words, counts = torch.unique(tokens, return_counts=True)
    common = words[(counts > least * tokens.shape[0] * tokens.shape[1]) & (words > 0) & (words < _START)]
    place = torch.full((_VOCABULARY,), len(common))
    place[common] = torch.arange(len(common))
    spoken = torch.zeros(*tokens.shape[:2], len(common) + 1, dtype=torch.bool)
    return spoken.scatter_(2, place[tokens], True)[:, :, :-1].float().mean(dim=1)


class WordHead(torch.nn.Module):
    """Predicts the shares of `spoken_words` from an embedding; every word counts the same, however rare."""

    weight: torch.Tensor

    def __init__(self, spoken: torch.Tensor, width: int) -> None:
        super().__init__()
        share = spoken.mean(dim=0).clamp(1e-3, 1 - 1e-3)
        self.spread = torch.nn.BatchNorm1d(width, affine=False)
        self.linear = torch.nn.Linear(width, len(share))
        with torch.no_grad():
            self.linear.bias.copy_(torch.logit(share))
        entropy = -(share * share.log() + (1 - share) * (1 - share).log())
        self.register_buffer("weight", 1 / entropy)

    def forward(self, image_vectors: torch.Tensor, spoken: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of ``spoken`` (b, words) under embeddings (b, d): 1 where nothing is known of a picture."""
        logits = self.linear(self.spread(image_vectors))
        return binary_cross_entropy_with_logits(logits, spoken, weight=self.weight)


def _augment(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shift, mirror and recolour a float batch (b, 3, h, w) in 0-1: small changes that no caption speaks of."""
    b = batch.shape[0]
    flip = torch.rand(b, generator=generator) < 0.5
    batch = torch.where(flip[:, None, None, None], batch.flip(3), batch)
    scale = 1 + 0.16 * (torch.rand(b, 2, generator=generator) - 0.5)
    shift = 0.12 * (torch.rand(b, 2, generator=generator) - 0.5)
    theta = torch.zeros(b, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = scale[:, 0], scale[:, 1], shift
    grid = affine_grid(theta, list(batch.shape), align_corners=False)
    batch = grid_sample(batch, grid, padding_mode="border", align_corners=False)
    gain = 1 + 0.3 * (torch.rand(b, 3, 1, 1, generator=generator) - 0.5)
    return (batch * gain + 0.1 * (torch.rand(b, 1, 1, 1, generator=generator) - 0.5)).clamp(0, 1)


def _images(pixels: Pixels, generator: torch.Generator) -> torch.Tensor:
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1) for v in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    )
    images = _augment(torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float().div_(255), generator)
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _loss(model: Any, words: WordHead, images: torch.Tensor, texts: torch.Tensor, spoken: torch.Tensor) -> Any:
    """CLIP's symmetric cross-entropy, and the caption's words from the picture alone."""
    with torch.autocast("cpu", torch.bfloat16):
        image_vectors = model.encode_image(images)
    image_vectors = normalize(image_vectors.float(), dim=-1)
    logits = model.logit_scale.exp() * image_vectors @ model.encode_text(texts, normalize=True).T
    targets = torch.arange(len(images))
    contrast = (cross_entropy(logits, targets) + cross_entropy(logits.T, targets)) / 2
    return contrast + WORD_WEIGHT * words(image_vectors, spoken)


@torch.no_grad()
def _wake(model: Any, images: torch.Tensor) -> None:
    """Start with every block at work and embeddings about the origin.

    open_clip starts residual branches at zero and untrained embeddings all point the same way: sound for long
    trainings, but here the first thousand steps are all there are.
    """
    for name, parameter in model.visual.named_parameters():
        if name.endswith("bn3.weight"):
            parameter.fill_(1.0)
    model.visual.attnpool.c_proj.bias -= model.encode_image(images).mean(dim=0)


def _optimiser(modules: tuple[Any, ...], plan: Plan, steps: int) -> tuple[Any, Any]:
    parameters = [p for module in modules for p in module.parameters()]
    decayed, plain = [p for p in parameters if p.ndim >= 2], [p for p in parameters if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.learning_rate, total_steps=steps, pct_start=0.08)
    return optimiser, schedule


def _batches(n: int, plan: Plan, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    for _ in range(plan.epochs):
        order = rng.permutation(n)
        for start in range(0, n - plan.batch + 1, plan.batch):
            yield order[start : start + plan.batch]


def _average_gradients(parameters: list[Any]) -> None:
    """The mean over processes, in one message; nothing to do for one alone."""
    if not distributed.is_initialized():
        return
    flat = torch.cat([p.grad.reshape(-1) for p in parameters])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    start = 0
    for parameter in parameters:
        parameter.grad.copy_(flat[start : start + parameter.numel()].view_as(parameter))
        start += parameter.numel()


def train(
    pixels: Pixels,
    captions: list[list[str]],
    plan: Plan,
    config: Path = ENCODER_CONFIG,
    after_epoch: Callable[[Any], None] | None = None,
    share: tuple[int, int] = (0, 1),
) -> Any:
    """The trained model, in evaluation mode; prints the loss and calls ``after_epoch`` once an epoch.

    ``share`` is (rank, of how many) where several processes train one model, each on its share of every batch.
    """
    rank, world = share
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    generator, rng = torch.Generator().manual_seed(plan.seed), np.random.default_rng(plan.seed)
    model, tokenizer = build_model(config)
    model = model.to(memory_format=torch.channels_last).train()
    tokens = tokenizer([text for six in captions for text in six]).view(len(captions), CAPTIONS_PER_IMAGE, -1)
    spoken = spoken_words(tokens)
    words = WordHead(spoken, model.visual.output_dim)
    _wake(model, _images(pixels[:256], generator))
    per_epoch = len(pixels) // plan.batch
    optimiser, schedule = _optimiser((model, words), plan, plan.epochs * per_epoch)
    parameters = [*model.parameters(), *words.parameters()]
    started, losses = time.perf_counter(), []
    for step, rows in enumerate(_batches(len(pixels), plan, rng), start=1):
        caption_indices = rng.integers(CAPTIONS_PER_IMAGE, size=len(rows))
        mine, captions_of_rank = torch.from_numpy(rows[rank::world]), torch.from_numpy(caption_indices[rank::world])
        loss = _loss(
            model, words, _images(pixels[mine.numpy()], generator), tokens[mine, captions_of_rank], spoken[mine]
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        _average_gradients(parameters)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, _LARGEST_LOGIT_SCALE)
        losses.append(float(loss.detach()))
        if step % per_epoch == 0 and rank == 0:
            took = time.perf_counter() - started
            print(f"epoch {step // per_epoch}  loss {np.mean(losses[-50:]):.3f}  {took:.0f} s", flush=True)
            if after_epoch is not None:
                after_epoch(model)
    return model.eval()
