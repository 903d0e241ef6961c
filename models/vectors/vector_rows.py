"""One column of vectors, read row by row: what can be used as a matrix, and why each other row cannot.

A vector is d finite numbers, d the same for the whole file. Dimensions of size 1 before the entries, such as the batch
dimension in ``[[…]]``, are dropped. Lists, fixed-size lists and tensor columns are read alike; a text is read as JSON.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from attune.models.errors import DataError

LARGEST = 65_504.0  # the largest half-precision number; no embedding is that long
SMALLEST = 1e-8


@dataclass(frozen=True)
class Wrong:
    """Why a row is left out: ``kind`` in two or three words that are counted by, ``why`` goes on after the row's id."""

    kind: str
    why: str


@dataclass(frozen=True, eq=False)
class Noted:
    """A column as ``lists`` of numbers (n,), the rows that are something else, and the ``lengths`` (n,), 0 for none."""

    lists: pa.Array
    wrong: dict[int, Wrong]
    lengths: npt.NDArray[Any]


NO_VECTOR = Wrong("no vector", "has no vector")
NOT_FINITE = Wrong("not finite", "contains NaN or infinity")
ZEROS = Wrong("all zeros", "is all zeros")


class Columns:
    """Turns columns of one file into matrices of one ``width``.

    Each column is noted first. ``width`` is 0 until it is settled: on ``expected`` as soon as one row has that length,
    else on the commonest length of the rows that were noted.
    """

    def __init__(self, expected: int = 0) -> None:
        self.expected, self.width = expected, 0
        self._noted: Counter[int] = Counter()

    @property
    def noted(self) -> int:
        """How many rows with a vector were noted while the width was open."""
        return self._noted.total()

    def note(self, column: pa.Array) -> Noted:
        """``column`` (n,) made ready for ``matrix``. Raises DataError where its type is one that holds no vectors."""
        lists, wrong = _lists(column)
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
        if not self.width:
            self._noted.update(lengths[lengths > 0].tolist())
            if self.expected in self._noted:
                self.width = self.expected
        return Noted(lists, wrong, lengths)

    def matrix(self, noted: Noted) -> tuple[npt.NDArray[Any], dict[int, Wrong]]:
        """The rows (n,) as numbers (n, width), zeros where a row is wrong, and those rows with why."""
        lists, wrong, lengths = noted.lists, noted.wrong, noted.lengths
        for place in np.flatnonzero((lengths != self.width) | (lengths == 0)).tolist():
            if place not in wrong:
                wrong[place] = self._length(int(lengths[place]))
        good = np.ones(len(lists), dtype=np.bool_)
        good[list(wrong)] = False
        if not self.width:
            return np.zeros((len(lists), 0), dtype=np.float32), wrong
        values = (lists if not wrong else lists.filter(pa.array(good))).flatten().to_numpy(zero_copy_only=False)
        if not wrong:
            return values.reshape(len(lists), self.width), wrong
        matrix = np.zeros((len(lists), self.width), dtype=values.dtype)
        matrix[good] = values.reshape(-1, self.width)
        return matrix, wrong

    def settle_width(self) -> None:
        """Settle the width by the rows noted so far. Raises DataError where no length is the commonest."""
        if self.width or not self._noted:
            return
        first, *further = self._noted.most_common()
        if further and further[0][1] == first[1]:
            lengths_text = ", ".join(map(str, sorted(self._noted)[:5]))
            raise DataError(f"has vectors of several lengths ({lengths_text}), and none is the most common")
        self.width = first[0]

    def _length(self, length: int) -> Wrong:
        if not length:
            return NO_VECTOR
        return Wrong("another length", f"has length {length}, the others have length {self.width}")


def to_float_rows(
    matrix: npt.NDArray[Any], wrong: dict[int, Wrong]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """``matrix`` (n, d) as float32 and the length of each row, float64 (n,); adds to ``wrong`` what cannot be used."""
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
        values = np.asarray(matrix, dtype=np.float32)
    for place in np.flatnonzero(~((norms > SMALLEST) & (norms <= LARGEST))).tolist():
        if place not in wrong:
            wrong[place] = _row_problem(matrix[place], float(norms[place]))
    return values, norms


def _row_problem(row: npt.NDArray[Any], norm: float) -> Wrong:
    if not np.isfinite(row).all():
        return NOT_FINITE
    if norm <= SMALLEST:
        return ZEROS
    return Wrong("too large", f"contains {np.abs(row).max():.3g}, more than any encoder makes (at most {LARGEST:,.0f})")


def _lists(column: pa.Array) -> tuple[pa.Array, dict[int, Wrong]]:
    """``column`` as lists of numbers, one a row, null where it has none, and the rows that are something else."""
    wrong: dict[int, Wrong] = {}
    if isinstance(column, pa.ExtensionArray):
        column = _of_shape(column)
    while _is_list(column.type) and _is_list(column.type.value_type):
        column = _only_entry(column, wrong)
    kind = column.type
    if _is_list(kind) and (pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type)):
        return column, wrong
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)
    if not texts and not _is_list(kind):
        raise DataError(f"has vectors of type {kind}")
    return _one_by_one(column.to_pylist(), wrong), wrong


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _of_shape(column: pa.ExtensionArray) -> pa.Array:
    """The storage of a tensor column, which is flat: of (1, d) it is the d entries."""
    shape = getattr(column.type, "shape", None)
    if shape is not None and any(size != 1 for size in list(shape)[:-1]):
        raise DataError(f"has tensors of shape {list(shape)} for vectors")
    return column.storage


def _only_entry(column: pa.Array, wrong: dict[int, Wrong]) -> pa.Array:
    """Of lists of lists the inner list of each row, where it is the only one."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    for place in np.flatnonzero(lengths > 1).tolist():
        wrong.setdefault(
            place, Wrong("several vectors", f"has {lengths[place]} lists of numbers instead of one vector")
        )
    inner = pc.list_element(column.filter(pa.array(lengths == 1)), 0)
    place = np.where(lengths == 1, np.cumsum(lengths == 1) - 1, 0)
    return inner.take(pa.array(place, mask=lengths != 1))


def _one_by_one(cells: list[Any], wrong: dict[int, Wrong]) -> pa.Array:
    rows: list[list[float] | None] = []
    for place, cell in enumerate(cells):
        try:
            entries = _parsed(cell)
            rows.append(None if entries is None else [float(entry) for entry in entries])
        except (TypeError, ValueError, RecursionError):
            wrong.setdefault(
                place, Wrong("not numbers", f"contains {str(cell)[:40]!r}, which is not a list of numbers")
            )
            rows.append(None)
    return pa.array(rows, pa.list_(pa.float64()))


def _parsed(cell: Any) -> list[Any] | None:
    entries = json.loads(cell) if isinstance(cell, str) and cell.strip() else cell or None
    while isinstance(entries, list) and len(entries) == 1 and isinstance(entries[0], list):
        entries = entries[0]
    if entries is not None and not isinstance(entries, list):
        raise TypeError("no list")
    if entries is not None and any(isinstance(entry, bool) for entry in entries):
        raise TypeError("no numbers")
    return entries
