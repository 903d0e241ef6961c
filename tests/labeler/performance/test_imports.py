"""Performance comes in once, faults are named by row, and a row that comes again replaces the one before."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from filelock import FileLock

from attune.labeler.cli.performance import command
from attune.labeler.performance import checks, imports, title_ranges
from attune.labeler.performance.aggregate import aggregate
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from tests.support.factories import add_assets, workspace

HEADER = "asset_id,title_id,canvas,impressions,takes"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return workspace(tmp_path / "workspace")


def csv(path: Path, *lines: str, header: str = HEADER) -> str:
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return str(path)


def totals(settings: Settings) -> dict[tuple[str, str], tuple[float, float]]:
    """Impressions and takes of each asset on each canvas."""
    found = aggregate(settings)
    if found is None:
        return {}
    rows = found.outcomes
    keys = zip(found.asset_ids[rows.asset], found.canvases[rows.canvas], strict=True)
    return dict(zip(keys, zip(rows.impressions.tolist(), rows.takes.tolist(), strict=True), strict=True))


def test_each_faulty_row_is_named_and_the_others_go_in(settings: Settings, tmp_path: Path) -> None:
    header = HEADER + ",arm,propensity,period_start,period_end"
    file = csv(
        tmp_path / "p.csv",
        " a ,t,home,100,5,explore,0.5,2026-01-05,2026-01-12",
        ",t,home,100,5,,,,",
        "b,t,home,100,500,,,,",
        "b,t,home,-1,0,,,,",
        "b,t,home,,3,,,,",
        "b,t,home",
        "b,t,home,10.5,3,,,,",
        "b,t,home,10,three,,,,",
        "b,t,home,10,3,maybe,,,",
        "b,t,home,10,3,serve,0,,",
        "b,t,home,10,3,,,soon,later",
        "b,t,home,10,3,,,2026-01-05T00:00:00+02:00,2026-01-12",
        "b,t,home,10,3,,,2026-01-12,2026-01-05",
        "a,t,home,100,5,explore,0.5,2026-01-11,2026-01-18",
        "a,t,home,100,5,explore,0.5,2026-01-12,2026-01-19",
        'b,t,"ho\nme",10,3.5,,,,',
        header=header,
    )
    done = imports.add(settings, file)
    faults = {one.reason: one.examples for one in done.faults}
    assert faults == {
        "bad row": (7,),
        "no asset_id": (3,),
        "takes above impressions": (4,),
        "bad impressions": (5, 8),
        "no impressions": (6,),
        "bad takes": (9,),
        "bad arm": (10,),
        "bad propensity": (11,),
        "bad period": (12, 13),
        "period ends early": (14,),
        "counted twice": (15,),
    }
    assert (done.row.rows, done.row.rows_read) == (3, 16)
    assert totals(settings) == {("a", "home"): (200, 10), ("b", "ho\nme"): (10, 3.5)}


def test_the_same_file_again_changes_nothing_and_a_corrected_row_replaces_its_own(
    settings: Settings, tmp_path: Path
) -> None:
    period = ",2026-01-05,2026-01-12"
    header = HEADER + ",period_start,period_end"
    first = csv(tmp_path / "1.csv", "a,t,home,100,5" + period, "b,t,home,100,9" + period, header=header)
    imports.add(settings, first)
    assert imports.add(settings, first).again
    second = csv(
        tmp_path / "2.csv", "a,t,home,100,6" + period, "c,t,home,50,1" + period,
        "b,t,home,10,1,2026-01-11,2026-01-13", header=header,
    )  # fmt: skip
    done = imports.add(settings, second)
    assert done.row.rows_replaced == 1
    assert [one.reason for one in done.faults] == ["counted twice"]  # its period overlaps b's in the first import
    assert totals(settings) == {("a", "home"): (100, 6), ("b", "home"): (100, 9), ("c", "home"): (50, 1)}
    imports.remove(settings, done.row.id, "wrong week", "ana")
    assert totals(settings) == {("a", "home"): (100, 5), ("b", "home"): (100, 9)}
    assert not imports.file_of(settings, done.row.file).exists()
    with pytest.raises(DataError, match="wrong week"):
        imports.remove(settings, done.row.id, "again", "ana")
    assert not imports.add(settings, second).again  # a removed import may come back


def test_many_rows_are_worked_on_a_range_of_titles_at_a_time_and_lie_in_their_order(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = HEADER + ",arm,period_start,period_end"
    titles = ["b", "10", "é", "9", "it's", "東京", "a"]
    weeks = ("2026-01-05,2026-01-12", "2026-01-12,2026-01-19", "2026-01-11,2026-01-13")  # the last overlaps both
    lines = [f"{title}-{image},{title},home,{1000 + 300 * (title == 'b') * image},5,explore,{week}"
             for week in weeks for title in titles for image in range(2)]  # fmt: skip
    told = []
    for name, size in (("whole", 1000), ("ranges", 5)):
        monkeypatch.setattr(title_ranges, "BUCKET", size)
        one = workspace(tmp_path / name)
        first = imports.add(one, csv(tmp_path / "1.csv", *lines, header=header))
        again = [line.replace(weeks[0], "2026-01-04,2026-01-06") for line in lines[:3]]  # of one title and of another
        later = imports.add(one, csv(tmp_path / "2.csv", *again, "c,c,home,9,1,explore,,", header=header))
        held = pq.read_table(imports.file_of(one, first.row.file))["title_id"].to_pylist()
        told.append((first.faults, later.faults, held, checks.check(one).as_json(), totals(one)))
    assert told[0] == told[1]
    faults, later, held, checked, _ = told[1]
    assert [(one.reason, one.rows) for one in (*faults, *later)] == [("counted twice", 14), ("counted twice", 3)]
    assert held == sorted(titles * 4, key=str.encode)
    assert (checked["titles"], checked["assets"], checked["sample_ratio"]["flagged"]) == (8, 15, 1)


def test_parquet_with_other_names_and_types(settings: Settings, tmp_path: Path) -> None:
    table = pa.table(
        {
            "art'work": pa.array([1.0, 2.0, None]),
            "title_id": ["t", "t", "t"],
            "canvas": ["home", "home", "home"],
            "views": pa.array([10, 20, 30], pa.int32()),
            "takes": pa.array([1.5, np.nan, 2], pa.float64()),
        }
    )
    file = tmp_path / "odd [1]*.parquet"
    pq.write_table(table, file)
    done = imports.add(settings, str(file), ("art'work=asset_id", "views=impressions"), "explore")
    assert {one.reason: one.examples for one in done.faults} == {"no asset_id": (3,), "no takes": (2,)}
    assert totals(settings) == {("1", "home"): (10, 1.5)}
    assert aggregate(settings, "serve") is None


def test_an_address_of_fsspec_is_read_within_the_allowed_locations(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="outside the allowed locations"):
        imports.add(settings, "memory://bucket/p.csv")
    with pytest.raises(DataError, match="does not exist"):
        imports.add(settings, str(tmp_path / "nowhere.csv"))


def rows_of_a_test(title: int, counts: list[int], canvas: str = "home") -> list[str]:
    return [f"asset-{title}-{image},title-{title},{canvas},{n},{n // 20}" for image, n in enumerate(counts)]


def test_a_test_that_was_not_random_and_a_canvas_with_few_titles_are_found(settings: Settings, tmp_path: Path) -> None:
    lines = [line for title in range(40) for line in rows_of_a_test(title, [1000, 1010, 990])]
    lines += rows_of_a_test(40, [1000, 1600]) + rows_of_a_test(41, [500], "phone")
    imports.add(settings, csv(tmp_path / "p.csv", *lines), arm="explore")
    found = checks.check(settings)
    assert (found.tested, found.flagged) == (41, 1)
    assert [one["title_id"] for one in found.named] == ["title-40"]
    assert {one.canvas: (one.comparable, one.enough) for one in found.canvases} == {
        "home": (41, True), "phone": (0, False)
    }  # fmt: skip
    assert (found.assets, found.assets_here, found.titles) == (123, 0, 42)
    assert len(found.unknown) == 5, "the page names some of those that the pool does not have"


def test_another_mix_of_countries_is_no_fault_and_propensities_are_the_plan(settings: Settings, tmp_path: Path) -> None:
    header = HEADER + ",country,propensity"
    lines = ["a,t,home,1000,10,DE,0.25", "b,t,home,3000,30,DE,0.75", "b,t,home,9000,90,JP,1"]
    imports.add(settings, csv(tmp_path / "p.csv", *lines, header=header), arm="explore")
    assert (checks.check(settings).tested, checks.check(settings).flagged) == (1, 0)


def test_the_commands_say_what_was_left_out_and_what_is_in_the_pool(settings: Settings, tmp_path: Path) -> None:
    pool = add_assets(settings, 2)
    file = csv(tmp_path / "p.csv", *(f"{one.asset_id},t,home,100,5" for one in pool), "x,t,home,1,2")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(command, [*arguments, "--workspace", str(settings.workspace)])

    done = run("add", file)
    assert done.exit_code == 0, done.output
    assert "1 row left out: it has more takes than impressions (row 4)." in done.stderr
    assert "--arm explore" in done.stderr
    value = json.loads(run("check", "--json").stdout)
    assert (value["assets"], value["assets_here"]) == (2, 2)
    assert value["canvases"][0]["enough"] is False
    assert json.loads(run("list", "--json").stdout)["imports"][0]["faults"] == {
        "takes above impressions": {"rows": 1, "examples": [4]}
    }
    assert "removed" in run("remove", "1", "--reason", "wrong file").stdout
    assert "No performance was imported yet" in run("check").stderr


def test_a_damaged_import_is_named_with_what_to_do_and_the_new_file_is_not_blamed(
    settings: Settings, tmp_path: Path
) -> None:
    done = imports.add(settings, csv(tmp_path / "p.csv", "a,t,home,100,5"))
    imports.file_of(settings, done.row.file).write_bytes(b"PAR1 and then nothing")
    other = csv(tmp_path / "q.csv", "b,t,home,100,5")
    asked: list[Callable[[], object]] = [
        lambda: checks.check(settings), lambda: aggregate(settings), lambda: imports.add(settings, other)
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(DataError, match=r"import 1 is damaged.*attune performance remove 1"):
            ask()


def test_two_imports_at_once_never_count_a_row_twice(settings: Settings, tmp_path: Path) -> None:
    first, second = csv(tmp_path / "p.csv", "a,t,home,100,5"), csv(tmp_path / "q.csv", "a,t,home,100,7")

    def meanwhile(step: int, _: int) -> None:
        if step == 1:
            imports.add(settings, first)

    with pytest.raises(DataError, match="at the same time"):
        imports.add(settings, second, report=meanwhile)
    assert totals(settings) == {("a", "home"): (100, 5)}
    assert len(list((settings.workspace / "performance").iterdir())) == 1
    imports.add(settings, second)
    assert totals(settings) == {("a", "home"): (100, 7)}


def test_what_a_killed_command_left_goes_and_what_another_works_in_stays(settings: Settings, tmp_path: Path) -> None:
    old, busy, new = (settings.workspace / f".performance-{name}" for name in ("old", "busy", "new"))
    for folder in (old, busy, new):
        folder.mkdir()
        (folder / "staged.parquet").write_bytes(b"rows")
    with FileLock(busy / "lock"):
        for folder in (old, busy):
            os.utime(folder, (time.time() - 120,) * 2)
        imports.add(settings, csv(tmp_path / "p.csv", "a,t,home,100,5"))
    assert not old.exists()
    assert busy.exists(), "another command works in it"
    assert new.exists(), "its lock may not be taken yet"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a" * 400_000, "is not a header"),
        (b"asset_id,title_id\ra,t\rb,t", "is not a header"),
        (b"\nasset_id,title_id\n", "is not a header"),
        (HEADER.encode() + b",Takes\na,t,home,1,1,2\n", "more than once: Takes, takes"),
    ],
    ids=["no end of the line", "ends of another kind", "an empty line", "one name twice"],
)
def test_a_header_that_is_none_is_told(settings: Settings, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(DataError, match=said):
        imports.add(settings, str(tmp_path / "p.csv"))


def test_times_of_a_zone_in_parquet_are_periods_in_utc(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    start = datetime(2026, 1, 5, tzinfo=UTC)
    zoned = pa.timestamp("us", tz="Europe/Berlin")
    table = pa.table(
        {
            **{name: [value] for name, value in zip(HEADER.split(","), ["a", "t", "home", 10, 1], strict=True)},
            "period_start": pa.array([start], zoned),
            "period_end": pa.array([start + timedelta(days=7)], zoned),
        }
    )
    pq.write_table(table, tmp_path / "p.parquet")
    done = imports.add(settings, str(tmp_path / "p.parquet"))
    kept = pq.read_table(imports.file_of(settings, done.row.file))
    assert kept["period_start"].to_pylist() == [start.replace(tzinfo=None)]


def test_too_little_room_is_no_fault_of_the_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise duckdb.OutOfMemoryException("Out of Memory Error: failed to offload data block")

    monkeypatch.setattr(imports, "clean", full)
    with pytest.raises(DataError, match=r"needs more room.*in parts"):
        imports.add(settings, csv(tmp_path / "p.csv", "a,t,home,100,5"))


def test_the_folders_of_a_workspace_say_nothing_of_its_rows(tmp_path: Path) -> None:
    settings = workspace(tmp_path / "canvas=phone" / "odd [1]*")
    imports.add(settings, csv(tmp_path / "p.csv", "a,t,home,100,5"))
    assert totals(settings) == {("a", "home"): (100, 5)}
    assert [one.canvas for one in checks.check(settings).canvases] == ["home"]


def test_an_arm_that_is_none_is_refused_and_not_read_as_both(settings: Settings, tmp_path: Path) -> None:
    imports.add(settings, csv(tmp_path / "p.csv", "a,t,home,100,5"), arm="serve")
    for arm, rows in (("", 1), ("serve", 1)):
        found = aggregate(settings, arm)
        assert found is not None
        assert len(found.outcomes) == rows
    assert aggregate(settings, "explore") is None
    with pytest.raises(DataError, match="no arm 'explor'"):
        aggregate(settings, "explor")
