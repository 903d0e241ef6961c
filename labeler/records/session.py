"""Open the records: engine, migrations to the newest schema, sessions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from filelock import FileLock
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from attune.labeler.records import asset_stamp
from attune.labeler.settings import Settings, hidden
from attune.models.errors import ServiceDown

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")
WAIT_SECONDS = 30
_made: WeakSet[Engine] = WeakSet()  # weak: an engine that the cache gave up closes its files
_inherited: list[Pool] = []


@lru_cache(maxsize=8)
def engine(url: str) -> Engine:
    """One engine a process and address; SQLite in write-ahead mode, so that readers never wait for a writer."""
    new_engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if new_engine.dialect.name == "sqlite":
        event.listen(new_engine, "connect", _prepare_sqlite)
        # pysqlite opens transactions late and for writes only; BEGIN IMMEDIATE makes read-then-write safe.
        event.listen(new_engine, "begin", _begin_immediate)
    asset_stamp.follow(new_engine)
    _made.add(new_engine)
    return new_engine


def _connect_anew() -> None:
    """In a process that was just forked: leave the connections that it has in common with its parent alone.

    They are kept, as letting go of one would end it for the parent too.
    """
    for one in list(_made):
        _inherited.append(one.pool)
        one.dispose(close=False)


os.register_at_fork(after_in_child=_connect_anew)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={WAIT_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Any) -> None:
    mode = "DEFERRED" if connection.get_execution_options().get("attune_read_only") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


def migrate(settings: Settings) -> None:
    """Bring the records to the newest schema; several processes may ask at once.

    Raises ServiceDown where the database does not answer.
    """
    if _is_newest(settings.records_url):
        return
    from alembic import command

    settings.workspace.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.workspace / "records.lock", timeout=120):
        try:
            command.upgrade(configuration(settings.records_url), "head")
        except OperationalError as error:
            raise ServiceDown(
                f"The records at {hidden(settings.records_url)} are unavailable. Check ATTUNE_DATABASE_URL, "
                f"that its server runs, and that Attune can write to {settings.workspace}. To test each "
                "service: `attune doctor`"
            ) from error


def newest_schema() -> str:
    """The newest schema, by the migrations' names: alembic would read each of them, at the start of each command."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))[:4]


def _is_newest(url: str) -> bool:
    """Whether the records say so; a migration says it in the transaction that it ends with."""
    place = make_url(url)
    if place.drivername.startswith("sqlite") and not Path(place.database or "").is_file():
        return False
    try:
        with engine_to_read(url).connect() as connection:
            return bool(
                connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == newest_schema()
            )
    except DBAPIError:
        return False


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at ``url``."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


@contextmanager
def writing(settings: Settings) -> Iterator[Session]:
    """A session in one transaction: committed when the block ends well, rolled back otherwise."""
    with Session(engine(settings.records_url), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(settings: Settings) -> Iterator[Session]:
    """A session that sees one moment of the records and never waits for a writer."""
    with Session(engine_to_read(settings.records_url), expire_on_commit=False) as session:
        yield session  # closing ends the transaction; a rollback would empty what was read, too


def only_reads(session: Session) -> bool:
    """Whether what ``session`` sees is committed, so that others may be told of it: it was opened by `reading`."""
    options = session.get_bind().get_execution_options()
    return bool(options.get("attune_read_only") or options.get("postgresql_readonly"))


@lru_cache(maxsize=8)
def engine_to_read(url: str) -> Engine:
    """The same connections, whose transactions only read; kept, as making it takes as long as a small query."""
    new_engine = engine(url)
    if new_engine.dialect.name == "postgresql":
        # Its default shows each statement a moment of its own.
        return new_engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return new_engine.execution_options(attune_read_only=True)
