"""Tables for people: no word is ever broken; where a terminal is too narrow for columns, each row is a paragraph."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attune.models.text import without_controls

UNLIMITED = 10_000  # columns, where the output goes to a file or to another program
GAP = 3  # what a column costs beside its words


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns, as ``table`` makes them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    title: str | None = None

    def print(self, width: int | None = None) -> None:
        """Write it to stdout, ``width`` columns wide (that of the terminal unless given)."""
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text

        width = width or terminal_width()
        console = Console(width=width, soft_wrap=False, highlight=False)
        if (widths := self._widths(width)) is None:
            console.print(Text(self._paragraphs()), soft_wrap=True)
            return
        rich_table = RichTable(title=self.title, title_justify="left")
        for name, each, numeric in zip(self.columns, widths, self.numeric, strict=True):
            rich_table.add_column(Text(name), justify="right" if numeric else "left", width=each)
        for row in self.rows:
            rich_table.add_row(*map(Text, row))
        console.print(rich_table)

    def _widths(self, width: int) -> list[int] | None:
        """How wide each column becomes; None where even the longest words do not fit side by side."""
        cells = list(zip(self.columns, *self.rows, strict=True))
        least = [max(max(map(len, cell.split()), default=0) for cell in column) for column in cells]
        widths = [max(map(len, column)) for column in cells]
        room = width - GAP * len(self.columns) - 1
        if sum(least) > room:
            return None
        while (over := sum(widths) - room) > 0:
            index = max(range(len(widths)), key=lambda i: widths[i] - least[i])
            widths[index] = max(least[index], widths[index] - max(1, over // 2))
        return widths

    def _paragraphs(self) -> str:
        blocks = [
            key_value_lines({name: cell for name, cell in zip(self.columns, row, strict=True) if cell})
            for row in self.rows
        ]
        return "\n\n".join([*filter(None, [self.title]), *blocks]) or "(none)"


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> Table:
    """A table for people: numbers to the right, empty cells for None."""
    numeric = tuple(
        bool(rows) and all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        for index in range(len(columns))
    )
    return Table(tuple(columns), tuple(tuple(map(_cell, row)) for row in rows), numeric, title)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else without_controls(str(value), but="\n\t")


def key_value_lines(pairs: Mapping[str, Any]) -> str:
    """``key: value`` lines, aligned."""
    width = max((len(key) for key in pairs), default=0)
    return "\n".join(
        f"{key:<{width}}  {_cell(value) if isinstance(value, str) else value}" for key, value in pairs.items()
    )


def terminal_width() -> int:
    """Columns of the terminal, or of COLUMNS; a pipe has no limit."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return max(shutil.get_terminal_size().columns, 20)
    return UNLIMITED
