"""An id is one text, whatever stored it; what is none says why."""

from __future__ import annotations

import io
import json
import unicodedata
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attune.models.files import cell_ids
from attune.models.files.tables import read_table

CELLS: list[tuple[Any, str]] = [
    (0, "0"),
    (7.0, "7"),
    (-0.0, "0"),
    (1e15, "1000000000000000"),
    (7.5, "7.5"),
    (1e-7, "0.0000001"),
    (np.float32(0.1), "0.1"),
    (np.uint64(2**64 - 1), "18446744073709551615"),
    (Decimal("7.00"), "7"),
    (Decimal("1E+15"), "1000000000000000"),
    (Decimal("0.00"), "0"),
    (b"caf\xc3\xa9", "café"),
    (b"a\0\0", "a"),
    (b"7 \0", "7"),
    ("7\0", "7"),
    (b"\0", ""),
    ("cafe\u0301", "café"),
    ("\ufeff 007 ", "007"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (pa.scalar(7.0), "7"),
    (None, ""),
    ("  ", ""),
    (float("nan"), ""),
    (Decimal("NaN"), ""),
]
REFUSED = [True, np.bool_(False), ["a"], {"a": 1}, b"\xff", "a\ud800", float("inf"), 2.0**53, np.float32(2**24)]


@pytest.mark.parametrize(("cell", "meant"), CELLS, ids=repr)
def test_a_cell_is_the_text_it_stands_for(cell: Any, meant: str) -> None:
    assert cell_ids.from_cell(cell) == meant


@pytest.mark.parametrize("cell", REFUSED, ids=repr)
def test_what_is_no_text_or_number_is_refused(cell: Any) -> None:
    with pytest.raises(cell_ids.BadId):
        cell_ids.from_cell(cell)


def _said(cell: Any) -> tuple[str | None, str]:
    try:
        return cell_ids.from_cell(cell) or None, ""
    except cell_ids.BadId as error:
        return None, str(error)


COLUMNS = [
    pa.array(["a", "e\u0301", " ", None]),
    pa.array(["a", "b"], pa.large_string()),
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array([2**64 - 1, 0, None], pa.uint64()),
    pa.array([7.0, 1e15, None, float("nan"), 2.0**60]),
    pa.array([7.0, 2.0**24], pa.float32()),
    pa.array([b"a", b"\xff", b"", None]),
    pa.array([b"ab", b"\xc3\xa9"], pa.binary(2)),
    pa.array([b"7\0", b"a\0b", b"\0", b"a\0 "], pa.binary()),
    pa.array([b"7\0", b"\xff"], pa.binary()),
    pa.array([b"7\0", b"8 "], pa.binary(2)),
    pa.array(["7\0", "a \0"]),
    pa.array([Decimal("7.00"), None], pa.decimal128(9, 2)),
    pa.array([True, None]),
    pa.array([["a"], None]),
    pa.array([0, 2**40], pa.timestamp("s")),
    pa.nulls(2),
]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.type))
def test_a_column_says_what_each_cell_says(column: pa.Array) -> None:
    found, refused = cell_ids.from_column(column)
    assert found.type == pa.string()
    cells = column.to_numpy(zero_copy_only=False) if pa.types.is_floating(column.type) else column
    for place, cell in enumerate(cells):
        assert (found[place].as_py(), refused.get(place, "")) == _said(cell)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=8))
@example(["7\0", "a\0 "])
@example(["\x85a\u2003", "\u200b", "e\u0301 "])
def test_texts_at_once_are_texts_one_by_one(texts: list[str]) -> None:
    found, refused = cell_ids.from_column(pa.array(texts, pa.string()))
    assert found.to_pylist() == [cell_ids.from_cell(text) or None for text in texts]
    assert not refused


# Names as files have them: no control characters, and none that surround an id.
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1, max_size=6))
@example(['"', "007", "a,b", "a;b"])
@example(["'=x", "nan", "None", "1e5", "7.0"])
@example(["cafe\u0301", "[1]", "{}"])
def test_an_id_is_the_same_from_every_format(texts: list[str]) -> None:
    texts = [text for text in texts if cell_ids.normalise(text) and not text.startswith('"')] or ["a"]
    expected = [cell_ids.normalise(text) for text in texts]
    table = pa.table({"asset_id": texts, "note": ["x"] * len(texts)})
    frames = {"csv": io.BytesIO(), "semicolons": io.BytesIO(), "parquet": io.BytesIO()}
    pa.csv.write_csv(table, frames["csv"])
    pa.csv.write_csv(table, frames["semicolons"], pa.csv.WriteOptions(delimiter=";"))
    pq.write_table(table, frames["parquet"])
    rows = table.to_pylist()
    contents = {kind: frame.getvalue() for kind, frame in frames.items()} | {
        "tabs": "".join(
            f"{a}\t{b}\n" for a, b in [("asset_id", "note"), *((r["asset_id"], "x") for r in rows)]
        ).encode(),
        "json lines": "".join(json.dumps(row) + "\n" for row in rows).encode(),
    }
    for kind, content in contents.items():
        read = read_table(content, ["asset_id"])
        assert [cell_ids.from_cell(row.cells["asset_id"]) for row in read.rows] == expected, kind
    assert cell_ids.from_column(pa.array(np.array(texts).tolist()))[0].to_pylist() == expected  # .npz


@given(st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=5), max_size=6))
def test_seen_knows_every_id_that_came_before(batches: list[list[str]]) -> None:
    seen, before = cell_ids.RepeatedIds(), set()
    for batch in batches:
        expected = []
        for name in batch:
            expected.append(name in before)
            before.add(name)
        assert seen.mark_repeated(pa.array(batch, pa.string())).tolist() == expected


def test_both_unicode_forms_are_one_id() -> None:
    assert len({cell_ids.normalise(unicodedata.normalize(form, "é夏")) for form in ("NFC", "NFD", "NFKC")}) == 1


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary(2)], ids=str)
def test_padding_is_no_part_of_a_tables_cell(kind: pa.DataType) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"asset_id": pa.array([b"7\0", b"\xff\xff", b"ab"], kind)}), out)
    assert [row.cells["asset_id"] for row in read_table(out.getvalue(), ["asset_id"]).rows] == ["7", b"\xff\xff", "ab"]


@pytest.mark.parametrize(
    ("text", "digits", "sure", "likely"),
    [
        ("7.0", "7", False, False),
        ("07.00", "07", False, False),
        ("7.5", "", False, False),
        ("7", "", False, False),
        ("1E+15", "", True, True),
        ("1.23457E+11", "", True, True),
        ("1e15", "", False, True),
        ("12e4", "", False, False),
        ("x1e15", "", False, False),
    ],
)
def test_numbers_that_a_program_rewrote_are_known(text: str, digits: str, sure: bool, likely: bool) -> None:
    assert cell_ids.whole_number_digits(text) == digits
    assert (cell_ids.shortened(text, among_numbers=False), cell_ids.shortened(text)) == (sure, likely)
