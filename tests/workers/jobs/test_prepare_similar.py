"""*Similar* is prepared by a job: asked for after a change, read by pages, and said honestly while it is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from attune.labeler.explore import space_index
from attune.labeler.explore.similar import similar
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import space_moves
from attune.models.clock import now
from attune.models.errors import NotPrepared
from attune.workers.jobs import learn_taste, prepare_similar
from attune.workers.runtime import due_similar
from tests.support import factories
from tests.workers.jobs.test_learn_taste import genre_pool


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A pool of genres with two versions of taste, the first in use."""
    settings = factories.workspace(tmp_path_factory.mktemp("prepared"))
    genre_pool(settings)
    learn_taste.run(settings, tuned=False)
    learn_taste.run(settings, tuned=False, blend=0.5)
    space_moves.promote(settings, "taste", "1", "first", "ana")
    return settings


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if any pool were large, with a worker there, and nothing of another test in memory."""
    monkeypatch.setattr(space_index, "LARGE", 1)
    monkeypatch.setattr(jobs, "workers_alive", lambda *_: True)
    space_index._held.clear()


def like_of(settings: Settings) -> str:
    with reading(settings) as session:
        return str(session.scalar(select(Asset.asset_id).order_by(Asset.id)))


def test_a_page_waits_for_the_worker_and_then_reads_what_it_kept(
    pool: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    like = like_of(pool)
    expected = similar(pool, like, "taste", top=20)
    space_index._held.clear()
    sent: list[str] = []
    monkeypatch.setattr(jobs, "hand_over", lambda _, job_id, kind: sent.append(kind))
    for _ in range(2):
        with pytest.raises(NotPrepared, match="A worker is preparing"):
            similar(pool, like, "taste", patient=False)
    assert sent == ["similar"], "once, however often the page is loaded"
    with writing(pool) as session:
        session.execute(delete(Job))
    prepare_similar.run(pool)

    def asked(*_: Any) -> None:
        raise AssertionError("the pool was read again")

    for slow in ("open_space", "_numbered", "_project"):
        monkeypatch.setattr(space_index, slow, asked)
    assert similar(pool, like, "taste", top=20, patient=False) == expected
    assert similar(pool, like, patient=False).of == len(_all(pool)) - 2


def test_without_a_worker_the_page_prepares_the_pool_itself(pool: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    space_moves.promote(pool, "taste", "2", "wider", "ana", alias="champion")
    monkeypatch.setattr(jobs, "workers_alive", lambda *_: False)
    assert similar(pool, like_of(pool), "taste", top=5, patient=False).hits
    space_moves.promote(pool, "taste", "1", "back", "ana")


def test_the_job_is_asked_for_once_after_each_change(pool: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run_at_once(settings: Settings, kind: str) -> None:
        asked.append(kind)
        with writing(settings) as session:
            name = jobs.record(session, kind)
        jobs.finish(settings, name, prepare_similar.run(settings))
        with writing(settings) as session:  # long ago, so that no rest is left
            session.execute(update(Job).values(created_at=now() - timedelta(hours=1)))

    monkeypatch.setattr(jobs, "enqueue", run_at_once)
    due_similar.ask(pool)
    assert due_similar.ask(pool) == {"similar": 0}
    space_moves.promote(pool, "taste", "2", "a new champion", "ana")
    due_similar.ask(pool)
    with writing(pool) as session:
        session.add(Job(id="embed-1", kind="embed", arguments={}, state="running", created_at=now()))
    factories.add_assets(pool, 1)
    assert due_similar.ask(pool) == {"similar": 0}, "not while images get vectors"
    with writing(pool) as session:
        session.execute(update(Job).where(Job.id == "embed-1").values(state="done"))
    due_similar.ask(pool)
    assert asked == ["similar"] * 3
    monkeypatch.setattr(space_index, "LARGE", 10_000)
    factories.add_assets(pool, 1)
    assert due_similar.ask(pool) == {"similar": 0}, "a small pool is prepared within the page"


def _all(settings: Settings) -> list[int]:
    with reading(settings) as session:
        return list(session.scalars(select(Asset.id)))
