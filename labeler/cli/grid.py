"""`attune pages`: pages of images that an expert answers at once, for the start of a question."""

from __future__ import annotations

import click

from attune.labeler.attributes import attributes
from attune.labeler.cli.shell import Shell
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.models.text import plural


@click.group()
def _grid() -> None:
    """Hold the command, which `attune` lists directly."""


@attune_command(_grid, "pages", example="attune pages romance --expert ana@studio.example")
@click.argument("name")
@click.option("--expert", metavar="EMAIL", required=True, help="Email address of the expert who answers.")
def pages(shell: Shell, name: str, expert: str) -> None:
    """Give an expert pages of 12 images of NAME to answer at once."""
    with reading(shell.settings) as session:
        attributes.find(session, name)
    with shell.progress(f"pages {name}") as report:
        done = jobs.ask(shell.settings, "grid", report, attribute=name, expert=expert)
    shell.result(done, f"{plural(done['pages'], 'page')} open for {expert}: {done['link']}")
