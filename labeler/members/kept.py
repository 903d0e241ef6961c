"""Members' rows that are kept: hashed, as Parquet until a day, erased by member, by day, or all.

One process at a time changes them, under a lock: of two erasures at once, each would write back whom the other erased.
Rows for one fit alone belong to its command, and go with its job.
"""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import duckdb
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.performance import duck as ducks
from attune.labeler.performance.clean import WRITE
from attune.labeler.performance.duck import connection, literal, parquet
from attune.labeler.performance.source import TRIMMED_SIGNS
from attune.labeler.recommend.histories import hashed
from attune.labeler.records.one_at_a_time import hold_lock
from attune.labeler.records.schema import Job, MemberFile
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, ServiceDown
from attune.models.files.atomic import digest_file
from attune.models.text import plural

JOB = "members"  # the kind of job that makes groups
# Where nothing is to be kept: a worker may have to wait for its turn. Below a day, the least that anybody can ask for.
FOR_ONE_FIT, LEAST_KEPT = timedelta(hours=12), timedelta(days=1)
STRAY_SECONDS = 86_400  # after which a file that no record names is no import at work
PATIENCE_SECONDS, SWEEP_SECONDS = 600, 1
BUSY = "Rows of members are being changed for 10 minutes already. Wait until that ends, then try again."


@contextmanager
def alone(settings: Settings, patience_seconds: int = PATIENCE_SECONDS) -> Iterator[None]:
    """Nobody else adds or erases rows while the block runs. Raises ServiceDown where another does not end."""
    with hold_lock(settings, "member-files", patience_seconds, BUSY):
        yield


def hash_of(settings: Settings, member: str) -> str:
    """What stands for a member, 64 hexadecimal digits: spaces around the id and ways to write a letter do not count."""
    return hashed(settings, unicodedata.normalize("NFC", member.strip(TRIMMED_SIGNS)))


def file_of(settings: Settings, digest: str) -> Path:
    """Where the rows of a file are."""
    return settings.workspace / "members" / f"{digest}.parquet"


def listed(session: Session, kind: str = "") -> list[MemberFile]:
    """What is kept still, of one kind or of both, the oldest first."""
    wanted = select(MemberFile).where(MemberFile.expires_at > now()).order_by(MemberFile.id)
    return list(session.scalars(wanted.where(MemberFile.kind == kind) if kind else wanted))


def usable(session: Session, once: Sequence[int] = ()) -> list[MemberFile]:
    """What a fit may use: what is kept, and of the rows for one fit its own alone, ``once``."""
    return [row for row in listed(session) if not _for_one_fit(row) or row.id in once]


def unmoved(session: Session, files: Sequence[MemberFile]) -> bool:
    """Whether all of ``files`` are as they were: nobody was erased meanwhile."""
    held = {row.id: row.file for row in session.scalars(select(MemberFile))}
    return all(held.get(row.id) == row.file for row in files)


def _for_one_fit(row: MemberFile) -> bool:
    return row.expires_at - row.added_at < LEAST_KEPT


def put(settings: Settings, made: Path, row: MemberFile) -> MemberFile:
    """Keep the Parquet file ``made`` under the record ``row``, which says no ``file`` yet."""
    row.file = digest_file(made)
    with alone(settings):
        _place(settings, made, row.file)
        with writing(settings) as session:
            session.add(row)
            session.flush()
            session.expunge(row)
    return row


