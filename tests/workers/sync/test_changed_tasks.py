"""Two readings of one project that end at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from attune.labeler import settings as reader
from attune.labeler.records.schema import Queue
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.workers.sync import changed_tasks
from tests.support import factories
from tests.support.databases import MakeUrl


@pytest.fixture
def settings(postgresql: MakeUrl, tmp_path: Path) -> Iterator[Settings]:
    made = reader.build({}, workspace=tmp_path, database_url=postgresql())
    factories.newest(made)
    yield made
    engine(made.records_url).dispose()


@pytest.mark.postgresql
@pytest.mark.slow
def test_of_two_readings_that_end_together_the_second_puts_the_mark_back(settings: Settings) -> None:
    """Otherwise no sync would look again at what the older reading may have had the last word about."""
    queue = factories.add_queue(settings, factories.add_attribute(settings), factories.add_expert(settings))
    began, first, second = (now() - timedelta(minutes=minutes) for minutes in (30, 20, 10))
    changed_tasks.record_read_until(settings, queue, None, began, now())
    with ThreadPoolExecutor() as pool:
        with writing(settings) as session:
            row = session.get_one(Queue, queue.id, with_for_update=True)
            row.synced_until = first
            session.flush()
            other = pool.submit(changed_tasks.record_read_until, settings, queue, began, second, now())
            while not _somebody_waits(settings):
                assert not other.done(), other.result()
        other.result()
    with reading(settings) as session:
        assert session.get_one(Queue, queue.id).synced_until == began


def _somebody_waits(settings: Settings) -> bool:
    with reading(settings) as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
