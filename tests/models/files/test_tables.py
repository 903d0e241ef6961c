"""A table is what its writer meant: no row is lost, none swallows others, and a bad one is named."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from attune.models.errors import DataError
from attune.models.files.tables import read_table

NAMES = ["asset_id", "class"]


def cells(content: bytes, name: str = "asset_id") -> list[Any]:
    return [row.cells[name] for row in read_table(content, NAMES).rows if not row.wrong]


def wrong(content: bytes) -> list[tuple[int, str]]:
    return [(row.line, row.wrong) for row in read_table(content, NAMES).rows if row.wrong]


LONE = {
    "never closed": (b'asset_id,class,note\n1,y,"hm\n2,n,x\n3,y,z\n', ["1", "2", "3"]),
    "closed by the next": (b'asset_id,class,note\n1,y,"hm\n2,n,x\n3,y,"ho\n4,n,"a, b"\n', ["1", "2", "3", "4"]),
    "tabs, first of a cell": (b'asset_id\tclass\tnote\n1\ty\t"hm\n2\tn\tx\n3\ty\tho"\n', ["1", "2", "3"]),
    "closed in the last cell of the next": (b'asset_id,class,note\n1,y,"open\n2,n,5"\n3,y,z\n', ["1", "2", "3"]),
    "closed two rows later": (b'asset_id,class,note\n1,y,"open\n2,"a, b",x\n3,y,5"\n4,n,\n', ["1", "2", "3", "4"]),
    "empty cells at the ends": (b'asset_id,class,note,\n1,y,"open,\n\n2,n,5",\n', ["1", "2"]),
    "inches": (b'asset_id,class,note\n1,y,5" tall\n2,n,x\n', ["1", "2"]),
    "space after it": (b'asset_id,class\n"1" ,y\n"2",n\n', ["1", "2"]),
}


@pytest.mark.parametrize("name", LONE)
def test_a_lone_quotation_mark_swallows_nothing(name: str) -> None:
    content, expected = LONE[name]
    assert cells(content) == expected
    assert wrong(content) == []


MEANT = {
    "quoted tabs": (b'"asset_id"\t"class"\n"1"\t"a b"\n', ["1"]),
    "tabs inside quotes": (b'asset_id\tclass\n"a\tb"\ty\nc\tn\n', ["a\tb", "c"]),
    "doubled marks between tabs": (b'asset_id\tclass\n"a""b"\ty\n', ['a"b']),
    "sep line": (b"sep=;\r\nasset_id;class\r\n1,5;y\r\n", ["1,5"]),
    "commas in the header's names": (b"asset_id;class, one, of, two\n1;y\n", ["1"]),
    "byte-order mark": (b"\xef\xbb\xbfasset_id,class\n007,y\n", ["007"]),
    "UTF-16": ("asset_id\tclass\r\n007\té\r\n".encode("utf-16"), ["007"]),
    "old line ends": (b"asset_id,class\r1,y\r2,n\r", ["1", "2"]),
    "blank lines": (b"\n\nasset_id,class\n\n1,y\n,,\n  \n2,n\n\n", ["1", "2"]),
    "an index without a name": (b",asset_id,class\n0,a,y\n", ["a"]),
    "delimiters at the ends": (b"asset_id,class,,\n1,y,,\n2,n\n", ["1", "2"]),
    "a note of several lines": (b'asset_id,class,note\n1,y,"one\ntwo, of\n\n3"\n2,n,"\nx"\n', ["1", "2"]),
    "a note in the midst": (b'asset_id,note,class\n1,"one, a\ntwo, b",y\n2,x,n\n', ["1", "2"]),
    "a note of several lines between tabs": (b'asset_id\tclass\tnote\n1\ty\t"one\ntwo"\n2\tn\tx\n', ["1", "2"]),
    "a break inside quotes": (b'asset_id,class\n1,"y\nes"\n2,n\n', ["1", "2"]),
    "header only": (b"asset_id,class\n", []),
    "one object": (b'{"asset_id": "1"}', ["1"]),
    "JSON list": (b'[{"asset_id": "1"}, {"asset_id": "2"}]', ["1", "2"]),
    "JSON lines": (b'{"asset_id": "1"}\r\n\r\n{"class": "y", "asset_id": "2"}\r\n', ["1", "2"]),
}


@pytest.mark.parametrize("name", MEANT)
def test_a_table_is_what_its_writer_meant(name: str) -> None:
    content, expected = MEANT[name]
    assert cells(content) == expected
    assert wrong(content) == []


STRAY = [
    b'asset_id,class,note\n1,y,"open\n2\n3,y,5"\n4,n,x\n',
    b'asset_id\tclass\tnote\n1\ty\t"open\n2\n3\ty\tx"\n4\tn\tx\n',
]


@pytest.mark.parametrize("content", STRAY, ids=["commas", "tabs"])
def test_a_ragged_row_between_stray_marks_is_named(content: bytes) -> None:
    assert cells(content) == ["1", "3", "4"]
    assert wrong(content) == [(3, "too few fields")]


@pytest.mark.parametrize("size", [140_000, 2_000_000])
@pytest.mark.parametrize("delimiter", [b",", b"\t"])
def test_a_field_of_a_megabyte_is_a_field(size: int, delimiter: bytes) -> None:
    rows = [b"asset_id", b"class"], [b"1", b"x" * size], [b"2", b"y"]
    content = b"\n".join(delimiter.join(row) for row in rows)
    assert cells(content) == ["1", "2"]
    assert len(cells(content, "class")[0]) == size


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_ragged_rows_are_named_by_their_line(delimiter: str) -> None:
    content = "asset_id,class\n1,y\n2\n3,n,z\n\n4,y\n".replace(",", delimiter).encode()
    assert cells(content) == ["1", "4"]
    assert wrong(content) == [(3, "too few fields"), (4, "too many fields")]


def test_a_bad_line_of_json_is_named() -> None:
    content = b'{"asset_id": 7.0}\noops\n[1]\n{"asset_id": 1, "asset_id": 2}\n{"asset_id": 1e15}'
    assert cells(content) == [7.0, 1e15]
    assert wrong(content) == [(2, "no JSON"), (3, "no row of a table"), (4, "a name appears twice")]


def _parquet(columns: list[pa.Array], names: list[str]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, names=names), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"asset_id,class, class\n1,y,n\n", "'class' more than once"),
        (b"asset_id\tasset_id\n1\t2\n", "'asset_id' more than once"),
        (_parquet([pa.array(["1"])] * 2, ["asset_id", "asset_id"]), "'asset_id' more than once"),
        (b"asset_id\ncaf\xe9\n", "line 2"),
        (b"[1, 2", "is not valid JSON"),
        (b'{"asset_id": ', "line 1, column 13 is not valid JSON"),
        (b"PAR1 but not really", "not a Parquet"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(content, NAMES)


def test_cells_of_parquet_are_text_where_they_can() -> None:
    late = pa.array([0, 2**40], pa.timestamp("s"))
    content = _parquet([pa.array([b"a", b"\xff"]), pa.array(["x", "x"]).dictionary_encode(), late], ["a", "b", "c"])
    one, two = read_table(content, NAMES).rows
    assert (one.cells["a"], two.cells["a"]) == ("a", b"\xff")
    assert (one.cells["b"], two.cells["c"]) == ("x", "(cannot be read)")


CELL = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=5)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6)
)


@given(rows=TABLES, delimiter=st.sampled_from(",;"), end=st.sampled_from(["\n", "\r\n"]))
def test_what_a_csv_writer_wrote_is_read(rows: list[list[str]], delimiter: str, end: str) -> None:
    header = ["asset_id", "class", "c", "d"][: len(rows[0])]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows([header, *rows])
    read = read_table(out.getvalue().encode(), NAMES)
    # Lines of a note that are as wide as the header cannot be told from rows between two stray marks.
    assume(not any("\n" in cell and (delimiter in cell or len(row) < 3) for row in rows for cell in row))
    there = [row for row in rows if any(cell.strip() for cell in row)]
    assert [list(row.cells.values()) for row in read.rows] == there
    assert not any(row.wrong for row in read.rows)


@given(st.text(st.sampled_from('ab,;\t"\n\r 1'), max_size=60))
def test_rows_read_and_left_out_are_all_rows(text: str) -> None:
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip(' ,;\t"')]
    read = read_table(("asset_id,class\n" + text).encode(), NAMES)
    starts = [row.line for row in read.rows]
    assert starts == sorted(set(starts))
    shown = "".join(str(cell) for row in read.rows for cell in row.cells.values())
    if '"' not in text:
        assert len(read.rows) >= len(lines)
        assert len(read.rows) <= len([line for line in text.replace("\r", "\n").split("\n") if line.strip()])
    for letter in "ab1":
        ragged = any(row.wrong for row in read.rows)
        assert ragged or shown.count(letter) == text.count(letter), "a letter of a row that counts as whole is lost"


@given(rows=st.lists(st.sampled_from(["1,y", "2,n", '3,"a, b"', '4,"q""q"']), max_size=6), place=st.integers(0, 6))
@pytest.mark.parametrize("bad", ["5", "5,y,z", '5,y,"hm', '"5,y,z', '5,"y"x,"'])
def test_a_bad_row_leaves_the_others_as_they_are(bad: str, rows: list[str], place: int) -> None:
    assume(place <= len(rows))
    header = "asset_id,class\n"
    alone = read_table((header + "\n".join(rows)).encode(), NAMES)
    mixed = read_table((header + "\n".join([*rows[:place], bad, *rows[place:]])).encode(), NAMES)
    kept = [dict(row.cells) for row in mixed.rows if row.number != place + 1]
    assert kept == [dict(row.cells) for row in alone.rows]
    assert mixed.rows[place].wrong
    assert mixed.rows[place].line == place + 2


@given(
    between=st.lists(st.sampled_from(["5,y,z", "6,n", "7,y,z,z", '8,"a",5"']), max_size=4),
    after=st.lists(st.sampled_from(["9,y,z", '10,n,"q"', "11"]), max_size=3),
    delimiter=st.sampled_from(",;\t"),
)
def test_two_stray_marks_swallow_no_row(between: list[str], after: list[str], delimiter: str) -> None:
    lines = ['1,y,"open', *between, '4,n,5"', *after]
    read = read_table("\n".join(["asset_id,class,note", *lines]).replace(",", delimiter).encode(), NAMES)
    assert [row.line for row in read.rows] == list(range(2, len(lines) + 2))
    assert [bool(row.wrong) for row in read.rows] == [line.count(",") != 2 for line in lines]
    assert [row.cells["asset_id"] for row in read.rows] == [line.split(",")[0] for line in lines]


@given(
    st.lists(st.dictionaries(st.sampled_from(["asset_id", "class"]), st.integers() | st.text(max_size=3)), min_size=1)
)
def test_json_lines_and_a_json_list_say_the_same(rows: list[dict[str, Any]]) -> None:
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    one, two = read_table(lines, NAMES), read_table(json.dumps(rows).encode(), NAMES)
    assert [row.cells for row in one.rows] == [row.cells for row in two.rows] == rows


def test_a_few_broken_lines_are_told_one_by_one_and_a_thousand_refused() -> None:
    read = read_table(b'{"a": 1}\n{\n\n"text"\n{"a": 2}', [])
    assert [(row.number, row.line, row.wrong) for row in read.rows] == [
        (1, 1, ""),
        (2, 2, "no JSON"),
        (3, 4, "no row of a table"),
        (4, 5, ""),
    ]
    with pytest.raises(DataError, match="has 1,000 lines that are not JSON, the last is line 1001"):
        read_table(b'{"a": 1}\n' + b"{\n" * 1_900_000, [])
