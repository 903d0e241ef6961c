"""Viewing histories: who liked which title, and when, as arrays of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError

Ints = npt.NDArray[np.intp]
LIKED = 3.5  # a rating of at least this is a like; without ratings every row is one
COLUMNS = ("user", "id", "rating", "timestamp")


@dataclass(frozen=True, eq=False)
class History:
    """Likes, one a row, oldest first: ``user`` (m,) and ``title`` (m,) are numbers, ``at`` (m,) the time in seconds.

    ``users`` and ``titles`` are their names; ``left_out`` counts rows whose title nobody knows, or that are no like.
    """

    user: Ints
    title: Ints
    at: npt.NDArray[np.float64]
    users: tuple[str, ...]
    titles: tuple[str, ...]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.user)

    def where(self, kept: npt.NDArray[np.bool_]) -> History:
        """The likes that ``kept`` (m,) bool lets through, with the same numbers of users and titles."""
        return History(self.user[kept], self.title[kept], self.at[kept], self.users, self.titles, self.left_out)

    def by_user(self) -> dict[int, Ints]:
        """Titles that each user liked, in the order of time, each once."""
        order = np.argsort(self.user, kind="stable")
        found, starts = np.unique(self.user[order], return_index=True)
        lists = np.split(self.title[order], starts[1:])
        return {int(user): _each_once(one) for user, one in zip(found, lists, strict=True)}


def read_history(path: Path, titles: Mapping[str, int], names: tuple[str, ...]) -> History:
    """The likes of a CSV file with the columns user, id and, where known, rating and timestamp (seconds).

    ``titles`` gives the number of each id, a title's or an asset's; ``names`` the titles by number. Without a timestamp
    the order of rows is the order of time. Raises DataError for missing columns and for values that are no numbers.
    """
    from pyarrow import ArrowInvalid, csv

    try:
        table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types={"user": "string", "id": "string"}))
    except (ArrowInvalid, OSError) as error:
        raise DataError(f"{path} cannot be read as CSV. Expected a header with {', '.join(COLUMNS)}.") from error
    missing = [name for name in COLUMNS[:2] if name not in table.column_names]
    if missing:
        raise DataError(
            f"{path} has the columns {', '.join(table.column_names)}, but not {', '.join(missing)}. Expected user and "
            "id, and, where known, rating and timestamp."
        )
    count = table.num_rows
    rating = _numbers(table, "rating", np.full(count, 5.0), path)
    at = _numbers(table, "timestamp", np.arange(count, dtype=np.float64), path)
    number = np.array([titles.get(str(one), -1) for one in table["id"].to_pylist()], dtype=np.intp).reshape(-1)
    kept = (number >= 0) & (rating >= LIKED)
    users, user = np.unique(np.array(table["user"].to_pylist(), dtype=np.str_)[kept], return_inverse=True)
    order = np.argsort(at[kept], kind="stable")
    return History(
        user.reshape(-1)[order], number[kept][order], at[kept][order], tuple(users.tolist()), names, int((~kept).sum())
    )


def _numbers(table: object, name: str, otherwise: npt.NDArray[np.float64], path: Path) -> npt.NDArray[np.float64]:
    if name not in table.column_names:  # type: ignore[attr-defined]
        return otherwise
    try:
        values = np.array(table[name].to_pylist(), dtype=np.float64)  # type: ignore[index]
    except (TypeError, ValueError) as error:
        raise DataError(f"The column {name} of {path} has values that are not numbers. Expected numbers.") from error
    if not np.isfinite(values).all():
        raise DataError(
            f"The column {name} of {path} has rows without a number. Fill them in, or leave the column out."
        )
    return values


def _each_once(titles: Ints) -> Ints:
    _, first = np.unique(titles, return_index=True)
    return titles[np.sort(first)]
