"""Members' rows come in hashed, faulty ones are named by line, and nobody stays longer than asked."""

from __future__ import annotations

import os
import threading
import time
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.members import bring, kept
from attune.labeler.members.bring import Wanted
from attune.labeler.members.columns import RESPONSES, VIEWING
from attune.labeler.recommend.histories import hashed
from attune.labeler.records.schema import MemberFile
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError
from tests.support.factories import workspace


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return workspace(tmp_path_factory.mktemp("members") / "workspace")


@pytest.fixture(autouse=True)
def empty(settings: Settings) -> None:
    kept.erase(settings)


def csv(path: Path, *lines: str) -> str:
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return str(path)


def rows(settings: Settings) -> list[dict[str, object]]:
    with reading(settings) as session:
        files = [kept.file_of(settings, row.file) for row in kept.listed(session)]
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_viewing_comes_in_hashed_and_faulty_rows_are_named(settings: Settings, tmp_path: Path) -> None:
    file = csv(
        tmp_path / "v.csv", "who,title_id,minutes,time", " Zoë ,t1,30,2026-01-05", "Zoë,t1,12,2026-01-06",
        "Zoë,t1,30,2026-01-05 00:00", ",t1,3,", "bo,,3,", "bo,t1,-3,", "bo,t1,3,soon", "bo,t2,,", "bo,t2,,", "bo",
    )  # fmt: skip
    done = bring.add(settings, Wanted(VIEWING, file, ("who=member",)), 30, "olga")
    assert {one.reason: one.examples for one in done.faults} == {
        "bad row": (11,), "no member": (5,), "no title_id": (6,), "bad minutes": (7,), "bad time": (8,), "twice": (4,),
    }  # fmt: skip
    assert all(f"row{'s' * (one.rows > 1)} left out" in one.text for one in done.faults)
    assert (done.row.rows_read, done.row.rows) == (10, 4)
    by_member = {row["member"]: row for row in rows(settings)}
    assert by_member == {
        hashed(settings, "Zoë"): {"member": hashed(settings, "Zoë"), "title_id": "t1", "minutes": 42.0},
        hashed(settings, "bo"): {"member": hashed(settings, "bo"), "title_id": "t2", "minutes": None},
    }
    path = kept.file_of(settings, done.row.file)
    assert path.stat().st_mode & 0o777 == 0o600
    assert all("Zoë".encode() not in one.read_bytes() for one in settings.workspace.rglob("*") if one.is_file())


def test_responses_are_added_up_and_an_image_has_one_title(settings: Settings, tmp_path: Path) -> None:
    file = csv(
        tmp_path / "r.csv", "member,asset_id,title_id,impressions,takes,arm", "a,i1,t1,1,0,explore",
        "a,i1,t1,1,1,explore", "a,i1,t2,1,1,explore", "b,i1,t1,2,3,explore", "b,i1,t1,0,0,", "b,i1,t1,1,0,other",
        "b,i2,t1,1,1,",
    )  # fmt: skip
    done = bring.add(settings, Wanted(RESPONSES, file, arm="explore"), None, "olga")
    faults = {"two titles", "takes above impressions", "bad impressions", "bad arm"}
    assert {one.reason for one in done.faults} == faults
    assert sorted((row["asset_id"], row["arm"], row["impressions"], row["takes"]) for row in rows(settings)) == [
        ("i1", "explore", 2.0, 1.0), ("i2", "explore", 1.0, 1.0),
    ]  # fmt: skip
    assert done.row.expires_at <= now() + timedelta(days=1)


def test_a_member_is_erased_and_others_stay(settings: Settings, tmp_path: Path) -> None:
    bring.add(settings, Wanted(VIEWING, csv(tmp_path / "v.csv", "member,title_id", "a,t1", "a,t2", "b,t1")), 30)
    bring.add(settings, Wanted(VIEWING, csv(tmp_path / "w.csv", "member,title_id", "a,t3")), 30)
    assert kept.erase(settings, " a ") == 3
    assert [row["member"] for row in rows(settings)] == [hashed(settings, "b")]
    assert kept.erase(settings, "a") == 0
    left = b"".join(one.read_bytes() for one in settings.workspace.rglob("*.parquet"))
    assert hashed(settings, "a").encode() not in left
    assert kept.erase(settings) == 1
    assert not list((settings.workspace / "members").glob("*"))


