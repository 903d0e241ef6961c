"""How soon an answer changes the order where many answer: ``python -m benchmarks.load --minutes 3 --json FILE``.

Real parts on free ports in a fresh workspace; eight simulated experts answer three questions at once, one in four on
the labelling page and the others in Label Studio, first at human speed, then as fast as Label Studio takes answers.
Beside them an owner opens pages and a pipeline pulls. One table: seconds from an answer to the new order, how often an
expert found no question, and how many cores each part had. ``--label-studio postgresql`` gives Label Studio a
PostgreSQL of its own, ``--database postgresql`` the records.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from attune.labeler import settings as reader
from attune.labeler.services import Stack, free_ports
from attune.labeler.settings import Settings
from benchmarks.load import samples, stage, table
from benchmarks.load.crowd import crowd
from benchmarks.load.seen import Seen
from benchmarks.load.stage import Stage
from benchmarks.machine import machine
from tests.resilience import on_postgresql
from tests.resilience.arena import DATABASES, POSTGRESQL

RECORDED = ("minutes", "experts", "questions", "pool", "dim", "label_studio", "database")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="of each speed")
    parser.add_argument("--experts", type=int, default=8)
    parser.add_argument("--questions", type=int, default=3)
    parser.add_argument("--look", type=float, nargs="+", default=[3.0, 0.0], help="seconds of a look; 0: none")
    parser.add_argument("--pool", type=int, default=5000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--label-studio", choices=DATABASES, default=DATABASES[0], help="database of Label Studio")
    parser.add_argument("--database", choices=DATABASES, default=DATABASES[0], help="of the records")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-load-") as folder, ExitStack() as databases:
        places = {
            setting: databases.enter_context(on_postgresql.database())
            for setting, kind in (
                ("label_studio_database_url", options.label_studio),
                ("database_url", options.database),
            )
            if kind == POSTGRESQL
        }
        settings = free_ports(replace(reader.build({}, workspace=folder), **places))
        with Stack(settings, lambda line: print(line, file=sys.stderr, flush=True)):
            made = stage.prepare(settings, options.pool, options.dim, options.experts, options.questions)
            rows = [_phase(settings, made, look, options.minutes) for look in options.look]
    found = {name: getattr(options, name) for name in RECORDED}
    found |= {"speeds": rows, "machine": machine()}
    print(table.speeds(rows))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def _phase(settings: Settings, made: Stage, look: float, minutes: float) -> dict[str, Any]:
    seen = Seen()
    with crowd(made, seen, look) as orders:
        first = samples.sample(settings, seen, 0.0)
        time.sleep(minutes * 60)
        last = samples.sample(settings, seen, 0.0)
    return {
        "look": look,
        "seconds": round(last["at"] - first["at"], 1),
        "waits": {kind: samples.summary(seen.taken(kind)) for kind in samples.KINDS},  # with those that ended since
        "without an order": orders.left(),
        "processor": table.processor([first, last]),
        **{name: last[name] for name in ("asked", "starved", "errors", "load")},
    }


if __name__ == "__main__":
    main()
