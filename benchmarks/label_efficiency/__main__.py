"""``python -m benchmarks.label_efficiency --data FILE.npz … --json OUT``: run the campaigns, print the table."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one campaign a process: threads of one would starve the other

import click
from rich.console import Console
from rich.progress import track

from attune.models.files.atomic import write_bytes, write_json
from benchmarks.label_efficiency.campaign import Cell, run
from benchmarks.label_efficiency.methods import NAMES, method
from benchmarks.label_efficiency.report import compare, name_of, render, table
from benchmarks.label_efficiency.tasks import attributes
from benchmarks.machine import machine

PACKAGES = ("numpy", "scipy", "scikit-learn", "modAL-python", "scikit-activeml")


@click.command()
@click.option("--data", multiple=True, required=True, type=click.Path(exists=True, dir_okay=False), help=".npz files.")
@click.option("--attributes", "wanted", default="", help="Names, comma-separated; data:name where two files share one.")
@click.option("--budget", default=400, show_default=True, help="Labels, the first 20 and audits included.")
@click.option("--batch", default=20, show_default=True, help="Images between two fits.")
@click.option("--seeds", default=5, show_default=True)
@click.option("--methods", default="attune,random,modal_margin,va_four_feeds", show_default=True)
@click.option("--jobs", default=2, show_default=True, help="Processes.")
@click.option("--json", "out", required=True, type=click.Path(dir_okay=False), help="Where rows and tables go.")
def main(
    data: tuple[str, ...], wanted: str, budget: int, batch: int, seeds: int, methods: str, jobs: int, out: str
) -> None:
    """Average precision on the test split by number of labels. Finished campaigns in OUT are kept, not run again."""
    names = methods.split(",")
    for name in names:
        try:
            method(name)
        except ValueError as error:
            raise click.BadParameter(f"{error} All: {', '.join(NAMES)}", param_hint="--methods") from error
    cells = [
        Cell(name, path, attribute, seed, batch, budget)
        for seed in range(seeds)
        for path, attribute in _questions(data, wanted)
        for name in names
    ]
    journal = Path(out).with_suffix(".rows.jsonl")
    done = _read(journal)
    todo = [cell for cell in cells if not _finished(cell, done)]
    todo = sorted(todo, key=lambda cell: cell.seed)
    for rows in _run_all(todo, jobs):
        with journal.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        done += rows
    _report(done, Path(out))


def _questions(data: tuple[str, ...], wanted: str) -> list[tuple[str, str]]:
    chosen = [name for name in wanted.split(",") if name]
    known = [(path, name) for path in data for name in attributes(Path(path))]
    keys = {name for path, name in known} | {f"{Path(path).stem}:{name}" for path, name in known}
    missing = [name for name in chosen if name not in keys]
    if missing:
        raise click.BadParameter(f"No file has {', '.join(missing)}; there are {', '.join(sorted(keys))}.")
    return [(p, n) for p, n in known if not chosen or n in chosen or f"{Path(p).stem}:{n}" in chosen]


def _read(journal: Path) -> list[dict[str, Any]]:
    """The rows of an earlier run; a line that was cut off with it is dropped from the file."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    rows = []
    for line in lines:
        with suppress(json.JSONDecodeError):
            rows.append(json.loads(line))
    write_bytes(journal, "".join(json.dumps(row) + "\n" for row in rows).encode())
    return rows


def _finished(cell: Cell, rows: list[dict[str, Any]]) -> bool:
    key = {**asdict(cell), "data": Path(cell.data).stem, "labels": cell.budget}
    del key["budget"]
    return any(all(row[k] == v for k, v in key.items()) for row in rows)


def _run_all(cells: list[Cell], jobs: int) -> Any:
    console = Console(stderr=True)
    if jobs <= 1:
        for cell in track(cells, "campaigns", console=console):
            yield run(cell)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(run, cell) for cell in cells]
        for future in track(as_completed(futures), "campaigns", total=len(futures), console=console):
            yield future.result()


def _report(rows: list[dict[str, Any]], out: Path) -> None:
    ours = sorted({name_of(row) for row in rows if str(row["method"]).startswith("attune")})
    versions = {package: version(package) for package in PACKAGES}
    comparisons = [compare(rows, name) for name in ours]
    summary = {"table": table(rows), "comparisons": comparisons}
    write_json(out, {"rows": rows, "machine": machine(), "versions": versions, "summary": summary})
    click.echo(render(rows))
    for found in comparisons:
        share = {peer: result["win_or_tie"] for peer, result in found["win_or_tie"].items() if result["cells"]}
        click.echo(f"{found['method']}: wins or ties {share}")
        click.echo(f"  median labels to va_four_feeds' 400: {found.get('median_labels_to_reference_at_400')}")


if __name__ == "__main__":
    main()