def test_two_who_erase_at_once_erase_both(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = csv(tmp_path / "v.csv", "member,title_id", "a,t1", "b,t1", "c,t1")
    number = bring.add(settings, Wanted(VIEWING, file), 30).row.id
    other, real = threading.Thread(target=kept.erase, args=(settings, "b")), kept._place

    def slow(*args: Any) -> None:
        if threading.current_thread() is not other:
            other.start()
            other.join(0.2)  # where nothing holds it back it is done within this time
        real(*args)

    monkeypatch.setattr(kept, "_place", slow)
    assert kept.erase(settings, "a") == 1
    other.join()
    assert [row["member"] for row in rows(settings)] == [kept.hash_of(settings, "c")]
    with reading(settings) as session:
        assert session.get_one(MemberFile, number).rows == 1, "the list tells what is there still"


def test_a_file_that_is_gone_holds_no_erasure_up(settings: Settings, tmp_path: Path) -> None:
    def two_files() -> None:
        gone = bring.add(settings, Wanted(VIEWING, csv(tmp_path / "v.csv", "member,title_id", "a,t1")), 30).row
        bring.add(settings, Wanted(VIEWING, csv(tmp_path / "w.csv", "member,title_id", "a,t2", "b,t2")), 30)
        kept.file_of(settings, gone.file).unlink()

    two_files()
    with pytest.raises(DataError, match=r"1 row erased, but 1 file .* cannot be read: .*\.parquet \(of .*v\.csv\)"):
        kept.erase(settings, "a")
    with reading(settings) as session:
        (left,) = [row for row in kept.listed(session) if row.source.endswith("w.csv")]
    assert [row["member"] for row in pq.read_table(kept.file_of(settings, left.file)).to_pylist()] == [
        kept.hash_of(settings, "b")
    ]
    assert kept.erase(settings) == 2, "as the records count"
    assert not list((settings.workspace / "members").glob("*"))


def test_letters_written_in_another_way_are_the_same_member(settings: Settings, tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    bring.add(settings, Wanted(VIEWING, csv(tmp_path / "v.csv", "member,title_id", f"\xa0{apart},t1")), 30)
    assert kept.erase(settings, composed) == 1
    bring.add(settings, Wanted(VIEWING, csv(tmp_path / "w.csv", "member,title_id", f"{composed},t1")), 30)
    assert kept.erase(settings, f" {apart}") == 1


def test_rows_for_one_fit_are_its_own_and_go_with_a_job_that_is_lost(settings: Settings, tmp_path: Path) -> None:
    wanted = Wanted(VIEWING, csv(tmp_path / "v.csv", "member,title_id", "a,t1"))
    days, mine, others = (bring.add(settings, wanted, keep).row.id for keep in (1, None, None))
    with reading(settings) as session:
        assert [row.id for row in kept.usable(session, [mine])] == [days, mine]
        assert [row.id for row in kept.usable(session)] == [days]
    with writing(settings) as session:
        lost, waits = (jobs.record(session, kept.JOB, once=[one]) for one in (mine, others))
    jobs.fail(settings, lost, "Its worker died 3 times.", state="lost")
    kept.sweep(settings)
    kept.let_go(settings, [others])
    with reading(settings) as session:
        assert [row.id for row in kept.listed(session)] == [days, others], "a job that waits needs its rows"
    jobs.fail(settings, waits, "Redis does not answer", state="lost")
    kept.let_go(settings, [others])
    with reading(settings) as session:
        assert [row.id for row in kept.listed(session)] == [days]


def test_what_was_kept_until_now_goes_and_nothing_is_kept_longer_than_asked(settings: Settings, tmp_path: Path) -> None:
    file = csv(tmp_path / "v.csv", "member,title_id", "a,t1")
    for days in (0, 4000):
        with pytest.raises(DataError, match="--keep is"):
            bring.add(settings, Wanted(VIEWING, file), days)
    bring.add(settings, Wanted(VIEWING, file), 1)
    with writing(settings) as session:
        for row in session.scalars(select(MemberFile)):
            row.expires_at = now() - timedelta(seconds=1)
    with reading(settings) as session:
        assert not kept.listed(session)
    killed = settings.workspace / ".performance-killed"
    killed.mkdir()
    (killed / "source").write_text("names of members")
    os.utime(killed, (time.time() - 120,) * 2)
    kept.sweep(settings)
    assert not killed.exists(), "a file from elsewhere, as it was copied"
    assert not list((settings.workspace / "members").glob("*"))
    with pytest.raises(DataError, match="no column title_id"):
        bring.add(settings, Wanted(VIEWING, csv(tmp_path / "x.csv", "member,film", "a,t1")), 1)
    with pytest.raises(DataError, match=r"No row of y\.csv can be used.*no member"):
        bring.add(settings, Wanted(VIEWING, csv(tmp_path / "y.csv", "member,title_id", ",t1")), 1)
