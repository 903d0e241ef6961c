"""Databases for tests: SQLite always, and a PostgreSQL of our own where a server is installed.

The server listens on a socket in a temporary folder alone, runs as an unprivileged user (it refuses root), and is kept
for the session; every test that asks gets a database of its own. Where there is none those tests are skipped, which
ATTUNE_REQUIRE_POSTGRESQL=1 turns into a failure.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text

from attune.labeler import settings as reader
from attune.labeler.records.session import engine as records
from attune.labeler.records.session import migrate
from attune.labeler.settings import Settings

FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
MISSING = (
    "NOT TESTED ON POSTGRESQL: no server is installed here (looked for initdb on PATH and in "
    f"{', '.join(FOLDERS)}). Debian: apt-get install postgresql."
)
UNPRIVILEGED = ("postgres", "nobody")
BOTH = ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.slow])]
MakeUrl = Callable[..., str]
NEWEST = "newest"


@contextmanager
def statements(settings: Settings) -> Iterator[list[str]]:
    """The SQL that a block runs."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(records(settings.records_url), "before_cursor_execute", note)
    yield seen
    event.remove(records(settings.records_url), "before_cursor_execute", note)


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs, the newest where there are several; None where there is none."""
    on_path = shutil.which("initdb")
    found = [*(path for pattern in FOLDERS for path in sorted(Path("/").glob(pattern[1:]))), *_folder_of(on_path)]
    return next((path for path in reversed(found) if (path / "postgres").exists()), None)


def _folder_of(program: str | None) -> list[Path]:
    return [Path(program).resolve().parent] if program else []


@pytest.fixture(scope="session")
def postgresql() -> Iterator[MakeUrl]:
    """`server`, for the session."""
    bin_folder = programs()
    if bin_folder is None:
        if os.environ.get("ATTUNE_REQUIRE_POSTGRESQL") == "1":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with server(bin_folder) as make:
        yield make


@contextmanager
def server(bin_folder: Path) -> Iterator[MakeUrl]:
    """A function that makes a database and returns its address: empty, or ``migrated`` to the newest schema."""
    who = _who()
    folder = Path(tempfile.mkdtemp(prefix="attune-pg-"))
    if who:
        shutil.chown(folder, user=who)
    data = folder / "data"
    _run(who, str(bin_folder / "initdb"), "-D", str(data), "-U", "attune", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -k {folder} -c fsync=off -c max_connections=60"
    control = (str(bin_folder / "pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-w")
    _run(who, *control, "-o", options, "start")
    numbers = count(1)

    def create(name: str, template: str = "template1") -> str:
        engine = create_engine(_address(folder, "postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        engine.dispose()
        return _address(folder, name)

    @cache
    def newest() -> str:
        made = reader.build({}, workspace=folder / "workspace", database_url=create(NEWEST))
        migrate(made)
        records(made.records_url).dispose()  # nobody may be connected to what is copied
        return NEWEST

    def make(migrated: bool = False) -> str:
        name = f"attune{next(numbers)}"
        return create(name, newest()) if migrated else create(name)

    try:
        yield make
    finally:
        _run(who, *control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def database(request: pytest.FixtureRequest) -> str | None:
    """The address for a fixture that is parametrised by `BOTH`; None where SQLite in the workspace will do.

    Its records are at the newest schema: a copy takes a tenth of what the migrations take.
    """
    make: MakeUrl | None = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return make(migrated=True) if make else None


def _address(folder: Path, name: str) -> str:
    return f"postgresql+psycopg://attune@/{name}?host={folder}"


def _who() -> str | None:
    """The user to run the server as; None for ourselves."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


def _run(who: str | None, *command: str) -> None:
    # Its output goes to a file, not a pipe: the server would hold a pipe open for as long as it lives.
    extra: dict[str, Any] = {"user": who} if who else {}
    with tempfile.TemporaryFile() as told:
        done = subprocess.run(command, stdout=told, stderr=told, cwd="/", check=False, **extra)
        told.seek(0)
        assert done.returncode == 0, f"{command[0]}: {told.read().decode(errors='replace')[-2000:]}"
