"""`attune doctor` finds answers that were filed on another image, and a whole sync files them again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.answers import misfiled
from attune.labeler.label_studio import LabelStudio
from attune.labeler.records.schema import Annotation, Asset, Task
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.services import doctor_content
from attune.labeler.settings import Settings
from attune.workers.sync import sync
from tests.support import factories
from tests.workers.sync.test_project_identity import fake_studio, ls_user


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    made = reader.build({}, workspace=tmp_path, redis_url="redis://127.0.0.1:9/0")
    factories.newest(made)
    yield made
    engine(made.records_url).dispose()


def test_a_workspace_damaged_on_purpose(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, ls = fake_studio(settings)
    monkeypatch.setattr(LabelStudio, "connect", lambda _: ls)
    queue = studio.queues[0]
    studio.add(0, 4, random.Random(3))
    for task in studio.open(0):
        ls.answer(task.label_studio_task or 0, ls_user(settings, queue), "romance")
    sync.one_queue(settings, ls, queue)  # type: ignore[arg-type]
    assert misfiled.compare(settings, ls) == []  # type: ignore[arg-type]
    assert doctor_content.answers(settings).state == "ok"

    with writing(settings) as session:
        wrong = session.scalars(select(Annotation).order_by(Annotation.id)).first()
        assert wrong is not None
        held = {task.asset_pk for task in session.scalars(select(Task))}
        other = next(one for one in studio.assets if one.id not in held)
        shown = session.get_one(Asset, wrong.asset_pk).asset_id
        wrong.asset_pk = other.id
    found = doctor_content.answers(settings)
    assert found.state == "fail"
    assert [(case["image"], case["recorded_image"]) for case in found.cases] == [(shown, other.asset_id)]
    assert "attune sync --all" in found.todo

    sync.one_queue(settings, ls, queue, whole=True)  # type: ignore[arg-type]
    assert doctor_content.answers(settings).state == "ok"
    assert sorted(answer[1] for answer in studio.here()) == sorted(answer[1] for answer in ls.answers(queue.project))


def test_answers_that_count_nowhere_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, ls = fake_studio(settings)
    monkeypatch.setattr(LabelStudio, "connect", lambda _: ls)
    ls.users[1] = "admin@example.org"
    studio.add(0, 1, random.Random(3))
    ls.answer(studio.open(0)[0].label_studio_task or 0, 1, "romance")
    sync.one_queue(settings, ls, studio.queues[0], by_id=ls.users)  # type: ignore[arg-type]
    with reading(settings) as session:
        assert session.scalars(select(Annotation)).all() == []
    (case,) = doctor_content.answers(settings).cases
    assert (case["author"], case["reason"]) == ("admin@example.org", "unknown author")
