"""`attune insights test`: what to show at random to confirm an insight, as a file."""

from __future__ import annotations

from pathlib import Path

import click

from attune.labeler.cli.shell import OUTPUT, Group, Shell
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.insights import insights
from attune.labeler.insights.amounts import often
from attune.models.text import plural


@click.group(cls=Group)
def tested_commands() -> None:
    """Hold the command, which `attune insights` lists."""


@attune_command(tested_commands, "test", example="attune insights test 3 --to arms.csv")
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@click.option("--to", required=True, type=OUTPUT, help="File to write: .csv or .parquet.")
@click.option("--titles", type=click.IntRange(min=2), help="At most so many titles, drawn by chance. Default: all.")
@click.option("--power", type=click.FloatRange(0.5, 0.99), default=0.8, show_default=True,
              help="The chance that the test finds it, if it is true.")  # fmt: skip
def test(shell: Shell, number: int, to: Path, titles: int | None, power: float) -> None:
    """Write the arms of a random test that would confirm insight ID: two images of each title, one of each kind.

    Each row is an image, with the impressions that it needs. Show the two images of a title at random, equally often.
    """
    import pyarrow as pa

    from attune.labeler.exchange.export_tables import write_csv
    from attune.labeler.insights import arms
    from attune.models.files.outputs import user_file
    from attune.models.files.table_output import check_table_suffix, write_table

    check_table_suffix(to)
    told = arms.plan_test(shell.settings, insights.find(shell.settings, number), titles, power)
    if to.suffix.lower() == ".csv":  # ids come from files of others, and a spreadsheet opens this one
        with user_file(to) as file:
            file.write(write_csv(told.rows(), arms.COLUMNS))
    else:
        write_table(to, pa.Table.from_pylist(told.rows()))
    value = {
        "insight": number, "to": str(to), "titles": len(told.arms), "impressions_each": told.impressions,
        "impressions": told.impressions * 2 * len(told.arms), "titles_needed": told.plan.needed.titles,
        "one_sided": told.one_sided, "power": round(told.power, 3), "power_asked": power, "effect": told.plan.effect,
    }  # fmt: skip
    shell.written(
        to, value,
        f"{plural(len(told.arms), 'title')} with two images each, {told.impressions:,} impressions for each image, "
        f"written to {to}. If “{often(told.plan.effect)}” is true, {told.found_by} such tests find it.",
    )  # fmt: skip
    if told.short:
        shell.hint(
            f"That is not enough: titles differ, so the test needs {plural(told.plan.needed.titles, 'title')}, "
            f"{told.short:,} more. Make the missing images of other titles."
        )
    if told.one_sided:
        why = "their images do not differ in it" if told.extremes else "all their images are of one kind"
        shell.hint(f"{plural(told.one_sided, 'title')} left out: {why}.")
    shell.hint("After the test: `attune performance add RESULTS.csv --arm explore`, then `attune insights run`")
