"""The records, Label Studio's database, or both on a PostgreSQL of the campaign's own, and its faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from attune.labeler.settings import Settings
from tests.resilience.faults import Fault
from tests.support.databases import MISSING, programs, server

TRIES = 10


@contextmanager
def database() -> Iterator[str]:
    """The address of an empty database. Raises FileNotFoundError where no server is installed."""
    bin_folder = programs()
    if bin_folder is None:
        raise FileNotFoundError(MISSING)
    with server(bin_folder) as make:
        yield make()


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _locked(settings: Settings, chance: Random) -> bool:
    """Another program holds the answers and questions for some seconds, as a careless migration does.

    Where PostgreSQL breaks a deadlock by refusing this program, and not Attune, it tries again.
    """
    for _ in range(TRIES):
        with suppress(OperationalError), _connected(settings.records_url) as connection:
            connection.execute(text("LOCK TABLE annotations, tasks, attributes IN ACCESS EXCLUSIVE MODE"))
            time.sleep(chance.uniform(1, 6))
            return True
    return False


def _cut(url: str) -> bool:
    """PostgreSQL ends every connection but this one, as on a restart or where a network goes away."""
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    with _connected(url) as connection:
        return bool(connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}")).all())


def _cut_records(settings: Settings, _chance: Random) -> bool:
    return _cut(settings.records_url)


def _cut_label_studio(settings: Settings, _chance: Random) -> bool:
    assert settings.label_studio_database_url is not None
    return _cut(settings.label_studio_database_url)


FAULTS = (Fault("PostgreSQL's tables locked", _locked), Fault("PostgreSQL cuts all connections", _cut_records))
OF_LABEL_STUDIO = (Fault("PostgreSQL cuts Label Studio's connections", _cut_label_studio),)
