"""What a large pool costs: ``python -m benchmarks.pool_size --pool 20000 --pool 200000 --answers 40000 --json OUT``.

Makes a workspace of each size (records and vectors by a script, no image exists), and measures every page of the
console for an expert, an owner and an admin, what an open page asks for every 3 seconds, the figures of a review that a
worker leaves after an answer, a learning round, scoring of all images, a search by text, an import, the start of the
console, and memory beyond mapped files. Compare by the seconds of the processor: the machine may be shared.

``growth`` is the exponent of the pool's size with which they grow: 0 not at all, 1 as the pool; from three sizes on
with its interval, for two sizes the ratio. With ``--keep`` workspaces stay, and what was measured in them is kept: a
run that was stopped goes on where it was, and one with another ``--pool`` measures that alone.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.pool_size import growth, kept_figures
from benchmarks.pool_size.one_size import Plan, measured
from benchmarks.pool_size.pages import PEOPLE
from benchmarks.printed import print_rows

Row = dict[str, Any]
SLOW = 0.05


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print and return."""
    options = _parser().parse_args(arguments)
    found: dict[str, Any] = {"answers": options.answers, "machine": machine(), "sizes": []}
    with tempfile.TemporaryDirectory(prefix="attune-pool-") as folder:
        for size in sorted(options.pool or [20_000, 200_000]):
            plan = _plan(options, options.keep or Path(folder), size)
            if options.anew:
                kept_figures.forget(plan.place, options.only)
            found["sizes"].append(measured(plan))
    found["growth"] = growths(found["sizes"])
    table = [row for row in rows(found["sizes"], found["growth"]) if row.pop("slow")]
    if table:
        print_rows(table)
    print(f"Pages of less than {SLOW} s of the processor at every size are in the file alone.")
    for one in found["sizes"]:
        print(f"{one['pool']:,} images, load {one['load']}; most memory in MiB, without mapped files: {memory(one)}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, action="append", help="Images; again for another size.")
    parser.add_argument("--answers", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=20, help="Looks at each page.")
    parser.add_argument("--repeats", type=int, default=3, help="Runs of each work.")
    parser.add_argument("--imported", type=int, default=2_000, help="Images of the import.")
    parser.add_argument("--keep", type=Path, help="Keep workspaces and figures in this folder, and use what is there.")
    parser.add_argument(
        "--anew", action="store_true", help="Measure kept figures again: all, or those that --only names."
    )
    parser.add_argument("--pages", action="store_true", help="Pages alone.")
    parser.add_argument("--work", action="store_true", help="What workers do alone.")
    parser.add_argument("--role", action="append", choices=PEOPLE, help="Whose pages; again for another. Usually all.")
    parser.add_argument("--only", default="", help="Pages and work named like this (a regular expression).")
    parser.add_argument("--json", type=Path)
    return parser


def _plan(options: argparse.Namespace, folder: Path, size: int) -> Plan:
    imported, roles = 0 if options.pages else options.imported, () if options.work else options.role or PEOPLE
    return Plan(folder, size, options.answers, options.rounds, options.repeats, imported, tuple(roles), options.only)


def growths(sizes: Sequence[dict[str, Any]]) -> dict[str, growth.Figure | None]:
    """How each thing grows that was measured at every size, by its key."""
    by_key = [_by_key(size) for size in sizes]
    return {
        key: growth.growth({size["pool"]: held[key]["runs"] for size, held in zip(sizes, by_key, strict=True)})
        for key in by_key[-1]
        if all(key in held for held in by_key)
    }


def rows(sizes: Sequence[dict[str, Any]], grows: dict[str, growth.Figure | None]) -> list[Row]:
    """The table: of each thing the processor's seconds at each size (median, then the lowest and highest of n), and its
    growth."""
    by_key = [_by_key(size) for size in sizes]
    table = []
    for key in by_key[-1]:
        slowest = max(held[key]["processor_p95"] for held in by_key if key in held)
        row: Row = {"what": key, "slow": slowest >= SLOW or "role" not in by_key[-1][key]}
        for size, held in zip(sizes, by_key, strict=True):
            row[f"{size['pool'] // 1000}k"] = _told(held[key]) if key in held else "-"
        table.append(row | {"growth": growth.shown(grows.get(key))})
    return table


def memory(size: dict[str, Any]) -> str:
    """The most that the pages and each work held of their own."""
    pages = [page["mib"] for page in size["pages"]]
    told = {"pages": max(pages)} if pages else {}
    told |= {work["page"]: work["mib"] for work in size["work"]}
    return ", ".join(f"{name} {mib:.0f}" for name, mib in told.items())


def _told(row: Row) -> str:
    return f"{row['processor_p50']:.3f} ({row['runs'][0]:.3f} to {row['runs'][-1]:.3f}, n = {row['n']})"


def _by_key(size: dict[str, Any]) -> dict[str, Row]:
    return {kept_figures.key(one): one for one in size["pages"] + size["work"]}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
