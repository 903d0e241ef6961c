"""What leaves: every answer once, the agreed label beside it, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.labeler.answers import counting, totals
from attune.labeler.exchange import export_files, export_tables
from attune.labeler.records.schema import Annotation, Asset, AttributeRevision
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnknownAttribute
from tests.labeler.exchange.conftest import CLASSES, NOON


def table(settings: Settings, agreed: bool = False) -> list[dict[str, str]]:
    content = export_files.export(settings, "romance", "csv", agreed).content
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_each_experts_newest_answer_on_each_image_is_one_row(answered: Settings) -> None:
    rows = table(answered)
    assert [(row["asset_id"], row["expert"][:3], row["class"]) for row in rows] == [
        ("'@sum(a1)", "ana", "'=friendship"),
        ("a0", "ana", "romance"),
        ("a0", "bo@", "'=friendship"),
        ("a2", "ana", "unsure"),
        ("a3", "bo@", "skip"),
        ("a4", "ana", "neither"),
        ("a5", "ana", "neither"),
    ]
    audit = rows[5]
    assert (audit["purpose"], audit["inclusion"], audit["holds"]) == ("audit", "0.25", "true")
    assert audit["answered_at"] == "2026-03-01T12:05:00.000000Z"
    assert list(rows[0]) == list(export_tables.ANSWER_COLUMNS)


def test_answers_of_an_older_definition_say_that_they_hold_no_more(answered: Settings) -> None:
    with writing(answered) as session:
        session.add(
            AttributeRevision(
                attribute_id=1,
                revision=2,
                content={},
                answers_hold=False,
                created_at=NOON + timedelta(hours=1),
                reason="r",
            )
        )
    assert {row["holds"] for row in table(answered)} == {"false"}
    assert table(answered, agreed=True) == []


def test_a_removed_image_leaves_with_its_answers(answered: Settings) -> None:
    with writing(answered) as session:
        session.get_one(Asset, 1).removed_at = NOON
    rows = table(answered)
    assert "a0" not in {row["asset_id"] for row in rows}
    with reading(answered) as session:
        counted, gone = counting.total(session, 1), totals.on_removed(session, 1)
    assert (gone, sum(row["class"] != "skip" for row in rows)) == (2, counted - 2), "the page names what is not there"


def test_the_agreed_labels_are_those_that_a_probe_learns_from(answered: Settings) -> None:
    rows = {row["asset_id"]: row for row in table(answered, agreed=True)}
    assert list(rows) == ["'@sum(a1)", "a0", "a2", "a4", "a5"]  # a skip is no label
    assert rows["a0"]["label"] == ""  # one says this, one says that
    assert rows["a0"]["answers"] == "2"
    assert [float(rows["a0"][f"share {name}"]) for name in CLASSES] == [0.5, 0.5, 0.0]
    assert (rows["a5"]["label"], rows["a5"]["weight"]) == ("neither", "1.0")
    assert (rows["a2"]["label"], rows["a2"]["weight"]) == ("", "0.25")
    reserved = {row["title_id"]: row["reserved"] for row in rows.values()}
    assert set(reserved.values()) <= {"true", "false"}


def test_parquet_and_json_hold_what_csv_holds(answered: Settings) -> None:
    parquet = pq.read_table(pa.BufferReader(export_files.export(answered, "romance", "parquet").content))
    assert parquet.schema.field("updated_at").type == pa.timestamp("us", tz="UTC")
    plain = json.loads(export_files.export(answered, "romance", "json").content)
    assert plain["classes"] == list(CLASSES)
    for column, bare in (("asset_id", export_tables.bare), ("class", export_tables.bare), ("purpose", str)):
        held = [bare(row[column]) for row in table(answered)]
        assert parquet.column(column).to_pylist() == held == [row[column] for row in plain["labels"]]


def test_the_same_records_give_the_same_bytes(answered: Settings) -> None:
    for kind in ("csv", "parquet", "json"):
        for agreed in (False, True):
            first, second = (export_files.export(answered, "romance", kind, agreed) for _ in range(2))
            assert first == second


def test_an_attribute_without_answers_gives_a_table_with_columns_and_no_rows(pool: Settings) -> None:
    assert export_files.export(pool, "romance", "csv").content.decode().splitlines() == [
        ",".join(export_tables.ANSWER_COLUMNS)
    ]
    for agreed in (False, True):
        empty = pq.read_table(pa.BufferReader(export_files.export(pool, "romance", "parquet", agreed).content))
        assert (empty.num_rows, empty.column_names[0]) == (0, "asset_id")
    assert json.loads(export_files.export(pool, "romance", "label-studio").content) == []


def test_label_studio_gets_a_task_an_image_with_an_address_a_browser_can_open(answered: Settings) -> None:
    tasks = json.loads(export_files.export(answered, "romance", "label-studio").content)
    (both,) = (task for task in tasks if task["data"]["asset_id"] == "a0")
    assert both["data"]["image"].startswith(f"{answered.web_address}/media/")
    assert [one["result"][0]["value"]["choices"] for one in both["annotations"]] == [["romance"], ["=friendship"]]
    (skipped,) = (task for task in tasks if task["data"]["asset_id"] == "a3")
    assert skipped["annotations"][0]["was_cancelled"] is True
    assert all("completed_by" not in one for task in tasks for one in task["annotations"])


def test_label_studio_gets_the_seconds_of_all_looks_as_it_adds_them_up_itself(answered: Settings) -> None:
    with writing(answered) as session:
        session.get_one(Annotation, 1).total_seconds = 9.5
    tasks = json.loads(export_files.export(answered, "romance", "label-studio").content)
    seconds = {one["id"]: one["lead_time"] for task in tasks for one in task["annotations"]}
    assert seconds[1] == 9.5
    assert seconds[2] == 2.5


@pytest.mark.parametrize(
    ("name", "kind", "agreed", "error"),
    [
        ("romanze", "csv", False, UnknownAttribute),
        ("romance", "xlsx", False, DataError),
        ("romance", "label-studio", True, DataError),
    ],
)
def test_what_cannot_be_had_is_refused_in_words(
    answered: Settings, name: str, kind: str, agreed: bool, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"romance|csv"):
        export_files.export(answered, name, kind, agreed)


def test_the_suffix_says_the_format_and_a_foreign_one_is_refused() -> None:
    assert export_files.format_of(Path("x.PARQUET")) == "parquet"
    assert export_files.format_of(Path("x.json"), "label-studio") == "label-studio"
    with pytest.raises(DataError, match="--format"):
        export_files.format_of(Path("labels.xlsx"))


@given(st.text())
def test_no_cell_begins_like_a_formula_and_each_comes_back(text: str) -> None:
    assert not export_tables.guarded(text).startswith(export_tables.RISKY)
    assert export_tables.bare(export_tables.guarded(text)) == text
