"""How far do clusters agree with themselves, and what do they cost? Ours beside those of small batches.

    python -m benchmarks.clusters --data ../shared/bench/posters.npz --json benchmarks/results/clusters.json

Agreement: ten runs, each with its own seed on its own 80 % of the images; the adjusted Rand index of each pair of runs
on the images that both hold, mean over the 45 pairs, for 12 and 24 clusters. The interval leaves out one run at a time
(jackknife), as pairs that share a run are not independent. Methods: `attune` (`models.spaces.clustering`); `minibatch`,
what Attune did before (`MiniBatchKMeans` on raw vectors, one start); `kmeans++`, ours with the usual random start.
Also what is lost: the squared error that clusters leave, as a share of all, and the bits that they tell about the
labels of the file.

Cost: 200,000 x 512 vectors around 60 points with a falling spectrum of noise, as wide as real pools have it, drawn from
a seed and written as float16, each method in a process of its own
that maps them: seconds, and how much its memory grew beyond the map; then ten bootstrap runs. Intrinsic dimension: of
the file's vectors, and of a manifold of 10 dimensions in 512 with 5 % duplicates; beside them scikit-dimension.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from attune.models.files.atomic import write_json
from attune.models.query.strategies.spread import clustered
from attune.models.spaces.clustering import cluster, project
from attune.models.spaces.intrinsic_dimension import SAMPLE, estimate
from attune.models.vectors.pool import Pool, unit_length
from benchmarks.cluster_cost import COSTS
from benchmarks.machine import machine
from benchmarks.printed import print_rows

Labels = npt.NDArray[np.integer[Any]]
NUMBERS = (12, 24)
SHARE = 0.8
NOISE = 2.0  # times the spread of the 60 points: groups overlap, as in a real pool


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print tables, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="An .npz with vectors (n, d) and labels (n, l).")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rows", type=int, default=200_000, help="Vectors that the cost is measured on.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    with np.load(asked.data) as held:
        vectors, labels = unit_length(held["vectors"]), np.asarray(held["labels"], dtype=np.bool_)
    result: dict[str, Any] = {"data": asked.data.name, "images": len(vectors), "runs": asked.runs}
    result["agreement"] = [row for k in NUMBERS for row in agreement(vectors, k, asked.runs)]
    print_rows(result["agreement"])
    result["loss"] = [loss(vectors, labels, k, name) for k in NUMBERS for name in METHODS]
    print_rows(result["loss"])
    result["intrinsic_dimension"] = dimensions(vectors)
    result["cost"] = costs(asked.rows)
    print_rows(result["cost"])
    result["machine"] = machine()
    if asked.json:
        write_json(asked.json, result)
    return result


def ours(vectors: npt.NDArray[np.float32], k: int, seed: int) -> Labels:
    """Attune's clusters of ``vectors`` (n, d): a label for each."""
    ids = np.arange(len(vectors)).astype(str)
    projected = project(Pool(ids, ids, (vectors,)), np.ones(len(vectors), dtype=np.bool_), seed)
    return cluster(projected, k).labels


def random_start(vectors: npt.NDArray[np.float32], k: int, seed: int) -> Labels:
    """The same components, and k-means++ as scikit-learn starts it."""
    ids = np.arange(len(vectors)).astype(str)
    projected = project(Pool(ids, ids, (vectors,)), np.ones(len(vectors), dtype=np.bool_), seed)
    labels: Labels = KMeans(k, n_init=1, random_state=seed).fit(projected.rows).labels_
    return labels


def small_batches(vectors: npt.NDArray[np.float32], k: int, seed: int) -> Labels:
    """What Attune did before spaces: small batches on the raw vectors, then each to the centre of largest cosine."""
    centres = unit_length(clustered(vectors, k, np.random.default_rng([seed, 6])).cluster_centers_)
    labels: Labels = (vectors @ centres.T).argmax(axis=1)
    return labels


METHODS: dict[str, Callable[[npt.NDArray[np.float32], int, int], Labels]] = {
    "minibatch": small_batches,
    "kmeans++": random_start,
    "attune": ours,
}


