"""Answers that were set aside: what their author does with them since, and an owner who sets aside at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.answers import change, exclude_expert, ingest, withdrawn
from attune.labeler.answers.annotation_values import ReadAnnotation
from attune.labeler.answers.reading_order import of_now
from attune.labeler.records.schema import Annotation, Asset, Expert, Queue, Task
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import UnknownAttribute
from tests.support import databases, factories

BEFORE = now() - timedelta(hours=1)


@pytest.fixture(params=databases.BOTH)
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("aside")
    made = reader.build(
        {}, workspace=folder, database_url=databases.database(request), redis_url="redis://127.0.0.1:1/0"
    )
    factories.newest(made)
    yield made
    engine(made.records_url).dispose()


@pytest.fixture
def answer(settings: Settings, queue: Queue) -> Annotation:
    (asset,) = factories.add_assets(settings, 1)
    return factories.add_answer(settings, queue, asset, "yes", at=BEFORE)


def correction(settings: Settings, answer: Annotation, ana: Expert, value: str, at: datetime) -> ReadAnnotation:
    """What Label Studio tells when Ana corrects ``answer``."""
    with reading(settings) as session:
        task = session.get_one(Task, answer.task_id).label_studio_task
        asset = session.get_one(Asset, answer.asset_pk).asset_id
    assert task is not None
    assert answer.label_studio_id is not None
    return ReadAnnotation(answer.label_studio_id, task, asset, value, ana.label_studio_user, BEFORE, at, 1.0)


def store(settings: Settings, queue: Queue, seen: ReadAnnotation) -> bool:
    with writing(settings) as session:
        return ingest.store(session, session.get_one(Queue, queue.id), seen, of_now(session))


def held(settings: Settings, answer: Annotation) -> tuple[str, bool]:
    """What an answer says, and whether it counts."""
    with reading(settings) as session:
        row = session.get_one(Annotation, answer.id)
        return row.value, row.deleted_at is None


def test_a_correction_counts_when_the_answer_is_taken_back_and_not_before(
    settings: Settings, ana: Expert, queue: Queue, answer: Annotation
) -> None:
    assert exclude_expert.exclude(settings, ana.email, "serious") == {"serious": 1}
    assert not store(settings, queue, correction(settings, answer, ana, "no", now()))
    assert held(settings, answer) == ("no", False)
    assert exclude_expert.affected_answers(settings, ana.email).set_aside == {"serious": 1}
    assert exclude_expert.include(settings, ana.email, "serious") == {"serious": 1}
    assert held(settings, answer) == ("no", True)
    assert exclude_expert.include(settings, ana.email, "serious") == {}


def test_an_answer_deleted_while_aside_is_not_taken_back_and_its_image_is_served_again(
    settings: Settings, ana: Expert, queue: Queue, answer: Annotation
) -> None:
    exclude_expert.exclude(settings, ana.email)
    with writing(settings) as session:
        withdrawn.withdraw(session, [session.get_one(Annotation, answer.id)], "sync")
    with reading(settings) as session:
        assert session.get_one(Task, answer.task_id).state == "open"
    assert exclude_expert.include(settings, ana.email) == {}
    assert not held(settings, answer)[1]


def test_a_sync_sees_that_an_answer_that_is_aside_was_deleted(
    settings: Settings, ana: Expert, queue: Queue, answer: Annotation
) -> None:
    """Taken back, the answer would count again for good."""
    exclude_expert.exclude(settings, ana.email)
    with reading(settings) as session:
        task = session.get_one(Task, answer.task_id).label_studio_task
        later, mine = of_now(session), session.get_one(Queue, queue.id)
        assert [one.id for one in withdrawn.missing(session, mine, task or 0, [], later)] == [answer.id]
        assert withdrawn.missing(session, mine, task or 0, [answer.label_studio_id or 0], later) == []


def test_setting_aside_while_an_answer_arrives_locks_nobody_out(
    settings: Settings, ana: Expert, queue: Queue, answer: Annotation
) -> None:
    """PostgreSQL broke one of the two off: each held the row that the other wanted."""
    told: dict[str, int] = {}
    owner = threading.Thread(target=lambda: told.update(exclude_expert.exclude(settings, ana.email, "serious")))
    seen = correction(settings, answer, ana, "no", now())
    with writing(settings) as session:
        change.one_writer(session, queue.attribute_id)
        owner.start()
        owner.join(1.0)
        assert ingest.store(session, session.get_one(Queue, queue.id), seen, of_now(session))
    owner.join(30)
    assert told == {"serious": 1}
    assert held(settings, answer) == ("no", False)


def test_an_attribute_that_is_not_there_is_named(settings: Settings, ana: Expert, answer: Annotation) -> None:
    with pytest.raises(UnknownAttribute, match="Did you mean 'serious'"):
        exclude_expert.exclude(settings, ana.email, "seriuos")
    assert held(settings, answer)[1]


def test_what_was_done_is_told_in_one_sentence() -> None:
    assert exclude_expert.summary_text({"serious": 1}, dropped=True) == "1 answer is excluded (serious 1)."
    assert (
        exclude_expert.summary_text({"romance": 2, "serious": 1}, dropped=False)
        == "3 answers are included again (romance 2, serious 1)."
    )
    assert exclude_expert.summary_text({}, dropped=True) == "There are no answers to exclude."


def test_what_was_given_before_the_exclusion_and_read_after_it_is_set_aside_too(
    settings: Settings, ana: Expert, queue: Queue, answer: Annotation
) -> None:
    """An answer takes some seconds to be read: the last ones before "exclude" counted all the same."""
    early, late = factories.add_assets(settings, 2)
    read = []
    for number, asset in enumerate((early, late), 1):
        task = factories.add_task(settings, queue, asset)
        assert task.label_studio_task is not None
        read.append((9000 + number, task.label_studio_task, asset.asset_id, "no", ana.label_studio_user))
    before = now()
    assert exclude_expert.exclude(settings, ana.email) == {"serious": 1}
    assert store(settings, queue, ReadAnnotation(*read[0], before, before, 1.0))
    after = now() + timedelta(seconds=1)
    assert store(settings, queue, ReadAnnotation(*read[1], after, after, 1.0))

    def counting() -> set[int]:
        with reading(settings) as session:
            return set(session.scalars(select(Annotation.asset_pk).where(Annotation.deleted_at.is_(None))))

    assert counting() == {late.id}, "who goes on answering counts again"
    assert not store(settings, queue, ReadAnnotation(*read[0], before, before, 1.0)), (
        "the next reading brings nothing back"
    )
    assert counting() == {late.id}
    assert exclude_expert.include(settings, ana.email) == {"serious": 2}
    assert counting() == {early.id, late.id, answer.asset_pk}
