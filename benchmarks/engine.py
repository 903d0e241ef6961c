"""What Ray Data costs beside our own process, on one machine: bulk work by turns, with seconds of the processor.

    python -m benchmarks.engine --rounds 3 --json FILE

Ray starts once before the first round, and one round of each is left out: it loads the encoder. The work: images to
vectors (the sample's encoder) and to measures, vectors to feature values, rows to their nearest centre. Each result is
compared with our own: `equal` says whether all are the same to the bit, as they are stored. A ratio above 1 says that
Ray took more: of seconds by the clock, which other programs stretch, and of seconds of the processor of all processes,
which they do not. On two cores nothing can be won by Ray: the figure is the overhead. Needs the extra `ray`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import load
from attune.labeler.assets.engine_batches import encoded_in_batches, in_batches
from attune.labeler.demo import prepare
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import read_manifest
from attune.models.catalog.probe_files import FILE_NAME, read_probe
from attune.models.clock import now
from attune.models.encoders.embedding import EmbeddedBatch
from attune.models.engines import ray_start
from attune.models.engines.assigning import assigned
from attune.models.engines.embedding import Place
from attune.models.engines.ray_data import map_tables
from attune.models.engines.scoring import Scorer, scored
from attune.models.engines.table_errors import Work
from attune.models.files.atomic import digest_bytes, write_bytes, write_json
from attune.models.measured.measures import Measurer
from benchmarks.encode import _drawing
from benchmarks.machine import machine
from benchmarks.measured import ratio, shown
from benchmarks.printed import print_rows

PROBE = Path("tests/data/probe-v1/romance")
BLOCK = 16_384  # vectors of one batch, as the score job takes them
ENGINES = ("workers", "ray")
SHOWN = ("work", "items", "rounds", "equal", "workers_s", "ray_s", "workers_cpu_s", "ray_cpu_s")
Bulk = Callable[[str], bytes]  # engine -> the result as bytes


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--vectors", type=int, default=131_072)
    parser.add_argument("--work", action="append", choices=("embed", "measure", "score", "assign"), help="only this")
    parser.add_argument("--json", type=Path, help="file for the result")
    asked = parser.parse_args(arguments)
    start = _timed(lambda: list(map_tables(_same, [pa.table({"n": [1]})])))
    with tempfile.TemporaryDirectory() as folder:
        made = works(Path(folder), asked.images, asked.vectors)
        items = {"embed": asked.images, "measure": asked.images}
        rows = [
            {"work": name, "items": items.get(name, asked.vectors)} | compared(made[name], asked.rounds)
            for name in asked.work or made
        ]
    ray_start.stop()
    print_rows(
        [
            {key: row[key] for key in SHOWN}
            | {"clock [95 %]": shown(row["ratio"]), "processor [95 %]": shown(row["cpu_ratio"])}
            for row in rows
        ]
    )
    print(f"Ray started, and did a table of one row, in {start[0]:.1f} s ({start[1]:.1f} s of the processor).")
    result = {"rows": rows, "start_seconds": start[0], "start_cpu_seconds": start[1], "machine": machine()}
    if asked.json:
        write_json(asked.json, result)
    return result


def works(folder: Path, images: int, vectors: int) -> dict[str, Bulk]:
    """The bulk work by name, each on data made here."""
    own = prepare.encoder_settings() | {"device": "cpu"}
    settings = {name: reader.build({}, workspace=folder, engine=name, **own) for name in ENGINES}
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
        "assign": lambda engine: assigned(engine, x, x[:24]).tobytes(),
    }


def _same() -> Work:
    return lambda table: table


def _places(folder: Path, count: int) -> list[Place]:
    places = []
    for number in range(count):
        content = _drawing(number)
        path = folder / f"{number}.jpg"
        write_bytes(path, content)
        places.append(Place(path.name, str(path), digest_bytes(content)))
    return places


def _embed(settings: Settings, places: Sequence[Place]) -> bytes:
    return _bytes(encoded_in_batches(settings, load(settings), places))


def _measure(settings: Settings, places: Sequence[Place]) -> bytes:
    return _bytes(in_batches(settings, Measurer(), Measurer, places, 16))


def _bytes(batches: Iterable[EmbeddedBatch]) -> bytes:
    kept = list(batches)
    ids = [id_ for batch in kept for id_ in batch.ids]
    stored = np.concatenate([batch.vectors for batch in kept]).astype(np.float16)
    return repr(ids).encode() + stored.tobytes()


def _score(engine: str, scorer: Scorer, count: int) -> bytes:
    x = np.random.default_rng(1).normal(size=(count, scorer.probe.dimension)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ids = pa.array([f"a{row}" for row in range(count)])
    parts = (slice(at, at + BLOCK) for at in range(0, count, BLOCK))
    table = pa.Table.from_batches(scored(engine, scorer, ((ids[at], ids[at], x[at]) for at in parts)))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())


def compared(work: Bulk, rounds: int) -> dict[str, Any]:
    """Seconds of each engine by turns, how many times our own Ray took, and whether every result was the same."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ENGINES}
    digests = set()
    for turn in range(rounds + 1):
        for engine in ENGINES if turn % 2 else ENGINES[::-1]:
            result: list[bytes] = []
            taken = _timed(lambda engine=engine, result=result: result.append(work(engine)))  # type: ignore[misc]
            digests.add(digest_bytes(result[0]))
            if turn:
                seconds[engine].append(taken)
    clock, cpu = ({name: [one[which] for one in seconds[name]] for name in ENGINES} for which in (0, 1))
    return {
        "rounds": rounds,
        "equal": len(digests) == 1,
        **{f"{name}_s": float(np.median(clock[name])) for name in ENGINES},
        **{f"{name}_cpu_s": float(np.median(cpu[name])) for name in ENGINES},
        "ratio": ratio(clock["ray"], clock["workers"]),
        "cpu_ratio": ratio(cpu["ray"], cpu["workers"]),
        "seconds": clock,
        "cpu_seconds": cpu,
    }


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor: of this process and of all that came from it and live at the end."""
    began, before = time.perf_counter(), _processor()
    work()
    taken = time.perf_counter() - began
    used = sum(seconds - before.get(process, 0.0) for process, seconds in _processor().items())
    return round(taken, 3), round(used, 3)


def _processor() -> dict[tuple[int, float], float]:
    """Seconds of the processor by process (its id and start), with the children that it waited for.

    By process, as those that nobody waits for take their seconds with them: a sum would fall when they end.
    """
    used = {}
    own = psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds = times.user + times.system + times.children_user + times.children_system
            used[process.pid, process.create_time()] = seconds
    return used


if __name__ == "__main__":
    main()
