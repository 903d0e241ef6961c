"""Several at once, on SQLite and on a real PostgreSQL: one moment a reading, one writer an attribute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select

from attune.labeler import settings as reader
from attune.labeler.answers import change, ingest, withdrawn
from attune.labeler.answers.annotation_values import ReadAnnotation
from attune.labeler.answers.reading_order import of_now
from attune.labeler.jobs import learn_lease
from attune.labeler.people import users
from attune.labeler.records.schema import Annotation, Attribute, Queue
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.support import databases, factories

AT_ONCE = 6


@pytest.fixture(params=databases.BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    made = reader.build({}, workspace=tmp_path, database_url=databases.database(request))
    factories.newest(made)
    yield made
    engine(made.records_url).dispose()


@pytest.fixture
def queue(settings: Settings) -> Queue:
    return factories.add_queue(settings, factories.add_attribute(settings), factories.add_expert(settings))


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each of ``acts`` returned; all begin together."""
    together = Barrier(len(acts))

    def begin(act: Callable[[], object]) -> object:
        together.wait(10)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result() for done in [pool.submit(begin, act) for act in acts]]


def seen(number: int, asset: str) -> ReadAnnotation:
    return ReadAnnotation(number, 100 + number, asset, "romance", 7, now(), now(), 1.0, author="ana@example.org")


def test_a_reading_sees_one_moment_whatever_is_written_meanwhile(settings: Settings, queue: Queue) -> None:
    with reading(settings) as session:
        before = session.scalar(select(Attribute.answers_counter))
        (asset,) = factories.add_assets(settings, 1)
        factories.add_answer(settings, queue, asset, "romance")
        assert session.scalar(select(Attribute.answers_counter)) == before
        assert session.scalar(select(func.count()).select_from(Annotation)) == 0


def test_an_answer_that_many_readings_show_at_once_is_kept_once(settings: Settings, queue: Queue) -> None:
    (asset,) = factories.add_assets(settings, 1)
    shown = seen(1, asset.asset_id)

    def tell() -> bool:
        with writing(settings) as session:
            return ingest.store(session, session.get_one(Queue, queue.id), shown, of_now(session))

    assert sorted(at_once(*[tell] * AT_ONCE)) == [False] * (AT_ONCE - 1) + [True]
    with reading(settings) as session:
        assert session.scalar(select(func.count()).select_from(Annotation)) == 1
        assert session.get_one(Attribute, queue.attribute_id).answers_counter == 1


def test_an_answer_and_the_deletions_that_readings_find_may_come_at_once(settings: Settings, queue: Queue) -> None:
    assets = factories.add_assets(settings, 8)

    def create(number: int, asset: str) -> Callable[[], object]:
        def act() -> None:
            with writing(settings) as session:
                ingest.store(session, session.get_one(Queue, queue.id), seen(number, asset), of_now(session))

        return act

    def delete() -> None:
        with writing(settings) as session:
            change.one_writer(session, queue.attribute_id)
            withdrawn.withdraw(session, session.scalars(select(Annotation)), "sync")

    for number, asset in enumerate(assets):
        at_once(create(number, asset.asset_id), delete, delete)
    delete()
    with reading(settings) as session:
        assert session.scalar(select(func.count()).select_from(Annotation)) == len(assets)
        assert session.scalars(select(Annotation.id).where(Annotation.deleted_at.is_(None))).all() == []


def test_of_learners_that_come_at_once_one_gets_the_lease(settings: Settings, queue: Queue) -> None:
    taken = at_once(*[lambda: learn_lease.acquire_lease(settings, queue.attribute_id)] * AT_ONCE)
    assert sum(one is not None for one in taken) == 1


def test_the_records_take_what_the_console_writes(settings: Settings, queue: Queue) -> None:
    """One of each kind of row, read back as it was."""
    made = users.create(settings, "olga@example.org", "owner", factories.PASSWORD)
    assert users.verify(settings, "olga@example.org", factories.PASSWORD) == made
    with reading(settings) as session:
        attribute = session.get_one(Attribute, queue.attribute_id)
    run = factories.add_run(settings, attribute, 40)
    factories.publish(settings, run)
    factories.add_job(settings, "learn", "queued", subject="romance")
    with reading(settings) as session:
        assert session.get_one(Attribute, attribute.id).classes == ["romance", "friendship", "neither"]
