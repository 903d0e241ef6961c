"""An empty database of Label Studio, made once on a machine: its first start on a workspace then takes seconds.

Label Studio creates its tables by some hundred migrations, half a minute of work that ends the same each time.
"""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from filelock import FileLock

from attune.labeler.label_studio import local
from attune.labeler.label_studio.environment_folder import VERSION, cache, folder
from attune.labeler.settings import Settings, hidden
from attune.models.errors import SettingsError
from attune.models.files.atomic import write_bytes

DATABASE = "label_studio.sqlite3"
ELSEWHERE = "postgresql"  # a note beside it: there is no database here, and none shall be made
NOTE = b"Label Studio's database is a PostgreSQL: ATTUNE_LABEL_STUDIO_DATABASE_URL\n"
RESTORED = NOTE + b"It was restored: whoever was logged in before must log in again.\n"
SECONDS = 600


def place(settings: Settings, report: Callable[[str], None]) -> None:
    """Give a workspace without a Label Studio database a copy of the empty one, made first where there is none.

    Where it cannot be made nothing is placed: Label Studio makes its own at its start, only later. To be called while
    Label Studio does not run. Nothing is placed for one on PostgreSQL either, but a note; raises SettingsError where
    Label Studio would begin anew beside the tasks and answers that it has, in the workspace or on PostgreSQL. The first
    start after a restore ends all logins there, and raises ServiceDown where it cannot.
    """
    database, note = local.data_folder(settings) / DATABASE, local.data_folder(settings) / ELSEWHERE
    if note.exists() and not settings.label_studio_database_url:
        raise SettingsError(
            "This workspace's Label Studio has its tasks and answers in a PostgreSQL, and "
            "ATTUNE_LABEL_STUDIO_DATABASE_URL is not set. Set it to that database again, then start."
        )
    if settings.label_studio_database_url:
        if database.exists():
            raise SettingsError(
                f"ATTUNE_LABEL_STUDIO_DATABASE_URL names a PostgreSQL, but this workspace's Label Studio has its tasks "
                f"and answers in {database}. Attune does not move them. Unset ATTUNE_LABEL_STUDIO_DATABASE_URL, or "
                "begin a new workspace with it (--workspace)."
            )
        if note.exists() and note.read_bytes() == RESTORED:
            local.end_sessions(settings, note)
            where = hidden(settings.label_studio_database_url)
            report(f"Everybody was logged out of Label Studio's database at {where}, as this workspace was restored.")
        write_bytes(note, NOTE, mode=0o600)
        return
    if not database.exists() and (template := ensure(settings, report)) is not None:
        write_bytes(database, template.read_bytes(), mode=0o600)
    if database.exists():
        # Kept in the file: readers and the one writer no longer wait for each other, which halves an expert's wait.
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


def ensure(settings: Settings, report: Callable[[str], None]) -> Path | None:
    """The empty database in the cache folder; None where Label Studio could not make it, or none is needed."""
    if settings.label_studio_database_url:
        return None
    template = cache() / f"label-studio-{VERSION}.sqlite3"
    template.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(template.with_suffix(".lock")):
        if template.exists():
            return template
        report("label studio  makes an empty database (half a minute or more, only once on this machine) …")
        with tempfile.TemporaryDirectory(dir=template.parent) as temporary:
            if not _migrate(settings, Path(temporary)):
                return None
            write_bytes(template, (Path(temporary) / DATABASE).read_bytes())
    return template


def _migrate(settings: Settings, data: Path) -> bool:
    scripts = sorted(folder(settings).glob("lib/python3.*/site-packages/label_studio/manage.py"))
    if not scripts:
        return False
    environment = local.environment(settings) | {"LABEL_STUDIO_BASE_DATA_DIR": str(data)}
    done = subprocess.run(
        [str(folder(settings) / "bin" / "python"), str(scripts[0]), "migrate", "--no-color", "--verbosity", "0"],
        cwd=scripts[0].parent,
        env=environment,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode == 0 and (data / DATABASE).exists()
