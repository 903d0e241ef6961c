"""The page of commands: click's own help of each, with its options as a table."""

from __future__ import annotations

from collections.abc import Iterator

import click

from attune.labeler.cli.main import attune
from attune.labeler.cli.shell import SHARED
from tests.project.reference.markdown import code, prose, table

INTRODUCTION = """# Commands

Every command has two more options:

- `--workspace DIRECTORY` names the folder that holds everything a run writes (default: `ATTUNE_WORKSPACE`, then
`./workspace`).
- `--json` prints the result as one JSON document. Advice and progress go to stderr.

`-h` or `--help` shows the same texts as this page. An exit code above 0 means that something failed: see
[errors](errors.md). [The glossary](../glossary.md) defines the words.
"""


def page() -> str:
    """The whole page."""
    found = [(context, command) for context, command in leaves(click.Context(attune, info_name="attune"), attune)]
    rows = [[f"[`{c.command_path}`](#{anchor(c)})", command.get_short_help_str(300)] for c, command in found]
    return "\n".join([INTRODUCTION, table(["command", "what it does"], rows), *(_described(*one) for one in found)])


def leaves(context: click.Context, command: click.Command) -> Iterator[tuple[click.Context, click.Command]]:
    """Every command below ``command`` that does something by itself, in the order of the help."""
    if not isinstance(command, click.Group):
        yield context, command
        return
    if command.invoke_without_command:
        yield context, command
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        if child is not None and not child.hidden:
            yield from leaves(click.Context(child, parent=context, info_name=name), child)


def anchor(context: click.Context) -> str:
    """The anchor of a command's heading."""
    return context.command_path.replace(" ", "-")


def _described(context: click.Context, command: click.Command) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## {context.command_path}\n", prose(command.help) + "\n", f"```\n{usage}\n```\n"]
    own = [one for one in command.params if one.name not in SHARED]
    rows = [(code(record[0]), record[1]) for one in own if (record := one.get_help_record(context)) and record[1]]
    if rows:
        parts.append(table(["option", "meaning"], rows))
    if example := (command.epilog or "").partition("For example:")[2].strip():
        parts.append(f"Example:\n\n```\n{example}\n```\n")
    return "\n".join(parts)
