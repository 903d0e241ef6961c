"""What every command shares: --workspace and --json, one sink for results, an example in its help."""

from __future__ import annotations

import functools
import getpass
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from attune.labeler import settings as reader
from attune.labeler.cli import workspace_check
from attune.labeler.cli.progress_bars import Report, bars
from attune.labeler.cli.text_tables import Table, key_value_lines, table
from attune.labeler.settings import Settings
from attune.models.files.outputs import is_stdout
from attune.models.text import without_controls

__all__ = ["OUTPUT", "Group", "Place", "Shell", "command", "key_value_lines", "somebody_reads", "stop", "table"]


@dataclass(frozen=True)
class Shell:
    """Where a command reads its settings and writes what it found."""

    settings: Settings
    json: bool

    def result(self, value: Any, text: str | Table | None = None) -> None:
        """Print ``value``: as one JSON document with --json, else as ``text`` (or a plain rendering) on stdout."""
        if self.json:
            click.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))
        elif isinstance(text, Table):
            text.print()
        else:
            said = text if text is not None else json.dumps(value, indent=2, default=str, ensure_ascii=False)
            click.echo(without_controls(said, but="\n\t"))  # a reason, a name: a terminal would obey what is in it

    def written(self, to: Path, value: Any, text: str) -> None:
        """As ``result``, after the file ``to`` was written: on stderr where stdout holds the file itself."""
        if is_stdout(to):
            self.hint(json.dumps(value, default=str, ensure_ascii=False) if self.json else text)
        else:
            self.result(value, text)

    def hint(self, text: str) -> None:
        """Say what to do next, on stderr, so that pipes stay clean."""
        click.echo(without_controls(text, but="\n\t"), err=True)

    @contextmanager
    def progress(self, label: str) -> Iterator[Report]:
        """A progress bar on stderr; yields ``report(done, total)``."""
        with bars() as start:
            yield start(label)


@dataclass
class Place:
    """The workspace that a command found to work on, for whoever ends it: its log is where a trace belongs."""

    workspace: Path | None = None


def place_found(settings: Settings) -> None:
    """Tell whoever ends this command which workspace it works on."""
    context = click.get_current_context(silent=True)
    if context is not None and isinstance(context.obj, Place):
        context.obj.workspace = settings.workspace


class Group(click.Group):
    """A group of commands whose list says each one's whole first sentence."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list; click itself would cut each line short."""
        if rows := self.listed(ctx):
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def listed(self, ctx: click.Context) -> list[tuple[str, str]]:
        """Each command's name and the first sentence of its help."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        return [(name, one.get_short_help_str(limit=1000)) for name, one in found if one and not one.hidden]


# A file to write, judged when it is written (`attune.models.files.outputs`): click would want to read it, too.
OUTPUT = click.Path(dir_okay=False, readable=False, path_type=Path)
SHARED = ("workspace", "as_json")
WORKSPACE = click.option(
    "--workspace",
    type=click.Path(file_okay=False),
    help="Folder with everything that Attune writes. Default: ATTUNE_WORKSPACE, or ./workspace.",
)


def command(
    group: click.Group,
    name: str,
    workspace: Literal["needed", "made", "optional"] = "needed",
    example: str = "",
    **options: Any,
) -> Callable[[Callable[..., None]], click.Command]:
    """Add a command to ``group``: its function gets a Shell first, and --workspace and --json are options of it.

    ``workspace``: one that is needed must be there, one that is made need not, and both have migrated records when the
    function is called; for an optional one nothing is looked at. ``example`` is shown under the command's help.
    """

    def decorate(function: Callable[..., None]) -> click.Command:
        @WORKSPACE
        @click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
        @functools.wraps(function)
        def run(as_json: bool, **arguments: Any) -> None:
            settings = reader.build(workspace=arguments.pop("workspace"))
            place_found(settings)
            if workspace != "optional":
                workspace_check.open_records(settings, make=workspace == "made")
            function(Shell(settings, as_json), **arguments)

        built = group.command(name, epilog=shown(example), **options)(run)
        built.params.sort(key=lambda one: one.name in SHARED)  # a command's own options are read first
        return built

    return decorate


def shown(example: str) -> str | None:
    """``example`` as the end of a help text."""
    return f"\b\nFor example:\n  {example}" if example else None


def who() -> str:
    """Who the history names; a container may have no user database."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


def stop(message: str, exit_code: int = 1) -> None:
    """End the command with one sentence on stderr."""
    click.echo(message, err=True)
    sys.exit(exit_code)


def somebody_reads() -> bool:
    """Whether a person is at a terminal, who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
