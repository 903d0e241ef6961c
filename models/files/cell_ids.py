"""What a file's cell says as an id, by one rule for manifests, vectors, labels and scores.

An id is a text in one Unicode form (NFC, as the records keep it), without white space or a byte-order mark around it.
A whole number is its digits, however the file stored it: 7, 7.0 and decimal 7.00 are "7", 1e15 is "1000000000000000".
Bytes are UTF-8; NUL at the end of texts and bytes pads them and is no part of the id. An empty text, null and NaN are
no id. A text of digits stays what it is, 7.0 too: `whole_number_digits` and `shortened` are for readers who know
more of the column.
"""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# What surrounds an id and is not part of it: str.strip() and Arrow would each take a set of their own.
AROUND = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
AROUND += "\u2028\u2029\u202f\u205f\u3000\ufeff"
_NUL = "\0"
_WHOLE = re.compile(r"([0-9]+)\.0+")
_SHORTENED = re.compile(r"[0-9](\.[0-9]*)?[eE](\+?)[0-9]{1,3}")


class BadId(ValueError):
    """A cell that is no id; the message ends a sentence that begins with the row."""


def normalise(text: str) -> str:
    """``text`` in the form in which ids are kept and compared: NFC, nothing invisible around it."""
    return unicodedata.normalize("NFC", text).strip(AROUND)


def whole_number_digits(text: str) -> str:
    """The digits of a ``text`` such as 7.0, as pandas writes whole numbers of a column with gaps; else ""."""
    found = _WHOLE.fullmatch(text)
    return found.group(1) if found else ""


def shortened(text: str, among_numbers: bool = True) -> bool:
    """Whether ``text`` is a number such as 1E+15, whose other digits a spreadsheet dropped.

    1e15 without a plus may be a name: it counts ``among_numbers`` only.
    """
    match = _SHORTENED.fullmatch(text)
    return match is not None and (among_numbers or bool(match.group(2)))


SHORTENED = "a number that a spreadsheet shortened; format the column as text"


def from_cell(value: Any) -> str:
    """The id that one cell holds, "" where it holds none. Raises BadId where it is no text and no number."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return _bytes(value)
    if isinstance(value, bool | np.bool_):
        raise BadId(f"has {str(bool(value)).lower()} as an id (expected: a text or a number)")
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return _float(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, pa.Scalar):
        return _scalar(value)
    raise BadId(f"has a {type(value).__name__} as an id (expected: a text or a number)")


def from_column(column: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """The ids of an Arrow column (n,) as strings, null where there is none, and why, by place, for those refused.

    Says of each cell what ``from_cell`` says, a column of texts or whole numbers at once.
    """
    if isinstance(column, pa.ExtensionArray) and not pa.types.is_fixed_size_binary(column.storage.type):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    try:
        if pa.types.is_integer(kind):
            return column.cast(pa.string()), {}
        if _is_text(kind):
            return _tidied(pc.utf8_rtrim(column.cast(pa.string()), characters=_NUL)), {}
    except pa.ArrowInvalid:  # bytes that are no UTF-8, in a column that says it is text
        column = column.cast(pa.binary())
    return _one_by_one(_cells(column))


def _is_text(kind: pa.DataType) -> bool:
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in (*texts, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view))


def _tidied(texts: pa.Array) -> pa.Array:
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pc.utf8_normalize(texts, form="NFC")
    texts = pc.utf8_trim(texts, characters=AROUND)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _cells(column: pa.Array) -> list[Any]:
    if pa.types.is_floating(column.type):
        # Not to_pylist: the numbers keep their width, which says how far they are exact.
        return list(column.to_numpy(zero_copy_only=False))
    return list(column)


def _one_by_one(cells: list[Any]) -> tuple[pa.Array, dict[int, str]]:
    cell_ids: list[str | None] = []
    wrong: dict[int, str] = {}
    for place, cell in enumerate(cells):
        try:
            cell_ids.append(from_cell(cell) or None)
        except BadId as error:
            cell_ids.append(None)
            wrong[place] = str(error)
    return pa.array(cell_ids, pa.string()), wrong


def _scalar(value: pa.Scalar) -> str:
    try:
        plain = value.as_py()
    except (ValueError, OverflowError, pa.ArrowException) as error:  # a time, say, that Python has no value for
        raise BadId(f"has a {value.type} as an id (expected: a text or a number)") from error
    return from_cell(plain)


def _text(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadId("has half a character in its id, which is not UTF-8 text") from error
    return normalise(value.rstrip(_NUL))


def _bytes(value: bytes) -> str:
    try:
        return normalise(value.rstrip(b"\0").decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadId(f"has bytes as an id that are not UTF-8 text: {value[:20].hex(' ')}") from error


def _float(value: float | np.floating[Any]) -> str:
    if math.isnan(value):
        return ""
    exact = 2 ** (np.finfo(value).nmant + 1 if isinstance(value, np.floating) else 53)
    if abs(value) >= exact:  # beyond it neighbouring ids are the same number: one of them would be another image's
        raise BadId(f"has {value} as an id, a number that has lost its last digits. Store ids as text")
    return str(int(value)) if value == int(value) else format(Decimal(str(value)), "f")


def _decimal(value: Decimal) -> str:
    if value.is_nan():
        return ""
    if value.is_infinite():
        raise BadId("has infinity as an id (expected: a text or a number)")
    plain = format(value, "f")
    return "0" if value == 0 else plain.rstrip("0").rstrip(".") if "." in plain else plain


class RepeatedIds:
    """Which ids a stream has shown before, at eight bytes an id.

    It compares 64-bit hashes: of ten million ids the chance that one is taken for another is one in 370,000.
    """

    def __init__(self) -> None:
        self._runs: list[npt.NDArray[np.int64]] = []

    def mark_repeated(self, ids: pa.Array) -> npt.NDArray[np.bool_]:
        """Which of ``ids`` (n,) came before, in an earlier call or earlier in this one; takes note of all of them."""
        hashes = np.fromiter(map(hash, ids.to_pylist()), np.int64, len(ids))
        order = np.argsort(hashes, kind="stable")
        ranked = hashes[order]
        again = np.zeros(len(ids), dtype=np.bool_)
        again[order[1:]] = ranked[1:] == ranked[:-1]
        for run in self._runs:
            place = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            again |= run[place] == hashes
        fresh = ranked[np.r_[True, ranked[1:] != ranked[:-1]]] if len(ranked) else ranked
        # Runs of doubling length: each id is sorted in some twenty times, and a few runs are searched.
        while self._runs and len(self._runs[-1]) <= len(fresh):
            fresh = np.union1d(self._runs.pop(), fresh)
        if len(fresh):
            self._runs.append(fresh)
        return again
