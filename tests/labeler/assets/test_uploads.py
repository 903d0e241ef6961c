"""Pieces of files: each counts once however often it comes, a gap is never kept, and what nobody finished goes."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections import namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.labeler.assets import uploads
from attune.labeler.assets.reach import Reach
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings, build
from attune.models.errors import DataError, ServiceDown, UnknownUpload, UnreadableItem

OLGA, OTTO = 7, 8


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LEFT_FREE", 0)  # a temporary folder may be small


def send(settings: Settings, ticket: str, number: int, content: bytes, name: str = "a.jpg", person: int = OLGA) -> int:
    return uploads.add_piece(settings, person, ticket, number, name, len(content), 0, content)


@given(st.data())
def test_pieces_in_any_order_and_any_number_make_the_file(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    settings = build({}, workspace=tmp_path_factory.mktemp("pieces"))
    content = bytes(range(40))
    ticket, held = uploads.begin(settings, OLGA), 0
    for _ in range(data.draw(st.integers(1, 12))):
        offset = data.draw(st.integers(0, 40))
        piece = content[offset : offset + data.draw(st.integers(0, 40))]
        before, held = held, uploads.add_piece(settings, OLGA, ticket, 0, "a.jpg", 40, offset, piece)
        assert held == (max(before, offset + len(piece)) if offset <= before else before)
        [part] = uploads.parts(uploads.folder_of(settings, OLGA, ticket))
        assert part.path.read_bytes() == content[:held]
    assert uploads.received(settings, OLGA, ticket) == {0: held}


def test_what_was_sent_is_private_and_under_no_name_that_a_browser_chose(settings: Settings) -> None:
    ticket = uploads.begin(settings, OLGA)
    send(settings, ticket, 0, b"x", "../../../../evil.jpg")
    folder = uploads.folder_of(settings, OLGA, ticket)
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {"0", "0.json", "total", "lock"}
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (folder / "0", folder / "0.json")} == {0}


@pytest.mark.parametrize("ticket", ["0" * 32, "../x", "", "*", "0" * 31 + "G"])
def test_a_ticket_opens_only_its_own_persons_upload(settings: Settings, ticket: str) -> None:
    mine = uploads.begin(settings, OLGA)
    for person, other in ((OLGA, ticket), (OTTO, mine)):
        with pytest.raises(UnknownUpload):
            send(settings, other, 0, b"x", person=person)
        with pytest.raises(UnknownUpload):
            uploads.drop(settings, person, other)


def test_pieces_that_cannot_be_right_are_refused(settings: Settings) -> None:
    ticket = uploads.begin(settings, OLGA)
    send(settings, ticket, 0, b"1234")
    for number, name, size, offset in (
        (0, "b.jpg", 4, 0), (0, "a.jpg", 5, 0), (1, "", 4, 0), (1, "a", 3, 0), (1, "a", 9, -1),
        (uploads.MOST_FILES, "a", 4, 0), (-1, "a", 4, 0), (1, "a" * 2001, 4, 0),
    ):  # fmt: skip
        with pytest.raises(DataError):
            uploads.add_piece(settings, OLGA, ticket, number, name, size, offset, b"1234")
    assert uploads.received(settings, OLGA, ticket) == {0: 4}


def test_an_upload_has_a_largest_size_and_leaves_room_on_the_disk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 10)
    ticket = uploads.begin(settings, OLGA)
    assert [send(settings, ticket, 0, b"123456") for _ in range(3)] == [6, 6, 6], "sent again it counts once"
    with pytest.raises(DataError, match="larger than"):
        send(settings, ticket, 1, b"12345")
    monkeypatch.setattr(uploads, "LEFT_FREE", 100)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1000, 950, 50))
    with pytest.raises(DataError, match="disk"):
        uploads.begin(settings, OLGA)
    with pytest.raises(DataError, match="disk"):
        send(settings, ticket, 1, b"1")


def test_finishing_asks_for_one_job_and_only_when_all_is_here(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[str] = []
    monkeypatch.setattr(jobs, "hand_over", lambda settings, job_id, kind: handed.append(job_id))
    ticket = uploads.begin(settings, OLGA)
    send(settings, ticket, 0, b"x")
    uploads.add_piece(settings, OLGA, ticket, 1, "b.jpg", 4, 0, b"12")
    for count in (0, 1, 2, 3):
        with pytest.raises(DataError, match="did not arrive whole"):
            uploads.finish(settings, OLGA, ticket, count)
    uploads.add_piece(settings, OLGA, ticket, 1, "b.jpg", 4, 2, b"34")
    job_id = uploads.finish(settings, OLGA, ticket, 2)
    assert uploads.finish(settings, OLGA, ticket, 2) == job_id
    assert handed == [job_id]
    with reading(settings) as session:
        asked = {"ticket": ticket, "asked_by": OLGA, "files": 2, "restore": False}
        assert session.get_one(Job, job_id).arguments == asked
    for late in (lambda: send(settings, ticket, 2, b"x"), lambda: uploads.drop(settings, OLGA, ticket)):
        with pytest.raises(DataError):
            late()


def test_finishing_again_after_redis_was_away_sends_the_same_job(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = uploads.begin(settings, OLGA)
    send(settings, ticket, 0, b"x")
    with pytest.raises(ServiceDown):  # nobody listens at the port of these settings
        uploads.finish(settings, OLGA, ticket, 1)
    handed: list[str] = []
    monkeypatch.setattr(jobs, "hand_over", lambda settings, job_id, kind: handed.append(job_id))
    job_id = uploads.finish(settings, OLGA, ticket, 1)
    with reading(settings) as session:
        assert (handed, session.get_one(Job, job_id).state) == ([job_id], "queued")


def test_uploads_that_nobody_finished_go_after_a_day_and_others_after_a_week(settings: Settings) -> None:
    tickets = {name: uploads.begin(settings, OLGA) for name in ("fresh", "old", "sent", "long sent")}
    age = {"fresh": 0, "old": 86_500, "sent": 86_500, "long sent": 8 * 86_400}
    for name, ticket in tickets.items():
        send(settings, ticket, 0, b"x")
        folder = uploads.folder_of(settings, OLGA, ticket)
        if "sent" in name:
            (folder / "sent.json").write_text('{"job": "upload-1"}')
        for path in (*folder.iterdir(), folder):
            os.utime(path, (time.time() - age[name],) * 2)
    assert uploads.forget(settings) == 2
    there = [name for name, ticket in tickets.items() if (settings.workspace / "uploads" / f"7-{ticket}").exists()]
    assert there == ["fresh", "sent"]


def test_the_workspaces_own_images_may_be_read_whatever_the_setting_allows(settings: Settings) -> None:
    reach = Reach.of(build({}, workspace=settings.workspace, image_sources="https"))
    reach.check_path(str(uploads.kept_in(settings, "0" * 32) / "a.jpg"))
    for path in (settings.workspace / "secrets.json", settings.images / ".." / "secrets.json"):
        with pytest.raises(UnreadableItem, match="outside the allowed"):
            reach.check_path(str(path))
