"""The reading that a webhook asks for: light, of our own project alone, and a round follows where something is new."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from attune.labeler import settings as reader
from attune.labeler.answers import hints, ingest
from attune.labeler.label_studio import LabelStudio
from attune.labeler.records.schema import Annotation, Attribute, Queue, Stray
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import LabelStudioUnreachable
from attune.workers.jobs import learn
from attune.workers.sync import hinted, sync
from tests.support import factories
from tests.support.fake_label_studio import FakeLabelStudio
from tests.workers.sync.test_project_identity import Studio, fake_studio, ls_user


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = reader.build({}, workspace=tmp_path, redis_url="redis://127.0.0.1:9/0")
    factories.newest(made)
    found, ls = fake_studio(made)
    found.add(0, 8, random.Random(1))
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    monkeypatch.setattr(LabelStudio, "connect", lambda _: ls)
    sync.run(made, lambda *_: None)
    yield found
    engine(made.records_url).dispose()


@pytest.fixture
def asked(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Label Studio is asked from now on."""
    made: list[str] = []
    request = studio.ls.request

    def ask(method: str, path: str, *rest: Any, **more: Any) -> Any:
        made.append(f"{method} {path}")
        return request(method, path, *rest, **more)

    monkeypatch.setattr(studio.ls, "request", ask)
    return made


def name(studio: Studio) -> str:
    queue = studio.queues[0]
    return f"queue-{queue.attribute_id}-{queue.expert_id}"


def answer(studio: Studio, place: int, value: str = "romance", user: int | None = None) -> int:
    """The expert of the first queue answers its question at ``place``; the annotation's id."""
    task = studio.open(0)[place].label_studio_task or 0
    number: int = studio.ls.answer(task, user or ls_user(studio.settings, studio.queues[0]), value)
    return number


def test_an_answer_costs_one_question_to_label_studio(studio: Studio, asked: list[str]) -> None:
    """Neither all projects are listed, nor all users, nor every task that changed lately."""
    for place in range(5):
        answer(studio, place)
    sync.run(studio.settings, lambda *_: None)
    asked.clear()
    answer(studio, 0, "neither")
    assert hinted.read(studio.settings, name(studio)) == "romance"
    assert asked == ["GET /api/tasks"]
    assert sorted(one[2] for one in studio.here()) == ["neither"] + ["romance"] * 5


def test_many_answers_at_once_are_all_read(studio: Studio) -> None:
    for place in range(7):
        answer(studio, place)
    assert hinted.read(studio.settings, name(studio)) == "romance"
    assert len(studio.here()) == 7
    assert hinted.read(studio.settings, name(studio)) is None


def test_an_answer_taken_back_is_read_too(studio: Studio) -> None:
    number = answer(studio, 0)
    hinted.read(studio.settings, name(studio))
    studio.ls.delete_annotation(number)
    assert hinted.read(studio.settings, name(studio)) == "romance"
    assert studio.here() == []
    assert len(studio.open(0)) == 8


def test_the_next_sync_still_sees_what_a_hint_did_not_look_at(studio: Studio) -> None:
    first = answer(studio, 0)
    sync.run(studio.settings, lambda *_: None)
    studio.ls.delete_annotation(first)
    answer(studio, 1, "neither")
    assert hinted.read(studio.settings, name(studio)) == "romance"
    sync.run(studio.settings, lambda *_: None)
    assert [one[2] for one in studio.here()] == ["neither"]


def test_nothing_is_read_from_a_project_that_is_not_ours(studio: Studio) -> None:
    """As of a Label Studio begun anew, whose project has our number, and tasks with our images' names."""
    ls: FakeLabelStudio = studio.ls
    queue = studio.queues[0]
    ls.projects[queue.project]["description"] = f"attune-{'0' * 32}"
    for row in ls.tasks.values():
        row["data"]["attune_key"] = "f" * 32
    ls.answer(min(ls.tasks), ls_user(studio.settings, queue), "romance")
    assert hinted.read(studio.settings, name(studio)) is None
    assert studio.here() == []


def test_the_questions_of_another_queue_are_not_read_as_this_ones(studio: Studio) -> None:
    """Two projects changed places: the keys are ours, and another queue's."""
    ls: FakeLabelStudio = studio.ls
    studio.add(1, 4, random.Random(2))
    first, second = studio.queues[:2]
    marks = [ls.projects[one.project]["description"] for one in (first, second)]
    ls.projects[first.project]["description"], ls.projects[second.project]["description"] = marks[1], marks[0]
    for row in ls.tasks.values():
        row["project"] = {first.project: second.project, second.project: first.project}[row["project"]]
    ls.answer(studio.open(1)[0].label_studio_task or 0, ls_user(studio.settings, second), "romance")
    assert hinted.read(studio.settings, name(studio)) is None
    assert studio.here() == []


