"""The stamp that says whether what was kept of all assets still holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from attune.labeler import settings as reader
from attune.labeler.records import asset_stamp
from attune.labeler.records.copy_rows import copy
from attune.labeler.records.schema import Asset, Expert
from attune.labeler.records.session import configuration, engine, migrate, reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.support import factories
from tests.support.databases import BOTH


@pytest.fixture(params=BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    kind = request.param
    url = request.getfixturevalue("postgresql")(migrated=True) if kind == "postgresql" else None
    made = reader.build({}, workspace=tmp_path, database_url=url)
    migrate(made)
    yield made
    engine(made.records_url).dispose()


def stamp(settings: Settings) -> str | None:
    with reading(settings) as session:
        return asset_stamp.read(session)


def test_that_of_titles_and_columns_outlives_a_new_reading_of_the_images(settings: Settings) -> None:
    one, _ = factories.add_assets(settings, 2)
    changes = {"moved_at": now(), "width": 7, "uri": "/elsewhere", "title_id": "other", "columns": {"seen": "b"}}
    new = {}
    for name, value in changes.items():
        before = stamps(settings)
        with writing(settings) as session:
            setattr(session.get_one(Asset, one.id), name, value)
        new[name] = [was != now for was, now in zip(before, stamps(settings), strict=True)]
    assert new == {name: [True, name in {"title_id", "columns"}] for name in changes}


def stamps(settings: Settings) -> list[str | None]:
    with reading(settings) as session:
        return [asset_stamp.read(session, which) for which in (asset_stamp.ALL, asset_stamp.TITLES)]


def test_it_is_new_after_each_change_of_an_asset_and_only_then(settings: Settings) -> None:
    assert stamp(settings) is None
    one, other = factories.add_assets(settings, 2)
    seen = [stamp(settings)]
    with writing(settings) as session:
        session.get_one(Asset, one.id).title_id = "another"
    seen.append(stamp(settings))
    with writing(settings) as session:
        session.execute(update(Asset).where(Asset.id == one.id).values(removed_at=now()))
    seen.append(stamp(settings))
    with writing(settings) as session:
        session.execute(text("UPDATE assets SET title_id = 'by hand'"))
    seen.append(stamp(settings))
    with writing(settings) as session:
        named = select(Asset.id).where(Asset.id == other.id).cte()
        session.execute(update(Asset).where(Asset.id.in_(select(named.c.id))).values(title_id="by a CTE"))
    seen.append(stamp(settings))
    with writing(settings) as session:
        session.execute(delete(Asset).where(Asset.id == other.id))
    seen.append(stamp(settings))
    assert len(set(seen)) == 6
    assert None not in seen
    factories.add_expert(settings)
    with writing(settings) as session:
        session.execute(update(Expert).values(name="Ana"))
    with Session(engine(settings.records_url)) as session:
        session.execute(update(Asset).values(title_id="taken back"))
        session.rollback()
    assert stamp(settings) == seen[-1]
    factories.add_expert(settings, "bo@example.org")  # on the connection that was rolled back
    assert stamp(settings) == seen[-1]


@pytest.mark.parametrize(
    ("statement", "stale"),
    [
        ("REPLACE INTO assets (id) VALUES (1)", "both"),
        ("INSERT OR IGNORE INTO assets (id) VALUES (1)", "both"),
        ('UPDATE ONLY public."assets" SET title_id = 1', "both"),
        ('UPDATE assets SET "columns"=:columns WHERE assets.id = 1', "both"),
        ("UPDATE assets SET reading=2, width=4 WHERE assets.id = 1", "all"),
        ("/* by hand */ DELETE FROM ONLY assets", "both"),
        ("COPY assets FROM STDIN", "both"),
        ("SELECT id FROM assets FOR UPDATE", ""),
        ("UPDATE tasks SET state = 'open' WHERE asset_pk IN (SELECT id FROM assets)", ""),
        ("INSERT INTO asset_stamps (id) VALUES (1)", ""),
    ],
)
def test_what_writes_to_the_assets_is_known_by_its_statement(statement: str, stale: str) -> None:
    stamps = {"both": {asset_stamp.ALL, asset_stamp.TITLES}, "all": {asset_stamp.ALL}, "": set()}
    assert asset_stamp.stale(statement) == stamps[stale]


def test_a_migration_brings_a_new_stamp(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    factories.add_assets(settings, 1)
    before = stamp(settings)
    engine(settings.records_url).dispose()
    command.downgrade(configuration(settings.records_url), "0036")
    migrate(settings)
    assert stamp(settings) not in {before, None}


def test_a_copy_of_the_records_has_the_stamp_of_its_assets(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path / "from")
    factories.add_assets(settings, 2)
    target = reader.build({}, workspace=tmp_path / "to")
    target.workspace.mkdir()
    copy(settings.records_url, target.records_url, lambda *_: None)
    assert stamp(target) == stamp(settings) is not None