def _place(settings: Settings, made: Path, digest: str) -> None:
    """Move a file into the workspace, where only its user can read it."""
    path = file_of(settings, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.chmod(made, 0o600)
    os.replace(made, path)


def erase(settings: Settings, member: str | None = None) -> int:
    """Erase the rows of one member, or of all; how many rows, as they are kept: one for each title or image.

    Raises DataError, after all other files, where one cannot be read: nobody knows who was in it.
    """
    with alone(settings):
        with reading(settings) as session:
            held = list(session.scalars(select(MemberFile).order_by(MemberFile.id)))
        if member is None:
            _delete(settings, [row.id for row in held])
            _unlink(settings, [path.stem for path in _files(settings)])  # also what killed commands left
            return sum(row.rows for row in held)
        mine, gone, missing = f"member = {literal(hash_of(settings, member))}", 0, []
        with connection(settings) as (duck, folder):
            for row in held:
                try:
                    gone += _without(settings, duck, folder, row, mine)
                except (duckdb.Error, FileNotFoundError):
                    missing.append(row)
    if missing:
        names = ", ".join(f"{file_of(settings, row.file)} (of {row.source})" for row in missing)
        raise DataError(
            f"{plural(gone, 'row')} erased, but {plural(len(missing), 'file')} of kept rows cannot be read: {names}. "
            "Put each back from a backup and erase again, or erase everybody: `attune members erase --everybody`"
        )
    return gone


def _without(settings: Settings, duck: duckdb.DuckDBPyConnection, folder: Path, row: MemberFile, mine: str) -> int:
    """Write a file again without the rows that are ``mine``; how many."""
    table, made = parquet(file_of(settings, row.file)), folder / "kept.parquet"
    (count,) = duck.execute(f"SELECT count(*) FROM {table} WHERE {mine}").fetchall()[0]
    if not count:
        return 0
    duck.execute(f"COPY (SELECT * FROM {table} WHERE NOT ({mine})) TO {literal(str(made))} {WRITE}")
    digest = digest_file(made)
    _place(settings, made, digest)
    with writing(settings) as session:
        held = session.get(MemberFile, row.id)
        if held is None or held.file != row.file:  # beside the lock, as by a restore
            raise FileNotFoundError(row.file)
        held.file, held.rows = digest, row.rows - count
    _unlink(settings, [row.file])
    return int(count)


def delete(settings: Settings, numbers: Sequence[int]) -> None:
    """Delete some files and their records."""
    if numbers:
        with alone(settings):
            _delete(settings, numbers)


def let_go(settings: Settings, once: Sequence[int]) -> None:
    """Delete rows for one fit, but for those of a job that waits or works: it deletes them itself."""
    with reading(settings) as session:
        open_ones = session.scalars(select(Job).where(Job.kind == JOB, Job.state.in_(("queued", "running"))))
        named = {number for job in open_ones for number in job.arguments.get("once", ())}
    delete(settings, [number for number in once if number not in named])


def _delete(settings: Settings, numbers: Sequence[int]) -> None:
    with writing(settings) as session:
        rows = list(session.scalars(select(MemberFile).where(MemberFile.id.in_(list(numbers)))))
        digests = [row.file for row in rows]
        for row in rows:
            session.delete(row)
    _unlink(settings, digests)


def _unlink(settings: Settings, digests: Sequence[str]) -> None:
    """Delete some files, unless a record names them: the same rows may be kept twice."""
    with reading(settings) as session:
        named = set(session.scalars(select(MemberFile.file).where(MemberFile.file.in_(list(digests)))))
    for digest in set(digests) - named:
        file_of(settings, digest).unlink(missing_ok=True)


def _files(settings: Settings) -> list[Path]:
    return list(file_of(settings, "x").parent.glob("*.parquet"))


def sweep(settings: Settings) -> None:
    """Delete what was to be kept until now, rows of jobs that ended, and what commands that were killed left.

    Where somebody works with the rows, the next sweep does it.
    """
    ducks.forget(settings.workspace)
    if not any(_to_go(settings)):
        return
    with suppress(ServiceDown), alone(settings, SWEEP_SECONDS):
        numbers, strays = _to_go(settings)
        _delete(settings, numbers)
        _unlink(settings, strays)


def _to_go(settings: Settings) -> tuple[list[int], list[str]]:
    """Numbers of records whose rows are to go, and digests of files that no record names, of no import at work."""
    strays = []
    for path in _files(settings):
        with suppress(FileNotFoundError):  # it was erased just now
            if path.stat().st_mtime < time.time() - STRAY_SECONDS:
                strays.append(path.stem)
    with reading(settings) as session:
        old = list(session.scalars(select(MemberFile.id).where(MemberFile.expires_at <= now())))
        named = set(session.scalars(select(MemberFile.file)))
        return old + _abandoned(session), [one for one in strays if one not in named]


def _abandoned(session: Session) -> list[int]:
    """Rows for one fit whose job ended without them: its worker was killed."""
    once = [row for row in session.scalars(select(MemberFile)) if _for_one_fit(row)]
    if not once:
        return []
    ended = list(session.scalars(select(Job).where(Job.kind == JOB, Job.state.in_(("done", "failed", "lost")))))
    # SQLite gives a number again: a job that was asked for before the file means another one.
    return [
        row.id for row in once
        if any(row.id in job.arguments.get("once", ()) and job.created_at >= row.added_at for job in ended)
    ]  # fmt: skip
