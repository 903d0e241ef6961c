"""`attune features`: bring features that Attune did not make, and list all that can be asked about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from attune.labeler.cli.shell import Group, Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.insights import features, imported, questions
from attune.models.text import plural


@click.group(cls=Group)
def command() -> None:
    """Import features that Attune did not make, and list all that can be asked about."""


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
        "left_out": row.faults, "digest": row.file, "question": asked.row.id if asked else None,
    }  # fmt: skip
    if done.again:
        shell.result(value, f"{file} is {row.name} version {row.version} already. Nothing changed.")
        return
    kinds = f"classes {', '.join(row.classes)}" if row.classes else "numbers"
    shell.result(value, f"{row.name} version {row.version}: {plural(row.rows, 'asset')}, {kinds}.")
    for reason, count in row.faults.items():
        shell.hint(f"{plural(count, 'row')} left out: {imported.ABOUT[reason]}.")
    if asked and not asked.again:
        shell.hint(f"Question {asked.row.id} is frozen: {asked.row.contrast}. To answer it: `attune insights run`")


def named_after(file: str) -> str:
    """A name of a feature from that of its file."""
    stem = Path(file.rstrip("/").rpartition("/")[2]).stem.lower()
    return re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:40] or "feature"


@attune_command(command, "list", example="attune features list")
def list_(shell: Shell) -> None:
    """List the features that can be asked about: imported ones, and attributes with a champion."""
    found = features.known(shell.settings)
    rows: list[dict[str, Any]] = [
        {"feature": one.name, "kind": one.kind, "version": one.version, "classes": list(one.classes),
         "digest": one.digest}
        for one in found.values()
    ]  # fmt: skip
    cells = [(row["feature"], row["kind"], row["version"], ", ".join(row["classes"]) or "a number") for row in rows]
    shell.result({"features": rows}, table(("feature", "from", "version", "values"), cells))
    if not rows:
        shell.hint("There is no feature yet. Publish a probe, or: `attune features import FILE --name NAME`")
