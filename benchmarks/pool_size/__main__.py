"""What a large pool costs: ``python -m benchmarks.pool_size --pool 20000 --pool 200000 --answers 40000 --json OUT``.

Makes a workspace of each size (records and vectors by a script, no image exists), each in a process of its own, and
measures every page of the console for an expert, an owner and an admin, what an open page asks for every 3 seconds, the
figures of a review that a worker leaves after an answer, a learning round, scoring of all images, a search by text, an
import, the start of the console, and memory beyond mapped files. Compare by the seconds of the processor: the machine
may be shared. ``growth`` is the exponent of the pool's size with which the processor's seconds grow: 0 not at all, 1 as
the pool.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.pool_size.one_size import Plan, measured
from benchmarks.pool_size.pages import PEOPLE
from benchmarks.printed import print_rows

Row = dict[str, Any]
SLOW = 0.05


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print and return."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, action="append", help="Images; again for another size.")
    parser.add_argument("--answers", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=20, help="Looks at each page.")
    parser.add_argument("--imported", type=int, default=2_000, help="Images of the import.")
    parser.add_argument("--keep", type=Path, help="Keep the workspaces in this folder, and take those that are there.")
    parser.add_argument("--pages", action="store_true", help="Pages alone.")
    parser.add_argument("--role", action="append", choices=PEOPLE, help="Whose pages; again for another. Usually all.")
    parser.add_argument("--only", default="", help="Pages whose name has this in it (a regular expression).")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    sizes = sorted(options.pool or [20_000, 200_000])
    found: dict[str, Any] = {"answers": options.answers, "machine": machine(), "sizes": []}
    with tempfile.TemporaryDirectory(prefix="attune-pool-") as folder:
        for size in sizes:
            place = (options.keep or Path(folder)) / str(size)
            imported, roles = 0 if options.pages else options.imported, tuple(options.role or PEOPLE)
            plan = Plan(place, size, options.answers, options.rounds, imported, roles, options.only)
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
                found["sizes"].append(apart.submit(measured, plan).result())
    table = [row for row in rows(found["sizes"]) if row["slow"]]
    print_rows([{name: value for name, value in row.items() if name != "slow"} for row in table])
    print(f"Pages of less than {SLOW} s of the processor at every size are in the file alone.")
    for one in found["sizes"]:
        memory = {"pages": one["mib_of_pages"]} | {work["page"]: work["mib"] for work in one["work"]}
        told = ", ".join(f"{name} {mib:.0f}" for name, mib in memory.items())
        print(f"{one['pool']:,} images, load {one['load']}; most memory in MiB, without mapped files: {told}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return found


def rows(sizes: Sequence[dict[str, Any]]) -> list[Row]:
    """The table: of each thing the figures at each size, and its growth from the smallest to the largest."""
    first, last = sizes[0], sizes[-1]
    by_key = [{_key(one): one for one in size["pages"] + size["work"]} for size in sizes]
    table = []
    for key in by_key[-1]:
        seconds = [held[key]["processor_p50"] for held in by_key if key in held]
        row: Row = {"what": key, "slow": max(seconds) >= SLOW or "role" not in by_key[-1][key]}
        for size, held in zip(sizes, by_key, strict=True):
            one = held.get(key)
            label = f"{size['pool'] // 1000}k"
            for name in ("processor_p50", "processor_p95", "wall_p95", "n"):
                row[f"{label} {name}"] = one[name] if one else "-"
        if len(sizes) > 1 and key in by_key[0]:
            row["growth"] = growth(by_key[0][key]["processor_p50"], by_key[-1][key]["processor_p50"], first, last)
        table.append(row)
    return table


def growth(small: float, large: float, first: dict[str, Any], last: dict[str, Any]) -> float | str:
    """The exponent of the pool's size; a dash where both are too short for the clock."""
    if min(small, large) < 0.002:
        return "-"
    return round(math.log(large / small) / math.log(last["pool"] / first["pool"]), 2)


def _key(one: Row) -> str:
    return " ".join(one[name] for name in ("role", "page", "way") if name in one)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
