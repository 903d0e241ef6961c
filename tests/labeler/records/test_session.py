"""Connections to the records: a process has its own, also where it was forked from one that had some."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from attune.labeler import settings as reader
from attune.labeler.records.session import engine, migrate, reading, writing
from attune.labeler.settings import Settings
from tests.support import databases, factories
from tests.support.databases import MakeUrl


@pytest.mark.parametrize("kind", databases.BOTH)
def test_a_forked_process_shares_no_connection_with_its_parent_or_another(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgresql")() if kind == "postgresql" else None
    settings = reader.build({}, workspace=tmp_path, database_url=url)
    migrate(settings)

    def look(session: Session) -> str:
        for _ in range(8):  # psycopg has a statement prepared after five times
            session.execute(text("SELECT count(*) FROM attributes"))
        if kind == "postgresql":
            return str(session.scalar(text("SELECT pg_backend_pid()")))
        return str(id(session.connection().connection.dbapi_connection))

    def forked() -> str:
        ours, theirs = os.pipe()
        if not (child := os.fork()):
            try:
                with writing(settings) as session, os.fdopen(theirs, "w") as told:
                    told.write(look(session))
                os._exit(0)
            finally:
                os._exit(1)
        os.close(theirs)
        with os.fdopen(ours) as told:
            seen = told.read()
        assert os.waitpid(child, 0)[1] == 0
        return seen

    with reading(settings) as session:
        mine = look(session)
    others = [forked(), forked()]
    assert mine not in others
    assert kind == "sqlite" or others[0] != others[1]
    with reading(settings) as session:
        assert look(session) == mine, "the parent's own goes on"
    engine(settings.records_url).dispose()


def test_engines_that_are_no_longer_used_keep_no_files_open(tmp_path: Path) -> None:
    """A process that works on many workspaces one after another ran out of files."""

    def open_files() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    before = open_files()
    for number in range(40):
        made = factories.workspace(tmp_path / str(number))
        with reading(made) as session:
            session.execute(text("SELECT 1"))
    assert open_files() - before < 20


@pytest.mark.postgresql
@pytest.mark.slow
@pytest.mark.parametrize("opened", [reading, writing])
def test_a_connection_that_postgresql_ends_is_told_as_that_and_the_next_one_works(
    opened: Callable[[Settings], AbstractContextManager[Session]], postgresql: MakeUrl, tmp_path: Path
) -> None:
    """Whoever waits and tries again knows it by that error; another one hid it."""
    settings = reader.build({}, workspace=tmp_path, database_url=postgresql())

    def interrupted() -> None:
        with opened(settings) as session:
            _end(settings, session.scalar(text("SELECT pg_backend_pid()")))
            session.scalar(text("SELECT 1"))

    with pytest.raises(OperationalError) as ended:
        interrupted()
    assert ended.value.connection_invalidated
    with opened(settings) as session:
        assert session.scalar(text("SELECT 1")) == 1
    engine(settings.records_url).dispose()


def _end(settings: Settings, process: int | None) -> None:
    other = create_engine(settings.records_url)
    with other.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
    other.dispose()
