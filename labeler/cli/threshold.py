"""`attune attribute threshold`: the precision or recall that the probes of an attribute are to keep."""

from __future__ import annotations

from typing import Any

import click

from attune.labeler.attributes import threshold_goals
from attune.labeler.cli.attribute_group import command
from attune.labeler.cli.shell import Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.models.errors import DataError
from attune.models.probes.thresholds import Goal


@attune_command(command, "threshold", example="attune attribute threshold serious --precision 0.9")
@click.argument("name")
@click.option("--precision", type=float, help="Of what the probe says yes to, so much must be right.")
@click.option("--recall", type=float, help="Of what is right, so much must be found.")
@click.option("--sure", type=float, default=0.8, show_default=True, help="How sure the audit must be of it.")
@click.option("--clear", is_flag=True, help="Back to one half.")
def threshold(shell: Shell, name: str, precision: float | None, recall: float | None, sure: float, clear: bool) -> None:
    """Draw the line for NAME where a stated precision or recall is kept; without options, show where it is.

    The line comes from audit answers alone, and stands in the manifest of every version promoted from then on.
    """
    given = {key: value for key, value in (("precision", precision), ("recall", recall)) if value is not None}
    if len(given) + clear > 1:
        raise DataError("Give one of --precision, --recall and --clear: a line cannot keep two promises at once.")
    if given or clear:
        goal = Goal(*next(iter(given.items())), sure) if given else None
        threshold_goals.ask(shell.settings, name, goal)
        with shell.progress(f"threshold {name}") as report:
            jobs.ask(shell.settings, "learn", report, attribute=name)
    found = threshold_goals.of(shell.settings, name)
    shell.result(found.to_dict(), _told(found))


def _told(found: threshold_goals.Lines) -> Any:
    if found.goal is None:
        return "No goal is set: the line stands at one half. Set one with --precision 0.9 or --recall 0.8."
    if not found.lines:
        return f"The goal is {found.goal.figure} {found.goal.value:g}; the next learning round draws the line."
    cells = [
        (one["class"], one["probability"], _figure(one["precision"]), _figure(one["recall"]), one["reason"])
        for one in found.lines
    ]
    return table(("class", "says yes from", "precision", "recall", ""), cells)


def _figure(metric: dict[str, Any]) -> str:
    return "" if metric["value"] is None else f"{metric['value']:.2f} [{metric['lo']:.2f}, {metric['hi']:.2f}]"
