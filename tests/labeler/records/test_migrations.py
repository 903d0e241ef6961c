"""An old file of records is brought to today's schema, with what it held."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from labeler import settings as reader
from labeler.records.schema import Base
from labeler.records.session import configuration, migrate

FIRST = "0001"


def test_the_first_file_ever_is_brought_to_todays_schema_and_keeps_its_rows(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    command.upgrade(configuration(settings.records_url), FIRST)
    opened = create_engine(settings.records_url)
    with opened.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO users (email, role, password_hash, session_salt, created_at) "
                "VALUES ('olga@example.org', 'owner', 'scrypt:x', 'salt', '2026-01-01 00:00:00')"
            )
        )
    migrate(settings)
    migrate(settings)
    with opened.connect() as connection:
        assert connection.execute(text("SELECT email, role FROM users")).all() == [("olga@example.org", "owner")]
        difference = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    opened.dispose()
    assert difference == []


def test_every_step_leads_back(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    migrate(settings)
    command.downgrade(configuration(settings.records_url), FIRST)
    migrate(settings)


def test_images_of_an_older_file_have_the_first_reading(tmp_path: Path) -> None:
    settings = reader.build({}, workspace=tmp_path)
    command.upgrade(configuration(settings.records_url), "0004")
    opened = create_engine(settings.records_url)
    row = "(asset_id, title_id, uri, digest, width, height, columns, added_at)"
    with opened.begin() as connection:
        connection.execute(text(f"INSERT INTO assets {row} VALUES ('a', 't', 'u', 'd', 3, 4, '{{}}', '2026-01-01')"))
    migrate(settings)
    with opened.connect() as connection:
        kept = connection.execute(text("SELECT asset_id, width, height, reading, moved_at FROM assets")).all()
    opened.dispose()
    assert kept == [("a", 3, 4, 1, None)]
