"""One way of clustering one file of vectors, in a process of its own: its seconds and its memory beyond the file.

    python -m benchmarks.cluster_cost VECTORS.npy attune

`benchmarks.clusters` starts it; prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from attune.models.query.strategies.spread import clustered
from attune.models.spaces.clustering import cluster, project
from attune.models.spaces.stability import cluster_stability
from attune.models.vectors.pool import Pool, unit_length

K = 60
LOOK_SECONDS = 0.02
Made = Callable[[Pool], Any]


def ours(pool: Pool) -> None:
    """Clusters as `attune clusters make` makes them, without their stability."""
    cluster(project(pool, np.ones(len(pool), dtype=np.bool_)), K)


def with_stability(pool: Pool) -> None:
    """The same, with ten bootstrap runs."""
    projected = project(pool, np.ones(len(pool), dtype=np.bool_))
    cluster_stability(projected.rows[projected.sample], cluster(projected, K).centres)


def small_batches(pool: Pool) -> None:
    """What Attune did before spaces."""
    rng = np.random.default_rng([0, 6])
    centres = unit_length(clustered(pool.rows(pool.sample(20_000, rng)), K, rng).cluster_centers_)
    pool.logits(centres, np.zeros(K, dtype=np.float32)).argmax(axis=1)


def faiss_kmeans(pool: Pool) -> None:
    """faiss's k-means on the raw vectors, where faiss-cpu is installed."""
    import faiss

    rows = pool.rows(np.arange(len(pool)))
    model = faiss.Kmeans(pool.dim, K, niter=25, seed=0)
    model.train(rows)
    model.index.search(rows, 1)


def density(pool: Pool) -> None:
    """scikit-learn's HDBSCAN on 64 components of 20,000 vectors: of more it takes hours."""
    from sklearn.cluster import HDBSCAN

    projected = project(pool, np.ones(len(pool), dtype=np.bool_))
    HDBSCAN(min_cluster_size=50, copy=True).fit(projected.rows[:20_000])


COSTS: dict[str, Made] = {
    "minibatch": small_batches,
    "attune": ours,
    "attune, ten bootstrap runs": with_stability,
    "faiss": faiss_kmeans,
    "hdbscan, 20,000 vectors": density,
}


def cost(path: Path, name: str) -> dict[str, Any]:
    """Seconds of one making, and how far the process's own memory (without mapped files) grew at its highest."""
    vectors: npt.NDArray[np.float16] = np.load(path, mmap_mode="r")
    ids = np.arange(len(vectors)).astype(str)
    pool = Pool(ids, ids, (vectors,))
    before, most, ended = own_bytes(), [0], threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            most[0] = max(most[0], own_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    row: dict[str, Any] = {"method": name, "rows": len(vectors), "k": K}
    began, busy = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    try:
        COSTS[name](pool)
    except ImportError as error:
        return row | {"seconds": None, "cpu_seconds": None, "mib": None, "note": f"{error.name} is not installed"}
    finally:
        ended.set()
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_SELF)
    row |= {"seconds": time.perf_counter() - began}
    row |= {"cpu_seconds": after.ru_utime + after.ru_stime - busy.ru_utime - busy.ru_stime}
    return row | {"mib": (most[0] - before) / 2**20, "note": ""}


def own_bytes() -> int:
    memory = psutil.Process().memory_info()
    return int(memory.rss - memory.shared)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", type=Path, help="unit vectors as an .npy file")
    parser.add_argument("way", choices=sorted(COSTS))
    options = parser.parse_args()
    print(json.dumps(cost(options.vectors, options.way)))
