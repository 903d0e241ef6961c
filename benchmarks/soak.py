"""Does anything grow in an hour's work? ``python -m benchmarks.soak --minutes 60 --record FILE``.

Real parts on free ports in a fresh workspace; simulated experts at human speed on three questions, one in four of them
on the labelling page, the others in Label Studio; beside them an owner who opens pages and a pipeline that pulls. Every
30 seconds one line of JSON goes to FILE: memory, open files and processor time of each part, and what was waited for.
SIGTERM ends the run early, with what was measured until then. ``--json`` keeps the table, ``--picture`` draws it; both
also from an earlier record, with ``--read``.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

from attune.labeler import settings as reader
from attune.labeler.services import Stack, free_ports
from benchmarks.load import picture, samples, stage, table
from benchmarks.load.crowd import crowd
from benchmarks.load.seen import Seen
from benchmarks.machine import machine


def main() -> None:
    """Run, or read, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--experts", type=int, default=8)
    parser.add_argument("--questions", type=int, default=3)
    parser.add_argument("--look", type=float, default=3.0, help="seconds that an expert looks, in the median")
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two samples")
    parser.add_argument("--pool", type=int, default=5000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--record", type=Path, default=Path("soak.jsonl"))
    parser.add_argument("--read", action="store_true", help="run nothing: tell what FILE holds")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path, help="an .svg or .png")
    options = parser.parse_args()
    if not options.read:
        soak(options)
    kept = samples.read(options.record)
    found = table.soak(kept)
    print(table.shown(found))
    if options.json:
        asked = {name: getattr(options, name) for name in ("experts", "questions", "look", "every", "pool", "dim")}
        options.json.write_text(json.dumps(found | asked | {"machine": machine()}, indent=2) + "\n")
    if options.picture:
        picture.draw(kept, options.picture)


def soak(options: argparse.Namespace) -> None:
    """Let the crowd work, and keep samples, until the time is over or SIGTERM comes."""
    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)

    signal.signal(signal.SIGTERM, end)
    with tempfile.TemporaryDirectory(prefix="attune-soak-") as folder:
        settings = free_ports(reader.build({}, workspace=folder))
        with Stack(settings, lambda line: print(line, file=sys.stderr, flush=True)):
            made = stage.prepare(settings, options.pool, options.dim, options.experts, options.questions)
            options.record.unlink(missing_ok=True)
            seen = Seen()
            with crowd(made, seen, options.look):
                _watch(options, seen, settings, ended)


def _watch(options: argparse.Namespace, seen: Seen, settings: Any, ended: list[int]) -> None:
    since = 0.0
    while monotonic() - seen.began < options.minutes * 60 and not ended:
        following = monotonic() + options.every
        while monotonic() < following and not ended:
            time.sleep(0.5)
        one = samples.sample(settings, seen, since)
        since = one["at"]
        samples.add(options.record, one)
        order, memory = one["waits"]["order"], sum(part["memory"] for part in one["parts"].values())
        print(f"{one['at']:7.0f} s  {memory:6.0f} MiB  order {order}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
