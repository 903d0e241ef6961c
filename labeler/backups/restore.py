"""Restore a backup into an empty folder: checked whole first, and in its place only when all of it is there."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import case, delete, func, update
from sqlalchemy.orm import Session

from attune.labeler.backups import contents, copying, manifest
from attune.labeler.backups.manifest import Counts, Manifest, Report
from attune.labeler.records import copy_rows
from attune.labeler.records.schema import Asset, ConsoleSession, SignInLink
from attune.labeler.records.session import configuration, engine, migrate, reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import AlreadyThere, DataError, UnwritableFile
from attune.models.reasons import reason


def restore(backup: Path, settings: Settings, report: Report) -> Manifest:
    """Make the workspace of ``settings`` from the folder ``backup``, and bring its records to the newest schema.

    ``report`` hears of bytes, checked and copied. Whoever was logged in then must log in again, and unused login links
    end. Images that lay in the old workspace are found in the new one. With ``database_url`` the records go there.
    Raises DataError for a backup that is not whole or of a newer Attune, AlreadyThere where the workspace or the
    database holds something, UnwritableFile where the workspace cannot be written; nothing is restored then.
    """
    found = manifest.read(backup)
    _check_schema(backup, found)
    _check_place(settings.workspace)
    total = 2 * found.bytes
    manifest.check(backup, found.files, lambda done, _total: report(done, total))
    making = settings.workspace.with_name(f".{settings.workspace.name}.restoring")
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True, mode=0o700)
        done = found.bytes
        for entry in found.files:
            copied = copying.copy_file(backup, making, entry.path)
            if copied.sha256 != entry.sha256:
                raise DataError(f"{entry.path} of {backup} changed while it was read. Restore again.")
            report(done := done + entry.bytes, total)
        _prepare(making, found, settings)
        if settings.workspace.exists():
            settings.workspace.rmdir()
        os.replace(making, settings.workspace)
    except OSError as error:
        raise UnwritableFile(
            f"{settings.workspace} cannot be written: {reason(error)}. Nothing was restored. Make room, or name "
            "another folder with --workspace."
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return found


def _check_schema(backup: Path, found: Manifest) -> None:
    known = {one.revision for one in ScriptDirectory.from_config(configuration("sqlite://")).walk_revisions()}
    if found.schema not in known:
        raise DataError(
            f"{backup} has records of schema {found.schema}, which this Attune does not know: Attune {found.attune} "
            "made them. Install that release or a newer one, and restore again."
        )


def _check_place(workspace: Path) -> None:
    if workspace.exists() and (not workspace.is_dir() or any(workspace.iterdir())):
        raise AlreadyThere(
            f"{workspace} is there already and not empty. Nothing was restored, so that nothing is lost. Name a new "
            "folder: `attune restore BACKUP --workspace FOLDER`"
        )


def _prepare(making: Path, found: Manifest, settings: Settings) -> None:
    """Make what was copied into ``making`` a workspace of today, at the place that it is going to have."""
    here = replace(settings, workspace=making, database_url=None)
    migrate(here)
    with writing(here) as session:
        _end_logins(session)
        _move_images(session, found.workspace, str(settings.workspace.absolute()))
    with reading(here) as session:
        _check_counts(found.counts, manifest.count(session))
    opened = engine(here.records_url)
    opened.dispose()  # the folder is about to be renamed
    if (making / contents.LABEL_STUDIO_DATABASE).is_file():
        with closing(sqlite3.connect(making / contents.LABEL_STUDIO_DATABASE)) as database:
            database.execute("DELETE FROM django_session")
            database.commit()
    if settings.database_url:
        copy_rows.copy(here.records_url, settings.database_url, lambda _done, _total: None)
        for side in ("", *contents.DATABASE_SIDES):
            (making / (contents.RECORDS + side)).unlink(missing_ok=True)


def _end_logins(session: Session) -> None:
    session.execute(delete(ConsoleSession))
    session.execute(delete(SignInLink).where(SignInLink.used_at.is_(None)))


def _move_images(session: Session, before: str, after: str) -> None:
    """Images that lay in the old workspace lie in the new one: those that came by browser, and the sample's."""
    inside = func.substr(Asset.uri, 1, len(before) + 1) == before + "/"
    moved = after + func.substr(Asset.uri, len(before) + 1)
    session.execute(update(Asset).values(uri=case((inside, moved), else_=Asset.uri)).where(inside))


def _check_counts(wanted: Counts, found: Counts) -> None:
    if wanted != found:
        raise DataError(
            f"The backup's list says {wanted}, its records hold {found}: they are of two backups. Nothing was "
            "restored. Use another backup."
        )
