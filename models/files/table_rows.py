"""A table that a person brought, read: its columns, and each row with where it is and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attune.models.errors import DataError


@dataclass(frozen=True)
class Row:
    """One row: ``number`` counts from 1 without the header, ``line`` is where it begins in a text, 0 elsewhere.

    ``wrong`` says in a few words why it cannot be used, ``detail`` with the numbers.
    """

    number: int
    line: int
    cells: Mapping[str, Any]
    wrong: str = ""
    detail: str = ""

    @property
    def place(self) -> str:
        """Where the row is, as a person looks for it."""
        return f"line {self.line}" if self.line else f"row {self.number}"


@dataclass(frozen=True)
class Table:
    """The columns that a table has, in order, and its rows."""

    names: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def check_once(names: Sequence[str]) -> None:
    """Raise DataError where a column is there more than once."""
    twice = [repr(name) for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(f"has the column {', '.join(twice)} more than once. Rename or delete one of them.")
