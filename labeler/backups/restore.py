"""Restore a backup into an empty folder: checked while it is copied, and in its place only when all of it is there."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import ColumnElement, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from attune.labeler.assets import image_uris
from attune.labeler.backups import contents, copying, manifest
from attune.labeler.backups.manifest import Counts, Manifest, Report
from attune.labeler.label_studio import database_template
from attune.labeler.people import erase_again, erased_list
from attune.labeler.people.erase_again import Repeated
from attune.labeler.people.erased_list import Erased
from attune.labeler.records import copy_rows
from attune.labeler.records.schema import Asset, ConsoleSession, SignInLink
from attune.labeler.records.session import configuration, engine, migrate, reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import AlreadyThere, DataError, UnwritableFile
from attune.models.files.atomic import write_bytes
from attune.models.reasons import reason

MAKING = ".restoring"


@dataclass(frozen=True)
class Restored:
    """What the backup said, how many images of the workspace have no file in it (they had none before), and who is to
    be erased again."""

    manifest: Manifest
    without_file: int
    erased_again: Repeated = field(default_factory=Repeated)


def restore(backup: Path, settings: Settings, report: Report, erased: Path | None = None) -> Restored:
    """Make the workspace of ``settings`` from the folder ``backup``, and bring its records to the newest schema.

    ``report`` hears of bytes. ``erased`` is the list of a newer workspace: whoever it names and the backup still has
    is erased again, by jobs that the next start does. Whoever was logged in then must log in again, and unused login
    links end. Images that lay in the old workspace are found in the new one. With ``database_url`` the records go
    there, last. Raises DataError for a backup that is not whole or of a newer Attune, AlreadyThere where the workspace
    or the database holds something, UnwritableFile where the workspace cannot be written; nothing is restored then. A
    kill leaves a folder that is no workspace; restoring again begins anew.
    """
    found = manifest.read(backup)
    known_erased = erased_list.read_given(erased) if erased else ()
    _check_schema(backup, found)
    _check_place(settings.workspace)
    if settings.database_url:
        copy_rows.check_empty(settings.database_url)
    manifest.check_inside(backup, found.files)
    fresh = not settings.workspace.exists()
    making = settings.workspace / MAKING  # inside, as a workspace may be a volume that nothing can be renamed onto
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True, mode=0o700)
        copying.copy_checked(backup, making, found.files, report)
        missing = _prepare(making, found, settings)
        again = _erase_again(replace(settings, workspace=making, database_url=None), known_erased)
        _put_in_place(making, settings.workspace)
    except OSError as error:
        raise UnwritableFile(
            f"{settings.workspace} cannot be written: {reason(error)}. Nothing was restored. Make room, or name "
            "another folder with --workspace."
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
        if fresh and settings.workspace.is_dir() and not any(settings.workspace.iterdir()):
            settings.workspace.rmdir()
    if settings.database_url:
        _to_database(settings)
    return Restored(found, missing, again)


def _put_in_place(making: Path, workspace: Path) -> None:
    """Move everything up, the records last: without them a folder is no workspace."""
    for name in sorted((path.name for path in making.iterdir()), key=lambda name: (name == contents.RECORDS, name)):
        os.replace(making / name, workspace / name)


def _to_database(settings: Settings) -> None:
    assert settings.database_url is not None
    file = settings.workspace / contents.RECORDS
    copy_rows.copy(f"sqlite:///{file}", settings.database_url, lambda _done, _total: None)
    file.unlink()


def _check_schema(backup: Path, found: Manifest) -> None:
    known = {one.revision for one in ScriptDirectory.from_config(configuration("sqlite://")).walk_revisions()}
    if found.schema not in known:
        raise DataError(
            f"{backup} has records of schema {found.schema}, which this Attune does not know: Attune {found.attune} "
            "made them. Install that release or a newer one, and restore again."
        )


def _check_place(workspace: Path) -> None:
    if workspace.exists() and (not workspace.is_dir() or any(path.name != MAKING for path in workspace.iterdir())):
        raise AlreadyThere(
            f"{workspace} is there already and not empty. Nothing was restored, so that nothing is lost. Name a new "
            "folder: `attune restore BACKUP --workspace FOLDER`"
        )


def _prepare(making: Path, found: Manifest, settings: Settings) -> int:
    """Make what was copied into ``making`` a workspace of today, at the place that it is going to have.

    Returns how many images that should lie in it do not.
    """
    here, place = replace(settings, workspace=making, database_url=None), image_uris.absolute(str(settings.workspace))
    migrate(here)
    with writing(here) as session:
        _end_logins(session)
        _move_images(session, found.workspace, place)
    with reading(here) as session:
        _check_counts(found.counts, manifest.count(session))
        inside = select(Asset.uri).where(Asset.removed_at.is_(None), _below(place))
        missing = sum(not (making / uri[len(place) + 1 :]).is_file() for uri in session.scalars(inside))
    engine(here.records_url).dispose()  # its folder is about to be moved
    (making / "records.lock").unlink(missing_ok=True)
    _end_logins_there(making)
    return missing


def _erase_again(here: Settings, erased: tuple[Erased, ...]) -> Repeated:
    """Record the erasures of whom the backup brought back, and the list that knows them."""
    erased_list.join(here.workspace, erased)
    again = erase_again.repeat(here, erased_list.of(here))
    engine(here.records_url).dispose()
    return again


def _end_logins(session: Session) -> None:
    session.execute(delete(ConsoleSession))
    session.execute(delete(SignInLink).where(SignInLink.used_at.is_(None)))


def _end_logins_there(making: Path) -> None:
    """In Label Studio's database at once, on PostgreSQL by the first start: its dump may still have to be restored."""
    if (making / contents.LABEL_STUDIO_DATABASE).is_file():
        with closing(sqlite3.connect(making / contents.LABEL_STUDIO_DATABASE)) as database:
            database.execute("DELETE FROM django_session")
            database.commit()
    note = making / contents.LABEL_STUDIO / database_template.ELSEWHERE
    if note.is_file():
        write_bytes(note, database_template.RESTORED, mode=0o600)


def _move_images(session: Session, before: tuple[str, ...], after: str) -> None:
    """Images that lay in the old workspace lie in the new one: those that came by browser, and the sample's."""
    moved = case(*((_below(one), after + func.substr(Asset.uri, len(one) + 1)) for one in before), else_=Asset.uri)
    session.execute(update(Asset).values(uri=moved).where(or_(*map(_below, before))))


def _below(folder: str) -> ColumnElement[bool]:
    return func.substr(Asset.uri, 1, len(folder) + 1) == folder + "/"


def _check_counts(wanted: Counts, found: Counts) -> None:
    if wanted != found:
        raise DataError(
            f"The backup's list says {wanted}, its records hold {found}: they are of two backups. Nothing was "
            "restored. Use another backup."
        )
