"""`attune labels left-out` and `read-as`: answers in Label Studio that count nowhere, and what their class means."""

from __future__ import annotations

import click

from attune.labeler.answers import uncounted
from attune.labeler.cli.label_group import command as labels
from attune.labeler.cli.shell import Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs


@attune_command(labels, "left-out", example="attune labels left-out serious")
@click.argument("name", required=False)
def left_out(shell: Shell, name: str | None) -> None:
    """List the uncounted answers to NAME, or to all attributes, with the reason."""
    found = uncounted.of(shell.settings, name)
    columns = ("attribute", "queue of", "author", "image", "says", "why")
    rows = [(one.attribute, one.expert, one.author, one.asset_id, one.value, one.reason) for one in found]
    shell.result(
        {"answers": [one.to_dict() for one in found]}, table(columns, rows) if rows else "Every answer counts."
    )
    for reason in sorted({one.reason for one in found}):
        shell.hint(f"{reason}: {uncounted.TODO[reason]}")


@attune_command(labels, "read-as", example="attune labels read-as serious 'Serious!' serious")
@click.argument("name")
@click.argument("called")
@click.argument("means")
@click.option("--no-wait", is_flag=True, help="Only start the sync. Do not wait for the workers.")
def read_as(shell: Shell, name: str, called: str, means: str, no_wait: bool) -> None:
    """Map the class CALLED in Label Studio to the class MEANS of NAME, and import its answers."""
    waiting = uncounted.read_as(shell.settings, name, called, means)
    with shell.progress("sync") as report:
        done = jobs.ask(shell.settings, "sync", report, wait=not no_wait, attribute=name, whole=True)
    value = {"attribute": name, "called": called, "means": means, "waiting": waiting, "sync": done}
    shell.result(value, f"{called!r} is now read as {means!r} in {name}. Attune can now use {waiting} more answers.")
