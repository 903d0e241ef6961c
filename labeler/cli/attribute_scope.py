"""`attune attribute scope`: what people decided about groups of images at the edge of a question."""

from __future__ import annotations

import click

from attune.labeler.attributes import attributes
from attune.labeler.cli.attribute_group import command
from attune.labeler.cli.shell import Shell, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.records.session import reading
from attune.labeler.scope.listed import listed


@attune_command(command, "scope", example="attune attribute scope serious")
@click.argument("name")
def scope(shell: Shell, name: str) -> None:
    """List the decisions about groups of similar images for NAME: which images count, and which do not."""
    with reading(shell.settings) as session:
        value = listed(session, attributes.find(session, name))
    lines = [
        (str(one["decided_at"])[:16], f"{one['who']} (has left)" if one["has_left"] else one["who"], len(one["counts"]),
         len(one["does_not_count"]), one["note"], one["revision"] or "not yet")
        for one in value
    ]  # fmt: skip
    columns = ("when (UTC)", "who", "count", "do not", "in words", "in revision")
    shell.result({"name": name, "decisions": value}, table(columns, lines))
