"""What the sample encoder is shown: small drawings of seeds of their own, with captions."""

from __future__ import annotations

import multiprocessing

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
CAPTIONS_PER_IMAGE = 6
SIDE = 96
"""Pixels on each side of the square that the encoder sees."""


def _draw_block(job: tuple[int, int]) -> tuple[Pixels, list[list[str]]]:
    from attune.labeler.sample.captions import caption
    from attune.labeler.sample.compose import render
    from attune.labeler.sample.latents import draw_scenes

    seed, count = job
    rng = np.random.default_rng([seed, 5])
    pixels = np.empty((count, SIDE, SIDE, 3), np.uint8)
    captions = []
    for row, scene in enumerate(draw_scenes(seed, count)):
        small = render(scene, long_side=192, supersample=2)
        pixels[row] = np.asarray(small.resize((SIDE, SIDE), resample=3))
        captions.append([caption(scene, rng) for _ in range(CAPTIONS_PER_IMAGE)])
    return pixels, captions


def draw_training_set(images: int, seed: int, processes: int = 2, block: int = 500) -> tuple[Pixels, list[list[str]]]:
    """Drawings uint8 (n, 96, 96, 3) squashed to a square, and six captions for each.

    Blocks of ``block`` drawings have seeds ``seed``, ``seed`` + 1 and so on.
    """
    jobs = [(seed + number, min(block, images - start)) for number, start in enumerate(range(0, images, block))]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        blocks = list(pool.imap(_draw_block, jobs))
    return np.concatenate([pixels for pixels, _ in blocks]), [six for _, captions in blocks for six in captions]
