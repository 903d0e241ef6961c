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
@click.option("--precision", type=float, help="Minimum precision, such as 0.9.")
@click.option("--recall", type=float, help="Minimum recall, such as 0.8.")
@click.option(
    "--sure", type=float, default=0.8, show_default=True, help="Certainty with which the threshold must reach the goal."
)
@click.option("--clear", is_flag=True, help="Remove the goal. The threshold is 0.5 again.")
def threshold(shell: Shell, name: str, precision: float | None, recall: float | None, sure: float, clear: bool) -> None:
    """Set the decision threshold of NAME by a goal. Without options, show it.

    Attune calculates it from audit answers and writes it to the manifest of new versions.
    """
    given = {key: value for key, value in (("precision", precision), ("recall", recall)) if value is not None}
    if len(given) + clear > 1:
        raise DataError(
            "Use only one of --precision, --recall and --clear. A decision threshold can have only one goal."
        )
    if given or clear:
        goal = Goal(*next(iter(given.items())), sure) if given else None
        threshold_goals.ask(shell.settings, name, goal)
        with shell.progress(f"threshold {name}") as report:
            jobs.ask(shell.settings, "learn", report, attribute=name)
    found = threshold_goals.of(shell.settings, name)
    shell.result(found.to_dict(), _told(found))


def _told(found: threshold_goals.Lines) -> Any:
    if found.goal is None:
        return "No goal is set, so the decision threshold is 0.5. To set a goal, add --precision 0.9 or --recall 0.8."
    if not found.lines:
        return f"The goal is {found.goal.figure} {found.goal.value:g}. The next run calculates the decision threshold."
    cells = [
        (one["class"], one["probability"], _figure(one["precision"]), _figure(one["recall"]), one["reason"])
        for one in found.lines
    ]
    return table(("class", "positive from", "precision", "recall", ""), cells)


def _figure(metric: dict[str, Any]) -> str:
    return "" if metric["value"] is None else f"{metric['value']:.2f} [{metric['lo']:.2f}, {metric['hi']:.2f}]"
