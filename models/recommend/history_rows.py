"""A viewing history as people bring it: rows of user, id, rating and timestamp; bad rows are left out and counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from attune.models.errors import DataError
from attune.models.files import tables
from attune.models.files.cell_ids import normalise
from attune.models.recommend.history import History

COLUMNS = ("user", "id", "rating", "timestamp")
LIKED = 3.5  # a rating of at least this is a like; without ratings every row is one
MOST_ROWS = 2_000_000  # of a Parquet or Arrow file
ONE = "you"  # the user of a list of titles without one


@dataclass(frozen=True)
class Watch:
    """One row: ``title`` is what ``id`` was found to mean; ``liked`` is also true without ratings."""

    user: str
    title: str
    liked: bool
    at: float


@dataclass(frozen=True)
class ReadHistory:
    """Rows, oldest first, and how many rows were left out for which reason."""

    rows: Sequence[Watch]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def by_user(self) -> dict[str, list[Watch]]:
        """The rows of each user, oldest first."""
        found: dict[str, list[Watch]] = {}
        for row in self.rows:
            found.setdefault(row.user, []).append(row)
        return found


def likes(read: ReadHistory, titles: Sequence[str]) -> History:
    """The likes of a history as numbers; ``titles`` are the names by number, and have every title of ``read``.

    ``left_out`` counts the rows that were left out, and those that are no like.
    """
    number = {name: place for place, name in enumerate(titles)}
    liked = [row for row in read.rows if row.liked]
    users, user = np.unique(np.array([row.user for row in liked], dtype=np.str_), return_inverse=True)
    return History(
        user.reshape(-1).astype(np.intp),
        np.array([number[row.title] for row in liked], dtype=np.intp),
        np.array([row.at for row in liked], dtype=np.float64),
        tuple(users.tolist()),
        tuple(titles),
        sum(read.left_out.values()) + len(read.rows) - len(liked),
    )


def read(content: bytes, titles: Mapping[str, str]) -> ReadHistory:
    """The history in a CSV or Parquet file; ``titles`` gives the title of each title's or image's id.

    Raises DataError where the file is no table, or lacks the columns user and id.
    """
    try:
        table = tables.read_table(content, COLUMNS, MOST_ROWS)
    except DataError as error:
        raise DataError(f"The history {error}") from error
    missing = [name for name in COLUMNS[:2] if name not in table.names]
    if missing:
        raise DataError(
            f"The history has the columns {', '.join(table.names)[:200] or '(none)'}, but not {' and '.join(missing)}. "
            "Expected user and id (a title_id or an asset_id), and, where known, rating and timestamp."
        )
    return of_cells([(row.wrong, row.cells) for row in table.rows], titles)


def of_cells(cells: Sequence[tuple[str, Mapping[str, Any]]], titles: Mapping[str, str]) -> ReadHistory:
    """The history of rows, each with what is wrong with it already (or nothing) and its cells."""
    left_out: Counter[str] = Counter()
    rows = []
    for number, (wrong, row) in enumerate(cells):
        found = wrong or _watch(number, row, titles)
        if isinstance(found, Watch):
            rows.append(found)
        else:
            left_out[found] += 1
    return ReadHistory(sorted(rows, key=lambda one: one.at), dict(left_out.most_common()))


def _watch(number: int, row: Mapping[str, Any], titles: Mapping[str, str]) -> Watch | str:
    """The row as a ``Watch``, or why it is left out."""
    user, named = str(row.get("user") or "").strip(), normalise(str(row.get("id") or ""))
    if not user:
        return "no user"
    if not named:
        return "no id"
    if named not in titles:
        return "the id is no title and no image of the pool"
    rating, at = _number(row.get("rating"), LIKED), _number(row.get("timestamp"), float(number))
    if rating is None:
        return "the rating is not a number"
    if at is None:
        return "the timestamp is not a number"
    return Watch(user, titles[named], rating >= LIKED, at)


def _number(cell: Any, otherwise: float) -> float | None:
    """The number in a cell, ``otherwise`` in an empty one, None for what is no number."""
    if cell is None or str(cell).strip() == "":
        return otherwise
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
