"""Rows as CSV, Parquet and JSON: UTF-8, columns in one order, times as ISO 8601 in UTC.

A cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a line break) gets an apostrophe
in front, and so does one that begins with an apostrophe, so that reading takes away exactly what writing put there.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attune.models.clock import iso

ANSWER_COLUMNS = (
    "asset_id", "title_id", "uri", "expert", "class", "purpose", "revision", "answered_at", "updated_at", "inclusion",
    "holds",
)  # fmt: skip
AGREED_COLUMNS = ("asset_id", "title_id", "uri", "label", "weight", "answers", "reserved")
_TYPES = {
    "revision": pa.int64(),
    "answers": pa.int64(),
    "answered_at": pa.timestamp("us", tz="UTC"),
    "updated_at": pa.timestamp("us", tz="UTC"),
    "inclusion": pa.float64(),
    "weight": pa.float64(),
    "holds": pa.bool_(),
    "reserved": pa.bool_(),
}
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


def columns_of(classes: Sequence[str], agreed: bool) -> list[str]:
    """The columns of an export, in order; an agreed one has a share for each class at its end."""
    return [*AGREED_COLUMNS, *(f"share {name}" for name in classes)] if agreed else list(ANSWER_COLUMNS)


def guarded(text: str) -> str:
    """``text`` so that no spreadsheet runs it; ``bare`` undoes it."""
    return f"'{text}" if text.startswith((*RISKY, "'")) else text


def bare(text: str) -> str:
    """What ``guarded`` was given; a text that it did not make comes back as it is."""
    return text[1:] if text.startswith("'") and text[1:].startswith((*RISKY, "'")) else text


def write_csv(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> bytes:
    """The rows as CSV with a header, comma separated, lines ended by CR LF (RFC 4180)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([guarded(name) for name in columns])
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso(value)
    return guarded(value) if isinstance(value, str) else repr(value)


def write_parquet(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> bytes:
    """The rows as Parquet, each column of one type however many rows there are."""
    schema = pa.schema([pa.field(name, _type(name)) for name in columns])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([{name: row[name] for name in columns} for row in rows], schema=schema), sink)
    return bytes(sink.getvalue().to_pybytes())


def _type(name: str) -> pa.DataType:
    return _TYPES.get(name, pa.float64() if name.startswith("share ") else pa.string())


def write_json(rows: Sequence[dict[str, Any]], about: dict[str, Any]) -> bytes:
    """The rows as one JSON document below what they are ``about``."""
    plain = [
        {name: iso(value) if isinstance(value, datetime) else value for name, value in row.items()} for row in rows
    ]
    return (json.dumps(about | {"labels": plain}, indent=1, ensure_ascii=False) + "\n").encode()
