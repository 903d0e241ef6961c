"""What every command shares: --workspace and --json, one sink for results, progress bars on stderr."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from labeler import settings as reader
from labeler.settings import Settings


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
            Console().print(text)
        else:
            click.echo(text if text is not None else json.dumps(value, indent=2, default=str, ensure_ascii=False))

    def hint(self, text: str) -> None:
        """Say what to do next, on stderr, so that pipes stay clean."""
        click.echo(text, err=True)

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar on stderr; yields ``report(done, total)``. Silent where stderr is no terminal."""
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(label, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> Table:
    """A table for people: numbers to the right, empty cells for None."""
    made = Table(title=title, title_justify="left")
    for index, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        made.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*["" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row])
    return made


def command(group: click.Group, name: str, **options: Any) -> Callable[[Callable[..., None]], click.Command]:
    """Add a command to ``group``: its function gets a Shell first, and --workspace and --json are options of it."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @click.option(
            "--workspace", type=click.Path(file_okay=False), help="Folder that holds everything a run writes."
        )
        @click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
        @functools.wraps(function)
        def run(workspace: str | None, as_json: bool, **arguments: Any) -> None:
            function(Shell(reader.build(workspace=workspace), as_json), **arguments)

        return group.command(name, **options)(run)

    return decorate


def named(pairs: Mapping[str, Any]) -> str:
    """``key: value`` lines, aligned."""
    width = max((len(key) for key in pairs), default=0)
    return "\n".join(f"{key:<{width}}  {value}" for key, value in pairs.items())


def stop(message: str, exit_code: int = 1) -> None:
    """End the command with one sentence on stderr."""
    click.echo(message, err=True)
    sys.exit(exit_code)
