"""`attune performance`: import how often images were shown and taken, check it, list and remove imports."""

from __future__ import annotations

from typing import Any

import click

from attune.labeler.cli.shell import Group, Shell, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.performance import checks, imports
from attune.labeler.performance.checks import Checked
from attune.labeler.performance.columns import ARMS
from attune.labeler.records.schema import PerformanceImport
from attune.labeler.records.session import reading
from attune.models.insights.sample_ratio import THRESHOLD
from attune.models.insights.within_title import LEAST_TITLES
from attune.models.text import plural


@click.group(cls=Group)
def command() -> None:
    """Import measured performance, check it, and list and remove imports."""


@attune_command(
    command, "add", workspace="made", example="attune performance add takes.csv --map views=impressions --arm explore"
)
@click.argument("file", metavar="FILE")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="Which column of FILE is which field.")
@click.option("--arm", type=click.Choice(ARMS), help="Arm of rows without one: explore means shown at random.")
@click.option("--one-chance", is_flag=True, help="All impressions of a row had the propensity that the row tells.")
def add(shell: Shell, file: str, maps: tuple[str, ...], arm: str | None, one_chance: bool) -> None:
    """Import FILE (CSV or Parquet, a path or an address): one row per image, canvas and period.

    It needs asset_id, title_id, canvas, impressions and takes. Rows with a fault are left out and named. A row that an
    earlier import has, too, replaces it.
    """
    with shell.progress("performance") as report:
        done = imports.add(shell.settings, file, maps, arm or "", who(), report, one_chance)
    with shell.progress("checks") as report:
        checked = checks.check(shell.settings, report)
    row = done.row
    value = _record(row) | {"again": done.again, "checks": checked.as_json()}
    if done.again:
        shell.result(value, f"{file} is import {row.id} already. Nothing changed.")
        return
    replaced = f" {plural(row.rows_replaced, 'row')} of earlier imports replaced." if row.rows_replaced else ""
    shell.result(value, f"Import {row.id}: {plural(row.rows, 'row')} of {row.rows_read:,} read.{replaced}")
    for fault in done.faults:
        shell.hint(fault.text)
    if "arm" not in row.options["columns"] and arm is None:
        shell.hint("FILE has no arm, so its rows count as served. If images were shown at random: --arm explore")
    if "propensity" in row.options["columns"] and checked.with_propensity and not one_chance:
        shell.hint(
            "Served rows have a propensity. Insights weigh them by it, with grade B, only where all impressions of a "
            "row had this same chance. If they had: add FILE again with --one-chance"
        )
    _advise(shell, checked)


@attune_command(command, "check", example="attune performance check")
def check(shell: Shell) -> None:
    """Check all imports: were images shown in the planned ratio, and which canvases have enough titles?"""
    with shell.progress("checks") as report:
        checked = checks.check(shell.settings, report)
    names = (
        "canvas",
        "titles",
        "comparable titles",
        "one image only",
        "impressions",
        "takes",
        "random",
    )
    cells = [
        (
            one.canvas,
            one.titles,
            one.comparable,
            f"{one.one_image:.0%}",
            one.impressions,
            one.takes,
            f"{one.explore:.0%}",
        )
        for one in checked.canvases
    ]
    shell.result(checked.as_json(), table(names, cells))
    if not checked.imports:
        shell.hint("No performance was imported yet: `attune performance add FILE`")
    _advise(shell, checked)


@attune_command(command, "list", example="attune performance list")
def list_(shell: Shell) -> None:
    """List the imports, the newest first."""
    with reading(shell.settings) as session:
        rows = imports.listed(session)
    names = ("import", "rows", "left out", "impressions", "takes", "source", "added at", "removed")
    cells = [
        (one.id, one.rows, one.rows_read - one.rows, one.impressions, one.takes, one.source, one.added_at,
         one.removed_reason)
        for one in rows
    ]  # fmt: skip
    shell.result({"imports": [_record(one) for one in rows]}, table(names, cells))


@attune_command(command, "remove", example='attune performance remove 3 --reason "wrong week"')
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why, for the list.")
def remove(shell: Shell, number: int, reason: str) -> None:
    """Remove import ID and delete its rows. Rows of earlier imports that it replaced count again."""
    row = imports.remove(shell.settings, number, reason, who())
    shell.result(_record(row), f"Import {number} removed: {plural(row.rows, 'row')} of {row.source} deleted.")


def _record(row: PerformanceImport) -> dict[str, Any]:
    names = ("id", "source", "rows", "rows_read", "rows_replaced", "faults", "impressions", "takes", "options",
             "added_by", "added_at", "removed_at", "removed_by", "removed_reason")  # fmt: skip
    value = {name: getattr(row, name) for name in names}
    return value | {"import": value.pop("id"), "digest": row.file}


def _advise(shell: Shell, checked: Checked) -> None:
    if checked.flagged:
        first = ", ".join(f"{one['title_id']} on {one['canvas']}" for one in checked.named[:3])
        shell.hint(
            f"{checked.flagged:,} of {checked.tested:,} tests did not show their images in the planned ratio, for "
            f"example {first}. Chance alone would flag about {checked.tested * THRESHOLD:.0f}. Ask who runs the tests "
            "why."
        )
    few = [one.canvas for one in checked.canvases if not one.enough]
    if few:
        shell.hint(
            f"Too few titles on {', '.join(few[:5])}{' …' if len(few) > 5 else ''}: at least {LEAST_TITLES} with two "
            "images that were shown and taken are needed for a figure of a canvas."
        )
    if missing := checked.assets - checked.assets_here:
        shell.hint(f"Not in the pool: {missing:,} of {plural(checked.assets, 'asset')}. They take part by their ids.")
