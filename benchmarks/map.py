"""The map of a large pool: ``python -m benchmarks.map --pool 200000 --json FILE``.

Vectors of 512 numbers around 60 points, with a falling spectrum of noise, as `benchmarks.clusters` draws them, or those
of ``--data FILE.npz``. Seconds and memory (beyond the vectors) to lay it out and to place everyone, bytes on the wire,
and a thousand newcomers placed at once and one by one: no image that was there may move, and both ways must give
the same places.

``kept``: of an image's 15 nearest in the vectors, the share among its 150 nearest on the map; ``chance`` is that of a
random map. On 1,000 landmarks and 1,000 others, with a 95 % interval (bootstrap over images).

``--browser`` draws it in Chromium, by WebGL (in software, where the machine has no graphics) and by the canvas.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.labeler.views.map_wire import LEVEL
from attune.models.maps import layout
from attune.models.maps.placing import Landmarks, Places
from attune.models.vectors.pool import Pool, unit_length
from benchmarks.cluster_cost import own_bytes
from benchmarks.clusters import NOISE
from benchmarks.machine import machine
from benchmarks.pool_size.clock import watched
from benchmarks.printed import print_rows

AT_ONCE = 4_096
NEWCOMERS = 1_000
NEAREST, AMONG = 15, 150
SEED = 0


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print and return."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, default=200_000)
    parser.add_argument("--data", type=Path, help="Vectors: an .npz file with `vectors`, in place of drawn ones.")
    parser.add_argument("--browser", action="store_true", help="Draw the map in Chromium, too.")
    parser.add_argument("--places", type=Path, help="Keep the places here (.npy), or draw those that are here.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {"machine": machine(), "source": options.data.name if options.data else "drawn"}
    if options.places and options.places.exists():
        places = np.load(options.places)
    else:
        vectors = _read(options.data) if options.data else drawn(options.pool + NEWCOMERS)
        result |= {"pool": len(vectors) - NEWCOMERS, "dimension": vectors.shape[1]}
        places, result["build"] = build(vectors)
        print_rows([{"figure": name, "value": value} for name, value in result["build"].items()])
        if options.places:
            np.save(options.places, places)
    if options.browser:
        from benchmarks.map_browser import measure

        result["browser"] = measure(places)
        print_rows(result["browser"])
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return result


def build(vectors: npt.NDArray[np.float16]) -> tuple[Places, dict[str, Any]]:
    """The places of all but the last ``NEWCOMERS``, and what they cost."""
    count = len(vectors) - NEWCOMERS
    ids = np.arange(len(vectors)).astype(str)
    pool = Pool(ids, ids, (vectors,))
    among = np.arange(len(vectors)) < count
    row: dict[str, Any] = {}
    before = own_bytes() / 2**20
    with watched() as most:
        began, busy = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        landmarks, index = layout.make(pool, among, SEED)
        row["landmarks"], row["layout_seconds"] = len(index), time.perf_counter() - began
        places = placed(landmarks, pool, np.arange(count))
        after = resource.getrusage(resource.RUSAGE_SELF)
        row["build_seconds"] = time.perf_counter() - began
        row["cpu_seconds"] = after.ru_utime + after.ru_stime - busy.ru_utime - busy.ru_stime
    row["mib"] = most[0] - before
    row["wire_bytes"] = len(gzip.compress(np.ascontiguousarray(places.T).astype("<u2").tobytes(), LEVEL, mtime=0))
    new = np.arange(count, len(vectors))
    began = time.perf_counter()
    together = placed(landmarks, pool, new)
    row["newcomers_seconds"] = time.perf_counter() - began
    alone = np.concatenate([landmarks.place(pool.rows([one])) for one in new[:50]])
    row["moved"] = int((placed(landmarks, pool, np.arange(2_000)) != places[:2_000]).any(axis=1).sum())
    row["apart_from_alone"] = int((alone != together[:50]).any(axis=1).sum())
    others = np.setdiff1d(np.arange(count), index)
    for name, which in (("landmarks", index), ("others", others)):
        if len(which):
            row |= {f"kept_{name}{key}": value for key, value in kept(pool, places, which).items()}
    row["chance"] = AMONG / count
    return places, row


def placed(landmarks: Landmarks, pool: Pool, index: npt.NDArray[np.intp]) -> Places:
    """The places of the pool's ``index`` (n,), in batches as the job has them."""
    parts = [landmarks.place(pool.rows(index[at : at + AT_ONCE])) for at in range(0, len(index), AT_ONCE)]
    return np.concatenate(parts)


def kept(pool: Pool, places: Places, which: npt.NDArray[np.intp], size: int = 1_000) -> dict[str, float]:
    """The mean share of true neighbours that are near on the map, with its interval."""
    rng = np.random.default_rng(SEED)
    asked = rng.choice(which, min(size, len(which)), replace=False)
    shares = []
    everyone = np.arange(len(places))
    whole = pool.rows(everyone)
    plane = places.astype(np.float32)
    for at in range(0, len(asked), 50):
        part = asked[at : at + 50]
        close = pool.rows(part) @ whole.T
        far = ((plane[part, None] - plane[None]) ** 2).sum(axis=2)
        close[np.arange(len(part)), part], far[np.arange(len(part)), part] = -np.inf, np.inf
        true = np.argpartition(-close, NEAREST, axis=1)[:, :NEAREST]
        near = np.argpartition(far, AMONG, axis=1)[:, :AMONG]
        shares += [np.isin(a, b).mean() for a, b in zip(true, near, strict=True)]
    held = np.array(shares)
    means = held[rng.integers(len(held), size=(2_000, len(held)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"": float(held.mean()), "_lo": float(low), "_hi": float(high)}


def drawn(count: int, dimension: int = 512, seed: int = SEED) -> npt.NDArray[np.float16]:
    """Unit vectors (count, dimension) around 60 points."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, dimension + 1) ** -0.4
    centres = rng.normal(size=(60, dimension)) * spectrum
    out = np.empty((count, dimension), dtype=np.float16)
    for at in range(0, count, 20_000):
        some = min(20_000, count - at)
        noise = rng.normal(size=(some, dimension)) * spectrum
        out[at : at + some] = unit_length(centres[rng.integers(60, size=some)] + NOISE * noise)
    return out


def _read(path: Path) -> npt.NDArray[np.float16]:
    with np.load(path) as held:
        vectors = unit_length(held["vectors"])
    order = np.random.default_rng(SEED).permutation(len(vectors))
    return vectors[order].astype(np.float16)


if __name__ == "__main__":
    main()
