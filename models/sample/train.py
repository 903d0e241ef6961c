"""Train the sample encoder on drawings and captions: ``python -m models.sample.train``.

A small CLIP (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision") of
open_clip's own classes: a ResNet with attention pooling and a text transformer, stock tokenizer. It sees drawings of
seeds that the catalogue never uses, and their captions; it sees no latent value and no class.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.sample import ENCODER_CONFIG, ENCODER_WEIGHTS

Pixels = NDArray[np.uint8]
TRAINING_SEED = 900_001
CAPTIONS_PER_IMAGE = 6
SIDE = 96


@dataclass(frozen=True)
class Plan:
    """How much to draw and how long to train."""

    images: int = 16_000
    epochs: int = 9
    batch: int = 128
    learning_rate: float = 2e-3
    seed: int = TRAINING_SEED
    threads: int = 1


def _draw_block(job: tuple[int, int]) -> tuple[Pixels, list[list[str]]]:
    from models.sample.captions import caption
    from models.sample.compose import render
    from models.sample.latents import draw_scenes

    seed, count = job
    rng = np.random.default_rng([seed, 5])
    pixels = np.empty((count, SIDE, SIDE, 3), np.uint8)
    captions = []
    for row, scene in enumerate(draw_scenes(seed, count)):
        small = render(scene, long_side=192, supersample=2)
        pixels[row] = np.asarray(small.resize((SIDE, SIDE), resample=3))
        captions.append([caption(scene, rng) for _ in range(CAPTIONS_PER_IMAGE)])
    return pixels, captions


def draw_training_set(plan: Plan, processes: int = 2, block: int = 500) -> tuple[Pixels, list[list[str]]]:
    """Drawings uint8 (n, 96, 96, 3) squashed to a square, and six captions for each; one seed a block."""
    jobs = [
        (plan.seed + number, min(block, plan.images - start))
        for number, start in enumerate(range(0, plan.images, block))
    ]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        blocks = list(pool.imap(_draw_block, jobs))
    return np.concatenate([pixels for pixels, _ in blocks]), [six for _, captions in blocks for six in captions]


def build_model(config: Path = ENCODER_CONFIG) -> tuple[Any, Any]:
    """An untrained open_clip model of the configuration, and its tokenizer."""
    import open_clip

    open_clip.add_model_config(config)
    return open_clip.create_model(config.stem), open_clip.get_tokenizer(config.stem)


def _augment(batch: Any, generator: Any) -> Any:
    """Shift, mirror and recolour a float batch (b, 3, h, w) in 0-1: small changes that no caption speaks of."""
    import torch

    b = batch.shape[0]
    flip = torch.rand(b, generator=generator) < 0.5
    batch = torch.where(flip[:, None, None, None], batch.flip(3), batch)
    scale = 1 + 0.16 * (torch.rand(b, 2, generator=generator) - 0.5)
    shift = 0.12 * (torch.rand(b, 2, generator=generator) - 0.5)
    theta = torch.zeros(b, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = scale[:, 0], scale[:, 1], shift
    grid = torch.nn.functional.affine_grid(theta, list(batch.shape), align_corners=False)
    batch = torch.nn.functional.grid_sample(batch, grid, padding_mode="border", align_corners=False)
    gain = 1 + 0.3 * (torch.rand(b, 3, 1, 1, generator=generator) - 0.5)
    return (batch * gain + 0.1 * (torch.rand(b, 1, 1, 1, generator=generator) - 0.5)).clamp(0, 1)


def _batches(n: int, plan: Plan, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    for _ in range(plan.epochs):
        order = rng.permutation(n)
        for start in range(0, n - plan.batch + 1, plan.batch):
            yield order[start : start + plan.batch]


def train(
    pixels: Pixels,
    captions: list[list[str]],
    plan: Plan,
    config: Path = ENCODER_CONFIG,
    after_epoch: Callable[[Any], None] | None = None,
) -> Any:
    """A model trained with symmetric cross-entropy; prints the loss and calls ``after_epoch`` once an epoch."""
    import open_clip
    import torch

    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    generator = torch.Generator().manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    model, tokenizer = build_model(config)
    model = model.to(memory_format=torch.channels_last).train()
    tokens = tokenizer([text for six in captions for text in six]).view(len(captions), CAPTIONS_PER_IMAGE, -1)
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1) for v in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    )
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    plain = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.98))
    steps = plan.epochs * (len(pixels) // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.learning_rate, total_steps=steps, pct_start=0.08)
    targets, started, losses = torch.arange(plan.batch), time.perf_counter(), []
    for step, rows in enumerate(_batches(len(pixels), plan, rng), start=1):
        images = torch.from_numpy(pixels[rows]).permute(0, 3, 1, 2).float().div_(255)
        images = ((_augment(images, generator) - mean) / std).contiguous(memory_format=torch.channels_last)
        texts = tokens[torch.from_numpy(rows), torch.from_numpy(rng.integers(CAPTIONS_PER_IMAGE, size=len(rows)))]
        with torch.autocast("cpu", torch.bfloat16):
            seen = model.encode_image(images)
        seen = torch.nn.functional.normalize(seen.float(), dim=-1)
        told = model.encode_text(texts, normalize=True)
        logits = model.logit_scale.exp() * seen @ told.T
        loss = (
            torch.nn.functional.cross_entropy(logits, targets) + torch.nn.functional.cross_entropy(logits.T, targets)
        ) / 2
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, 4.6052)
        losses.append(float(loss.detach()))
        if step % (steps // plan.epochs) == 0:
            print(
                f"step {step}/{steps}  loss {np.mean(losses[-50:]):.3f}  {time.perf_counter() - started:.0f} s",
                flush=True,
            )
            if after_epoch is not None:
                after_epoch(model)
    return model.eval()


def save(model: Any, path: Path) -> int:
    """Write the weights as float16 safetensors, aside and then renamed; returns the size in bytes."""
    from safetensors.torch import save_file

    state = {k: (v.half() if v.is_floating_point() else v).contiguous().clone() for k, v in model.state_dict().items()}
    aside = path.with_name(path.name + ".part")
    save_file(state, aside, metadata={"format": "pt"})
    os.replace(aside, path)
    return path.stat().st_size


def main() -> None:
    """Draw, train, write the weights, print a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=Plan.images)
    parser.add_argument("--epochs", type=int, default=Plan.epochs)
    parser.add_argument("--threads", type=int, default=Plan.threads, help="torch threads: as many as free cores")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--to", type=Path, default=ENCODER_WEIGHTS)
    args = parser.parse_args()
    plan = Plan(images=args.images, epochs=args.epochs, threads=args.threads, seed=args.seed)
    started = time.perf_counter()
    pixels, captions = draw_training_set(plan)
    drawn = time.perf_counter() - started
    size = save(train(pixels, captions, plan), args.to)
    print(
        json.dumps(
            {
                "images": len(pixels),
                "drawn_s": round(drawn),
                "seconds": round(time.perf_counter() - started),
                "bytes": size,
            }
        )
    )


if __name__ == "__main__":
    main()
