"""Titles and keys that are kept are those of the records, whatever was changed meanwhile."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from attune.labeler.assets import active_pool, kept_rows, pool_size
from attune.labeler.assets.active_pool import PoolView
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors import vector_store
from attune.models.vectors.vector_store import VectorStore
from tests.support import factories

ENCODER = Fingerprint("external", "vectors", "external:0", 8)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(kept_rows, "WORTH", 1)
    made = factories.workspace(tmp_path)
    add(made, 4)
    return made


def add(settings: Settings, count: int) -> list[Asset]:
    assets = factories.add_assets(settings, count)
    vectors = np.eye(count, 8, dtype=np.float32)
    VectorStore(settings.vectors).append(ENCODER, [one.asset_id for one in assets], vectors)
    return assets


def view(settings: Settings) -> PoolView:
    with reading(settings) as session:
        return active_pool.view_of(settings, session, ENCODER)


def files(settings: Settings) -> list[Path]:
    return sorted((settings.workspace / "cache" / kept_rows.FOLDER).rglob("*.npy"))


def told(seen: PoolView) -> list[tuple[str, str, int]]:
    return list(zip(seen.pool.asset_ids.tolist(), seen.pool.title_ids.tolist(), seen.keys.tolist(), strict=True))


def rename(settings: Settings, asset: Asset) -> None:
    with writing(settings) as session:
        session.get_one(Asset, asset.id).title_id = "a longer title than before"


def remove(settings: Settings, asset: Asset) -> None:
    with writing(settings) as session:
        session.get_one(Asset, asset.id).removed_at = now()


def forget(settings: Settings, asset: Asset) -> None:
    VectorStore(settings.vectors).remove([asset.asset_id])


@pytest.mark.parametrize("change", [rename, remove, forget])
def test_a_change_of_assets_or_vectors_shows_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, change: Callable[[Settings, Asset], None]
) -> None:
    asset, _ = add(settings, 2)
    before = view(settings)
    change(settings, asset)
    after = view(settings)
    assert told(after) != told(before)
    assert len(files(settings)) == 3, "the old ones are gone"
    monkeypatch.setattr(kept_rows, "WORTH", 1_000)
    assert told(view(settings)) == told(after)


def test_while_nothing_changes_the_records_are_not_read_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = view(settings)
    monkeypatch.setattr(active_pool, "_in_records", lambda *_: pytest.fail("two million rows"))
    monkeypatch.setattr(vector_store, "text_array", lambda *_: pytest.fail("two million ids"))
    assert told(view(settings)) == told(before)


def test_a_session_that_may_have_written_asks_the_records(settings: Settings) -> None:
    view(settings)
    with writing(settings) as session:
        session.query(Asset).update({"title_id": "not yet committed"})
        seen = active_pool.view_of(settings, session, ENCODER)
        assert set(seen.pool.title_ids.tolist()) == {"not yet committed"}


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00"])
def test_files_that_are_cut_short_are_made_anew(settings: Settings, content: bytes) -> None:
    before = told(view(settings))
    for path in files(settings):
        path.unlink()  # what is mapped is not ours to change
        path.write_bytes(content)
    assert told(view(settings)) == before
    assert all(path.stat().st_size > len(content) for path in files(settings))


def test_a_full_disk_costs_time_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    save = np.save

    def full(file: object, column: np.ndarray, **options: bool) -> None:
        if column.dtype == np.int64:  # room for the titles, none for the keys
            raise OSError(28, "No space left on device")
        save(file, column, **options)

    monkeypatch.setattr(np, "save", full)
    for count in (4, 6):
        assert len(view(settings).pool) == count
        assert files(settings) == []
        add(settings, 2)


def test_of_a_pool_that_became_small_nothing_is_kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    view(settings)
    files(settings)[0].with_name(".killed.part").write_bytes(b"half")
    monkeypatch.setattr(kept_rows, "WORTH", 1_000)
    view(settings)
    assert list((settings.workspace / "cache" / kept_rows.FOLDER).rglob("*.*")) == []


def test_what_is_kept_of_another_encoder_goes_when_it_holds_no_longer(settings: Settings) -> None:
    other = Fingerprint("external", "vectors", "external:1", 8)
    VectorStore(settings.vectors).append(other, ["other"], np.eye(1, 8, dtype=np.float32))

    def kept_of() -> set[str]:
        return {file.parent.name for file in files(settings)}

    for encoder in (ENCODER, other):
        with reading(settings) as session:
            active_pool.view_of(settings, session, encoder)
    assert kept_of() == {ENCODER.digest, other.digest}, "both are of these assets: a space may be read beside another"
    factories.add_assets(settings, 1)
    view(settings)
    assert kept_of() == {ENCODER.digest}


def test_of_processes_that_find_nothing_one_reads_the_records_for_all(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that reads waits until the other has looked and found nothing."""
    context = multiprocessing.get_context("fork")
    looked, reads, same = context.Semaphore(0), context.Value("i", 0), context.Value("i", 0)
    mapped, in_records, expected = kept_rows._mapped, active_pool._in_records, told(view(settings))
    for path in files(settings):
        path.unlink()

    def look(folder: Path, name: str, count: int) -> kept_rows.Rows | None:
        found = mapped(folder, name, count)
        looked.release()
        return found

    def read(session: Session, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with reads.get_lock():
            reads.value += 1
        for _ in range(3):  # of this one, outside of the lock and inside; of the other one
            assert looked.acquire(timeout=60)
        return in_records(session, ids)

    def open_pool() -> None:
        seen = told(view(settings))
        with same.get_lock():
            same.value += seen == expected

    monkeypatch.setattr(kept_rows, "_mapped", look)
    monkeypatch.setattr(active_pool, "_in_records", read)
    both = [context.Process(target=open_pool) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert (reads.value, same.value, len(files(settings))) == (1, 2, 3)


@pytest.mark.parametrize("change", [rename, forget])
def test_who_opened_the_records_before_a_change_takes_nothing_newer_away(
    settings: Settings, change: Callable[[Settings, Asset], None]
) -> None:
    asset, _ = add(settings, 2)
    with reading(settings) as session:
        session.get_one(Asset, asset.id)  # from here on it sees this moment
        vectors = VectorStore(settings.vectors).read(ENCODER)
        change(settings, asset)
        newer = told(view(settings))
        there = files(settings)
        ids, titles, _ = kept_rows.kept(
            settings, session, ENCODER, vectors, lambda: active_pool._in_records(session, vectors.ids)
        )
    assert dict(zip(ids.tolist(), titles.tolist(), strict=True))[asset.asset_id] == asset.title_id
    assert files(settings) == there
    assert told(view(settings)) == newer


def test_rows_with_ids_far_longer_than_usual_fill_no_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = told(view(settings))
    monkeypatch.setattr(kept_rows, "MOST_BYTES", sum(file.stat().st_size for file in files(settings)) // 4)
    factories.add_assets(settings, 1)
    assert told(view(settings)) == before
    assert files(settings) == []


def test_the_pools_size_is_counted_once_for_each_state_of_the_assets(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def size() -> int:
        with reading(settings) as session:
            return pool_size.pool_size(session)

    assert size() == 4
    one, _ = add(settings, 2)
    assert size() == 6
    remove(settings, one)
    assert size() == 5
    monkeypatch.setattr(pool_size, "_count", lambda _: pytest.fail("two million rows"))
    assert size() == 5
