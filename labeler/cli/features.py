"""`attune features`: measure the images, bring features that Attune did not make, and list all that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from attune.labeler.cli.shell import OUTPUT, Group, Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.cli.vectors import name_left_out
from attune.labeler.insights import features, imported, questions
from attune.labeler.jobs import jobs
from attune.labeler.measured.exported import as_table
from attune.labeler.measured.spread import spread
from attune.labeler.measured.values import SHORT, coverage, measured
from attune.labeler.performance.faults import summary
from attune.models.files.table_output import write_table
from attune.models.text import plural


@click.group(cls=Group)
def command() -> None:
    """Measure the images, import features that Attune did not make, and list all that can be asked about."""


@attune_command(command, "import", workspace="made", example="attune features import faces.parquet --name faces")
@click.argument("file", metavar="FILE")
@click.option("--name", help="What to call the feature. Default: the name of FILE.")
def import_(shell: Shell, file: str, name: str | None) -> None:
    """Import FILE (CSV or Parquet, a path or an address) with the columns asset_id and value.

    Values are numbers, or classes such as yes and no. Assets need no image. The same name again makes a new version. A
    feature with two classes or numbers brings its question along: it is frozen now, before anyone has looked.
    """
    called = name or named_after(file)
    done = imported.add(shell.settings, file, called, who())
    row = done.row
    asked = None
    if not done.again:
        asked = questions.register_features(shell.settings, features.known(shell.settings), called, who())
    value = {
        "feature": row.name, "version": row.version, "again": done.again, "rows": row.rows, "classes": row.classes,
        "left_out": summary(done.faults), "digest": row.file, "question": asked.row.id if asked else None,
    }  # fmt: skip
    if done.again:
        shell.result(value, f"{file} is {row.name} version {row.version} already. Nothing changed.")
        for fault in done.faults:
            shell.hint(fault.text)
        return
    kinds = f"classes {', '.join(row.classes)}" if row.classes else "numbers"
    left = sum(fault.rows for fault in done.faults)
    missing = f" {plural(left, 'row')} left out." if left else ""
    shell.result(value, f"{row.name} version {row.version}: {plural(row.rows, 'asset')}, {kinds}.{missing}")
    for fault in done.faults:
        shell.hint(fault.text)
    if asked and not asked.again:
        shell.hint(f"Question {asked.row.id} is frozen: {asked.row.contrast}. To answer it: `attune insights run`")


@attune_command(command, "measure", example="attune features measure")
def measure(shell: Shell) -> None:
    """Measure colour, light, texture, composition and faces of every image that was not measured yet.

    If the command stops, run it again to continue. Faces are counted and placed; nobody is recognised.
    """
    with shell.progress("Measuring") as report:
        done = jobs.ask(shell.settings, "measure", report)
    if "measured" in done:
        images, _ = coverage(shell.settings)
        shell.result(done, f"{plural(done['measured'], 'image')} measured, {images:,} in all.")
        name_left_out(shell, done["left_out"])


@attune_command(command, "show", example="attune features show faces")
@click.argument("name")
@click.option("--to", type=OUTPUT, help="File to write the values to: .csv or .parquet.")
def show(shell: Shell, name: str, to: Path | None) -> None:
    """Show how the values of the measured feature NAME lie, or write them to a file."""
    one = measured(shell.settings, name)
    if to is not None:
        rows = write_table(to, as_table(shell.settings, one))
        shell.written(to, {"feature": name, "to": str(to), "rows": rows}, f"{plural(rows, 'value')} written to {to}.")
        return
    told = spread(one)
    unit = "" if one.measure.classes else f" ({one.measure.unit})"
    head = f"{name}{unit}: {plural(told['images'], 'image')} of {one.images:,} measured, version {one.version[:SHORT]}"
    shell.result(told, table(("value", "images" if one.measure.classes else "figure"), told["rows"], head))
    if not told["images"]:
        shell.hint("Nothing is measured yet: `attune features measure`")


def named_after(file: str) -> str:
    """A name of a feature from that of its file."""
    stem = Path(file.rstrip("/").rpartition("/")[2]).stem.lower()
    return re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:40] or "feature"


@attune_command(command, "list", example="attune features list")
def list_(shell: Shell) -> None:
    """List the features that can be asked about: imported, measured, and attributes with a champion."""
    found = features.known(shell.settings)
    rows: list[dict[str, Any]] = [
        {"feature": one.name, "kind": one.kind, "version": one.version, "classes": list(one.classes),
         "digest": one.digest}
        for one in found.values()
    ]  # fmt: skip
    cells = [(row["feature"], row["kind"], row["version"], ", ".join(row["classes"]) or "a number") for row in rows]
    shell.result({"features": rows}, table(("feature", "from", "version", "values"), cells))
    if not rows:
        shell.hint(
            "There is no feature yet. Measure the images: `attune features measure`. Or bring one: "
            "`attune features import FILE --name NAME`"
        )
