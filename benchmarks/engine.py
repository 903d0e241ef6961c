"""What Ray Data costs beside our own process, on one machine: bulk work by turns, the ratio of each round.

    python -m benchmarks.engine --rounds 5 --json OUT

Ray starts once before the first round (`start` in the result), and one round of each is left out: it starts processes
and loads the encoder. The work: images to vectors (the sample's encoder) and to measures, vectors to feature values,
rows to their nearest centre. A ratio above 1 says that Ray took longer. On two cores nothing can be won by it: the
figure is the overhead. Needs the extra `ray`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import load
from attune.labeler.assets.engine_batches import encoded_in_batches, in_batches
from attune.labeler.demo import prepare
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import read_manifest
from attune.models.catalog.probe_files import FILE_NAME, read_probe
from attune.models.clock import now
from attune.models.engines import ray_data
from attune.models.engines.assigning import assigned
from attune.models.engines.embedding import Place
from attune.models.engines.ray_data import map_tables
from attune.models.engines.scoring import Scorer, scored
from attune.models.files.atomic import digest_bytes, write_bytes, write_json
from attune.models.measured.measures import Measurer
from benchmarks.encode import _drawing
from benchmarks.machine import machine
from benchmarks.measured import ratio, shown
from benchmarks.printed import print_rows

PROBE = Path("tests/data/probe-v1/romance")
BLOCK = 16_384  # vectors of one batch, as the score job takes them
SHOWN = ("work", "items", "rounds", "workers_s", "ray_s")
Work = Callable[[str], int]  # engine -> how many items were done


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--vectors", type=int, default=131_072)
    parser.add_argument("--json", type=Path, help="file for the result")
    asked = parser.parse_args(arguments)
    began = time.perf_counter()
    list(map_tables(_same, [pa.table({"n": [1]})]))
    start = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            _compared(name, work, asked.rounds)
            for name, work in works(Path(folder), asked.images, asked.vectors).items()
        ]
    ray_data.stop()
    print_rows([{**{key: row[key] for key in SHOWN}, "ratio [95 %]": shown(row["ratio"])} for row in rows])
    print(f"Ray started, and did a table of one row, in {start:.1f} s.")
    result = {"rows": rows, "start_seconds": round(start, 2), "machine": machine()}
    if asked.json:
        write_json(asked.json, result)
    return result


def works(folder: Path, images: int, vectors: int) -> dict[str, Work]:
    """The bulk work by name, each on data made here."""
    own = prepare.encoder_settings() | {"device": "cpu"}
    settings = {name: reader.build({}, workspace=folder, engine=name, **own) for name in ("workers", "ray")}
    places = _places(folder, images)
    x = np.random.default_rng(0).normal(size=(vectors, 64)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    scorer = Scorer(
        read_manifest((PROBE / "manifest.json").read_bytes()), read_probe((PROBE / FILE_NAME).read_bytes()), now()
    )
    return {
        "embed": lambda engine: _embed(settings[engine], places),
        "measure": lambda engine: _measure(settings[engine], places),
        "score": lambda engine: _score(engine, scorer, vectors),
        "assign": lambda engine: len(assigned(engine, x, x[:24])),
    }


def _same() -> ray_data.Work:
    return lambda table: table


def _places(folder: Path, count: int) -> list[Place]:
    places = []
    for number in range(count):
        content = _drawing(number)
        path = folder / f"{number}.jpg"
        write_bytes(path, content)
        places.append(Place(path.name, str(path), digest_bytes(content)))
    return places


def _embed(settings: Settings, places: Sequence[Place]) -> int:
    return sum(len(batch.ids) for batch in encoded_in_batches(settings, load(settings), places))


def _measure(settings: Settings, places: Sequence[Place]) -> int:
    return sum(len(batch.ids) for batch in in_batches(settings, Measurer(), Measurer, places, 16))


def _score(engine: str, scorer: Scorer, count: int) -> int:
    x = np.random.default_rng(1).normal(size=(count, scorer.probe.dimension)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ids = pa.array([f"a{row}" for row in range(count)])
    parts = (slice(at, at + BLOCK) for at in range(0, count, BLOCK))
    return sum(one.num_rows for one in scored(engine, scorer, ((ids[at], ids[at], x[at]) for at in parts)))


def _compared(name: str, work: Work, rounds: int) -> dict[str, Any]:
    """Seconds of each engine by turns, and how many times our own Ray took."""
    seconds: dict[str, list[float]] = {"workers": [], "ray": []}
    items = 0
    for turn in range(rounds + 1):
        for engine in ("workers", "ray") if turn % 2 else ("ray", "workers"):
            began = time.perf_counter()
            items = partial(work, engine)()
            if turn:
                seconds[engine].append(round(time.perf_counter() - began, 3))
    return {
        "work": name,
        "items": items,
        "rounds": rounds,
        "workers_s": float(np.median(seconds["workers"])),
        "ray_s": float(np.median(seconds["ray"])),
        "ratio": ratio(seconds["ray"], seconds["workers"]),
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
