"""How many near duplicates are found without comparing each image with each, and what does it cost?

    python -m benchmarks.duplicates --data ../shared/bench/posters.npz --json benchmarks/results/duplicates.json

Recall: 1,000 vectors of the file are turned by a given cosine in a random direction and added to it, for three seeds;
the share of these pairs that is found, beside the exact product of all with all. Cost: 200,000 x 512 vectors around 60
points with a falling spectrum, float16, of which 1,000 have a near duplicate: seconds and peak memory, for all and for
a quarter of them. Blank scans: 20,000 vectors that are equal, and 20,000 that are nearly so (cosine .998): seconds,
pairs, and peak memory beyond the vectors (tracemalloc, which slows the search).

Same picture: of drawn posters the share that is taken for the same after it was saved again as JPEG at a smaller size,
and of drawings of the same layout with other faces.
"""

from __future__ import annotations

import argparse
import resource
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from attune.labeler.explore.duplicates import LEAST
from attune.labeler.sample.compose import render
from attune.labeler.sample.latents import draw_scenes
from attune.models.evaluation.intervals import share_interval
from attune.models.files.atomic import write_json
from attune.models.images.same_picture import is_same, small_of
from attune.models.vectors.near_duplicates import near_pairs
from attune.models.vectors.outliers import loneliest
from attune.models.vectors.pool import Pool, unit_length
from benchmarks.machine import machine
from benchmarks.printed import print_rows

Rows = npt.NDArray[np.float32]
COSINES = (0.9855, 0.99, 0.995)
PLANTED = 1_000
BLANK = 20_000
COPIES = ((0.8, 85), (0.6, 60), (0.5, 75), (0.35, 75))  # size and JPEG quality
DIMENSION = 512


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print tables, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="An .npz with vectors (n, d).")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200_000, help="Vectors that the cost is measured on.")
    parser.add_argument("--drawings", type=int, default=40, help="Posters with people that are drawn.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    with np.load(asked.data) as held:
        vectors = unit_length(held["vectors"])
    found = [recall(vectors, cosine, seed) for cosine in COSINES for seed in range(asked.seeds)]
    print_rows(found)
    spent = [cost(rows) for rows in (asked.rows // 4, asked.rows)]
    print_rows(spent)
    scans = [blank(cosine) for cosine in (1.0, 0.999)]
    print_rows(scans)
    told = same_picture(asked.drawings)
    print_rows(told)
    result = {
        "data": asked.data.name, "images": len(vectors), "recall": found, "cost": spent, "blank": scans,
        "same_picture": told, "machine": machine(),
    }  # fmt: skip
    if asked.json:
        write_json(asked.json, result)
    return result


def recall(vectors: Rows, cosine: float, seed: int) -> dict[str, Any]:
    """The share of planted near duplicates that is found."""
    planted = np.random.default_rng([seed, 1]).choice(len(vectors), min(PLANTED, len(vectors)), replace=False)
    rows = np.concatenate([vectors, turned(vectors[planted], cosine, seed)])
    pairs = near_pairs(_pool(rows), np.ones(len(rows), dtype=np.bool_), LEAST, seed).pairs
    there = {tuple(pair) for pair in pairs.tolist()}
    share = sum((int(one), len(vectors) + place) in there for place, one in enumerate(planted)) / len(planted)
    return {"cosine": cosine, "seed": seed, "found": share, "pairs": len(pairs)}


def cost(count: int) -> dict[str, Any]:
    """Seconds of both searches among ``count`` vectors, and how many planted near duplicates are found."""
    rng = np.random.default_rng(2)
    spread = (1 / np.sqrt(1 + np.arange(DIMENSION))).astype(np.float32)
    points = rng.standard_normal((60, DIMENSION), dtype=np.float32) * spread / 2 + spread / 2
    rows = rng.standard_normal((count, DIMENSION), dtype=np.float32) * spread + points[rng.integers(0, 60, count)]
    rows = unit_length(rows)
    rows[-PLANTED:] = turned(rows[:PLANTED], 0.99, 2)
    pool, among = _pool(rows.astype(np.float16)), np.ones(count, dtype=np.bool_)
    del rows
    began, cpu = time.perf_counter(), time.process_time()
    pairs = near_pairs(pool, among, LEAST).pairs
    between = time.perf_counter()
    loneliest(pool, among, 50)
    ended = time.perf_counter()
    there = {tuple(pair) for pair in pairs.tolist()}
    found = sum((one, count - PLANTED + one) in there for one in range(PLANTED)) / PLANTED
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "rows": count, "found": found, "duplicates_seconds": between - began, "outliers_seconds": ended - between,
        "cpu_seconds": time.process_time() - cpu, "peak_mib": peak,
    }  # fmt: skip


def blank(cosine: float) -> dict[str, Any]:
    """The cost of ``BLANK`` vectors that all have ``cosine`` to one: 1 makes them equal."""
    rng = np.random.default_rng(4)
    one = unit_length(rng.standard_normal((1, DIMENSION)).astype(np.float32))
    rows = np.repeat(one, BLANK, axis=0)
    pool = _pool((rows if cosine == 1 else turned(rows, cosine, 1)).astype(np.float16))
    tracemalloc.start()
    began = time.perf_counter()
    near = near_pairs(pool, np.ones(BLANK, dtype=np.bool_), LEAST)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return {
        "blank scans": BLANK, "cosine": cosine, "equal": len(near.equal), "pairs": len(near.pairs),
        "seconds": time.perf_counter() - began, "peak_mib": peak,
    }  # fmt: skip


def same_picture(count: int) -> list[dict[str, Any]]:
    """Shares of copies and of drawings with other faces that are taken for the same picture, with 95 % intervals."""
    scenes = [one for one in draw_scenes(7, 4 * count) if one.people][:count]
    pictures = [render(one, DIMENSION) for one in scenes]
    smalls = [small_of(one) for one in pictures]
    told = []
    for scale, quality in COPIES:
        copies = [small_of(_copy(one, scale, quality)) for one in pictures]
        told.append(_share(f"saved at {scale:.0%}, JPEG {quality}", smalls, copies))
    moods = [replace(one, poses=tuple(replace(p, mood=float(p.mood <= 0.5)) for p in one.poses)) for one in scenes]
    return [*told, _share("other faces", smalls, [small_of(render(one, DIMENSION)) for one in moods])]


def _copy(picture: Image.Image, scale: float, quality: int) -> Image.Image:
    content = BytesIO()
    size = (round(picture.width * scale), round(picture.height * scale))
    picture.resize(size, Image.Resampling.LANCZOS).save(content, "JPEG", quality=quality)
    return Image.open(content)


def _share(what: str, ones: Sequence[Any], others: Sequence[Any]) -> dict[str, Any]:
    same = sum(is_same(one, other) for one, other in zip(ones, others, strict=True))
    lo, hi = share_interval(same, len(ones))
    return {"drawings": what, "taken for the same": same / len(ones), "lo": lo, "hi": hi, "n": len(ones)}


def turned(rows: Rows, cosine: float, seed: int) -> Rows:
    """Each of ``rows`` turned by ``cosine`` in a random direction."""
    aside = np.random.default_rng([seed, 3]).standard_normal(rows.shape).astype(np.float32)
    aside = unit_length(aside - np.einsum("ij,ij->i", aside, rows)[:, None] * rows)
    return np.asarray(cosine * rows + np.sqrt(1 - cosine**2) * aside, dtype=np.float32)


def _pool(rows: npt.NDArray[Any]) -> Pool:
    ids = np.arange(len(rows)).astype(str)
    return Pool(ids, ids, (rows,))


if __name__ == "__main__":
    main()