def agreement(vectors: npt.NDArray[np.float32], k: int, runs: int) -> list[dict[str, Any]]:
    """One row a method: the mean index of all pairs of runs, its interval, and the ratio to small batches."""
    rows: list[dict[str, Any]] = []
    for name, method in METHODS.items():
        began = time.perf_counter()
        found = np.full((runs, len(vectors)), -1)
        for seed in range(runs):
            drawn = np.random.default_rng([seed, k]).choice(len(vectors), int(SHARE * len(vectors)), replace=False)
            found[seed, np.sort(drawn)] = method(vectors[np.sort(drawn)], k, seed)
        seconds = (time.perf_counter() - began) / runs
        index = np.full((runs, runs), np.nan)
        for a, b in combinations(range(runs), 2):
            both = (found[a] >= 0) & (found[b] >= 0)
            index[a, b] = index[b, a] = adjusted_rand_score(found[a, both], found[b, both])
        mean, half = float(np.nanmean(index)), 1.96 * _jackknife(index)
        rows.append({"k": k, "method": name, "ari": mean, "lo": mean - half, "hi": mean + half})
        rows[-1] |= {"least": float(np.nanmin(index)), "ratio": mean / rows[0]["ari"], "seconds": seconds}
    return rows


def _jackknife(index: npt.NDArray[np.float64]) -> float:
    """The standard error of the mean of all pairs, by leaving out one run at a time."""
    runs = len(index)
    without = [float(np.nanmean(np.delete(np.delete(index, run, 0), run, 1))) for run in range(runs)]
    return float(np.sqrt((runs - 1) / runs * ((np.array(without) - np.mean(without)) ** 2).sum()))


def loss(vectors: npt.NDArray[np.float32], truth: npt.NDArray[np.bool_], k: int, name: str) -> dict[str, Any]:
    """What the clusters of all images leave of the squared error, and what they tell about the labels."""
    labels = METHODS[name](vectors, k, 0)
    total = float(((vectors - vectors.mean(axis=0)) ** 2).sum(dtype=np.float64))
    left = sum(
        float(((vectors[labels == one] - vectors[labels == one].mean(axis=0)) ** 2).sum(dtype=np.float64))
        for one in np.unique(labels)
    )
    shares = np.bincount(labels) / len(labels)
    inside = np.array([_entropy(truth[labels == one].mean(axis=0)).sum() if (labels == one).any() else 0.0
                       for one in range(len(shares))])  # fmt: skip
    bits = float(_entropy(truth.mean(axis=0)).sum() - shares @ inside)
    return {"k": k, "method": name, "error_left": left / total, "label_bits": bits}


def _entropy(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    safe = np.clip(share, 1e-12, 1 - 1e-12)
    entropy: npt.NDArray[np.float64] = -(safe * np.log2(safe) + (1 - safe) * np.log2(1 - safe))
    return entropy


def dimensions(vectors: npt.NDArray[np.float32]) -> list[dict[str, Any]]:
    """The estimates for the file's vectors and for a manifold whose dimension is known."""
    drawn = np.random.default_rng(0).choice(len(vectors), min(SAMPLE, len(vectors)), replace=False)
    known = manifold(3_000, 10, 512, 0.05, 0)
    rows = []
    for name, some in (("file", vectors[drawn]), ("manifold of 10 in 512", known)):
        rows.append({"data": name} | estimate(some).to_dict() | _scikit_dimension(np.unique(some, axis=0)))
        print(json.dumps(rows[-1]))
    return rows


def manifold(n: int, d: int, whole: int, duplicates: float, seed: int) -> npt.NDArray[np.float32]:
    """``n`` points of a curved ``d``-dimensional manifold in ``whole`` dimensions, a share of them saved twice."""
    rng = np.random.default_rng(seed)
    inner = rng.normal(size=(n, d))
    straight, curved = rng.normal(size=(2, d, whole))
    rows: npt.NDArray[np.float32] = (inner @ straight / 3 + np.sin(inner @ curved / 4)).astype(np.float32)
    twice = int(duplicates * n)
    rows[:twice] = rows[twice : 2 * twice]
    return rows


def _scikit_dimension(distinct: npt.NDArray[np.float32]) -> dict[str, float]:
    import skdim

    rows = distinct.astype(np.float64)
    return {
        "skdim_two_nn": float(skdim.id.TwoNN().fit_transform(rows)),
        "skdim_mle_20": float(skdim.id.MLE(K=20).fit_transform(rows)),
    }


def costs(rows: int) -> list[dict[str, Any]]:
    """Seconds and memory of each method on ``rows`` x 512 vectors, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        rng = np.random.default_rng(0)
        spectrum = np.arange(1, 513) ** -0.4
        centres = rng.normal(size=(60, 512)) * spectrum
        held: Any = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
            path, mode="w+", dtype=np.float16, shape=(rows, 512)
        )
        for start in range(0, rows, 10_000):
            size = min(10_000, rows - start)
            noise = rng.normal(size=(size, 512)) * spectrum * NOISE
            held[start : start + size] = unit_length(centres[rng.integers(60, size=size)] + noise)
        held.flush()
        command = [sys.executable, "-m", "benchmarks.cluster_cost", str(path)]
        return [json.loads(subprocess.check_output([*command, name])) for name in COSTS]


if __name__ == "__main__":
    main()