def test_an_author_is_known_by_address_here_too(studio: Studio) -> None:
    """A Label Studio begun anew gave Ana's number to somebody who is no expert."""
    user = ls_user(studio.settings, studio.queues[0])
    studio.ls.users[user] = "someone@else.example"
    answer(studio, 0)
    hinted.read(studio.settings, name(studio))
    assert studio.here() == []
    with reading(studio.settings) as session:
        assert session.execute(select(Stray.author, Stray.reason)).all() == [("someone@else.example", "unknown author")]


def test_where_the_answer_names_no_author_label_studio_is_asked(
    studio: Studio, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio.ls, "_called", lambda _: "")
    answer(studio, 0)
    assert hinted.read(studio.settings, name(studio)) == "romance"
    assert f"GET /api/users/{ls_user(studio.settings, studio.queues[0])}/" in asked


def test_a_leavers_queue_is_read_for_a_day_and_no_longer(studio: Studio) -> None:
    answer(studio, 0)
    for hours, found in ((48, None), (1, "romance")):
        with writing(studio.settings) as session:
            session.get_one(Queue, studio.queues[0].id).closed_at = now() - timedelta(hours=hours)
        assert hinted.read(studio.settings, name(studio)) == found


@pytest.mark.parametrize(
    ("others", "seconds", "took", "does"),
    [
        (False, 1, 1, "learned"),
        (True, 1, 1, "asked"),
        (True, 60, 1, "learned"),
        (True, 60, 20, "asked"),  # those that wait would wait as long, each time
        (False, 60, 20, "learned"),
        (True, -3600, 1, "learned"),
        (True, None, None, "learned"),
    ],
)
def test_a_round_follows_at_once_or_after_the_readings_that_wait(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, others: bool, seconds: int | None, took: int | None, does: str
) -> None:
    """One round then learns from what all of them bring; where readings never end, every few seconds."""
    if seconds is not None and took is not None:
        with reading(studio.settings) as session:
            attribute = session.get_one(Attribute, studio.queues[0].attribute_id)
        ended = now() - timedelta(seconds=seconds)
        times = {"started_at": ended - timedelta(seconds=took), "finished_at": ended}
        factories.add_run(studio.settings, attribute, 0, **times)
    done: list[str] = []
    monkeypatch.setattr(hinted.reader, "build", lambda: studio.settings)
    monkeypatch.setattr(hints, "others_wait", lambda _: others)
    monkeypatch.setattr(learn, "run", lambda *_: done.append("learned"))
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: done.append("asked"))
    answer(studio, 0)
    hinted.perform(name(studio))
    hinted.perform(name(studio))
    assert done == [does], "and none where nothing is new"


def test_without_label_studio_a_reading_is_left_to_the_next_sync(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise LabelStudioUnreachable("Label Studio does not answer.")

    monkeypatch.setattr(hinted.reader, "build", lambda: studio.settings)
    monkeypatch.setattr(studio.ls, "request", away)
    hinted.perform(name(studio))
    assert "waits for the scheduler" in caplog.text
    assert held(studio.settings) == 0


@pytest.mark.parametrize("where", ["read", "learn", "both"])
def test_an_error_of_the_database_is_told_and_the_round_asked_for_as_a_job(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    """People see a job's failure; a hinted round's was seen by nobody."""
    asked: list[str] = []

    def locked(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("the database is locked"))

    def ask(_: Settings, attribute: str) -> None:
        asked.append(attribute)
        if where == "both":
            locked()

    monkeypatch.setattr(hinted.reader, "build", lambda: studio.settings)
    monkeypatch.setattr(ingest, "ask_to_learn", ask)
    monkeypatch.setattr(hinted if where == "read" else learn, "read" if where == "read" else "run", locked)
    answer(studio, 0)
    hinted.perform(name(studio))
    assert asked == ([] if where == "read" else ["romance"])
    assert "the database is locked" in caplog.text
    assert "Traceback" in caplog.text


def held(settings: Settings) -> int:
    with reading(settings) as session:
        return len(session.scalars(select(Annotation.id)).all())
