"""*Similar* is prepared by a job: asked for after a change, read by pages, and said honestly while it is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from attune.labeler.assets.active_encoder import active_fingerprint
from attune.labeler.explore import projected, space_index
from attune.labeler.explore.similar import similar
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import space_moves
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import CatalogError, NotPrepared, PoolError
from attune.models.vectors.vector_store import VectorStore
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
    with writing(pool) as session:  # another size or place of an image changes nothing in an index
        session.execute(update(Asset).values(width=Asset.width + 1, uri=Asset.uri + "?moved"))

    def asked(*_: Any) -> None:
        raise AssertionError("the pool was read again")

    for slow in ((space_index, "open_space"), (space_index, "_numbered"), (projected, "_project")):
        monkeypatch.setattr(*slow, asked)
    assert similar(pool, like, "taste", top=20, patient=False) == expected
    assert similar(pool, like, patient=False).of == len(_all(pool)) - 2


def test_while_images_come_pages_go_on_with_what_was_prepared_last(
    pool: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every batch changes what an index depends on; the next one is prepared after all of them."""
    monkeypatch.setattr(jobs, "hand_over", lambda *_: None)
    prepare_similar.run(pool)
    like, expected = like_of(pool), {space: similar(pool, like_of(pool), space, top=20) for space in ("taste", "final")}
    (asset,) = factories.add_assets(pool, 1)
    with reading(pool) as session:
        fingerprint = active_fingerprint(session)
    assert fingerprint is not None
    VectorStore(pool.vectors).append(fingerprint, [asset.asset_id], vector_of(pool, like, fingerprint))
    for space, before in expected.items():
        found = similar(pool, like, space, top=20, patient=False)
        assert (found.older, found.hits) == (True, before.hits)
        assert asset.asset_id not in [*found.own, *found.twins]
    with pytest.raises(NotPrepared, match="is new"):
        similar(pool, asset.asset_id, patient=False)
    gone = expected["final"].hits[0][0]
    with writing(pool) as session:
        session.execute(update(Asset).where(Asset.asset_id == gone).values(removed_at=now()))
    assert similar(pool, like, top=20, patient=False).hits[0] == expected["final"].hits[1], (
        "a removed image goes at once"
    )
    with writing(pool) as session:
        session.execute(update(Asset).where(Asset.asset_id == gone).values(removed_at=None))
        session.execute(delete(Job))
    prepare_similar.run(pool)
    now_there = similar(pool, like, patient=False)
    assert (now_there.older, asset.asset_id in [*now_there.own, *now_there.twins]) == (False, True)


def vector_of(settings: Settings, asset_id: str, fingerprint: Fingerprint) -> Any:
    return VectorStore(settings.vectors).lookup(fingerprint, [asset_id])[asset_id][None]


def test_a_space_that_fails_stops_no_other_and_is_not_asked_for_again_at_once(
    pool: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (pool.workspace / "cache" / "similar").glob("*"):
        path.unlink()
    monkeypatch.setattr(prepare_similar, "_wanted", lambda *_: (object(), [1]))

    def gone(*_: Any) -> None:
        raise CatalogError("The weights of the network are gone.")

    monkeypatch.setattr(prepare_similar.towers, "encoder_of", gone)
    monkeypatch.setattr(projected, "_project", gone)
    for path in (pool.workspace / "cache" / "spaces").glob("*"):
        path.unlink()
    with pytest.raises(CatalogError, match="weights of the network"):
        prepare_similar.run(pool)
    like = like_of(pool)
    assert similar(pool, like, patient=False).hits, "how it looks needs no network"
    space_index._held.clear()
    with writing(pool) as session:
        session.execute(delete(Job))
        name = jobs.record(session, "similar")
    jobs.fail(pool, name, "The weights of the network are gone.")
    monkeypatch.setattr(jobs, "enqueue", gone)
    with pytest.raises(PoolError, match=r"weights of the network are gone\. A worker tries again") as raised:
        similar(pool, like, "taste", patient=False)
    assert not isinstance(raised.value, NotPrepared), "or the page would wait for ever"
    with writing(pool) as session:
        session.execute(update(Job).values(created_at=now() - timedelta(minutes=5)))
    assert due_similar.ask(pool) == {"similar": 0}
    with writing(pool) as session:
        session.execute(delete(Job))


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
