"""Images on their way in by browser: pieces of files, kept in the workspace until all have come.

``uploads/PERSON-TICKET/`` holds ``N`` (the bytes of file N), ``N.json`` (its name and size), ``total`` (bytes so far),
and, once all is sent, ``sent.json`` (the job that takes them in) and ``result.json`` (what became of them).
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from attune.labeler.assets import image_uris
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnknownUpload
from attune.models.files.atomic import write_json
from attune.models.files.permissions import private_opener

TICKET = re.compile(r"[0-9a-f]{32}")
KIND = "upload"  # of the job that takes the files in
MOST_FILES = 20_000
MOST_BYTES = 4 * 10**9  # of all files of one upload
LEFT_FREE = 2 * 10**9  # bytes of the disk that stay free: records and Redis write there, too
UNFINISHED_SECONDS = 86_400
FINISHED_SECONDS = 7 * 86_400  # how long the page can tell what became of the files
LONGEST_NAME = 2_000
# Somebody else's upload and none at all look the same.
GONE = "This upload does not exist: it was cancelled, belongs to someone else, or is too old. Send the files again."


@dataclass(frozen=True)
class Part:
    """One file of an upload; ``path`` is where its bytes are."""

    number: int
    name: str
    size: int
    path: Path

    @property
    def held(self) -> int:
        """How many of its bytes have come."""
        return self.path.stat().st_size if self.path.exists() else 0


def begin(settings: Settings, person: int) -> str:
    """Open an upload; the ticket to send files with. Those that were never finished within a day are deleted.

    Raises DataError where the disk is nearly full.
    """
    forget(settings)
    _room(settings)
    ticket = secrets.token_hex(16)
    folder = _top(settings) / f"{person}-{ticket}"
    folder.mkdir(mode=0o700)
    return ticket


def add_piece(
    settings: Settings, person: int, ticket: str, number: int, name: str, size: int, offset: int, content: bytes
) -> int:
    """Keep bytes of file ``number``, which begin at ``offset``; how many of its ``size`` bytes are here now.

    A piece that came before changes nothing, and one that leaves a gap is not kept: the answer says where to go on.
    Raises UnknownUpload, and DataError where the piece does not fit, or the upload becomes too large.
    """
    folder = folder_of(settings, person, ticket)
    if not 0 <= number < MOST_FILES:
        raise DataError(f"This upload has more than {MOST_FILES:,} files. Send the rest in a second upload.")
    if not 0 <= offset <= offset + len(content) <= size or not name or len(name) > LONGEST_NAME:
        raise DataError("A piece of a file does not fit its name or size. Load the page again and choose the files.")
    with FileLock(folder / "lock", timeout=60):
        if (folder / "sent.json").exists():
            raise DataError("This upload is complete, so no more files can be added. Start another one.")
        about, data = folder / f"{number}.json", folder / str(number)
        if about.exists() and json.loads(about.read_text()) != {"name": name, "size": size}:
            raise DataError(f"{name} is another file than the one sent before. Load the page and choose the files.")
        held = data.stat().st_size if data.exists() else 0
        fresh = content[held - offset :] if offset <= held else b""
        total = _read_total(folder) + len(fresh)
        if total > MOST_BYTES:
            raise DataError(
                f"The files are larger than {MOST_BYTES // 10**9} GB together, the most for one upload. Send fewer "
                "at a time, or add the folder on the server: `attune assets add PATH`"
            )
        if fresh:
            _room(settings)
        if not about.exists():
            write_json(about, {"name": name, "size": size})
        with open(data, "ab", opener=private_opener) as file:
            file.write(fresh)
        (folder / "total").write_text(str(total))
    return held + len(fresh)


def received(settings: Settings, person: int, ticket: str) -> dict[int, int]:
    """How many bytes of each file are here. Raises UnknownUpload, and DataError where no more can be added."""
    folder = folder_of(settings, person, ticket)
    if job_of(folder) is not None:
        raise DataError("This upload is complete, so no more files can be added. Start another one.")
    return {part.number: part.held for part in parts(folder)}


def finish(settings: Settings, person: int, ticket: str, count: int, restore: bool = False) -> str:
    """Have the files 0 to ``count`` - 1 taken in; the job's id. Asked again it is the same job.

    ``restore``: images that were removed before come back, with their answers.

    Raises UnknownUpload, DataError where files or pieces are missing, and ServiceDown where Redis does not answer.
    """
    folder = folder_of(settings, person, ticket)
    with FileLock(folder / "lock", timeout=60):
        if (told := job_of(folder)) is not None:
            return _send_again(settings, told)
        check_whole(folder, count)
        with writing(settings) as session:
            job_id = jobs.record(session, KIND, ticket=ticket, asked_by=person, files=count, restore=restore)
        write_json(folder / "sent.json", {"job": job_id})
    jobs.hand_over(settings, job_id, KIND)
    return job_id


def check_whole(folder: Path, count: int) -> list[Part]:
    """The files 0 to ``count`` - 1 of an upload. Raises DataError where files or pieces are missing."""
    there = list(parts(folder))
    whole = {part.number for part in there if part.held == part.size}
    if count < 1 or whole != set(range(count)) or len(there) != count:
        raise DataError(f"{max(0, count - len(whole)):,} of {count:,} files did not arrive whole. Send them again.")
    return there


def _send_again(settings: Settings, job_id: str) -> str:
    """Hand the job over where Redis was away when it was asked for."""
    with writing(settings) as session:
        job = session.get(Job, job_id)
        lost = job is not None and job.state == "lost"
        if job is not None and lost:
            job.state, job.error, job.finished_at = "queued", "", None
    if lost:
        jobs.hand_over(settings, job_id, KIND)
    return job_id


def drop(settings: Settings, person: int, ticket: str) -> None:
    """Delete an upload that is not finished. Raises UnknownUpload, and DataError where it is."""
    folder = folder_of(settings, person, ticket)
    if job_of(folder) is not None:
        raise DataError("These files are already being added. To take images out again: `attune assets remove ID`")
    shutil.rmtree(folder, ignore_errors=True)


def parts(folder: Path) -> Iterator[Part]:
    """The files of an upload in the order in which they were chosen."""
    for about in sorted(folder.glob("[0-9]*.json"), key=lambda path: int(path.stem)):
        told: dict[str, Any] = json.loads(about.read_text())
        yield Part(int(about.stem), told["name"], told["size"], folder / about.stem)


def folder_of(settings: Settings, person: int, ticket: str) -> Path:
    """Where an upload is kept. Raises UnknownUpload where ``person`` has none of this ticket."""
    folder = _top(settings) / f"{person}-{ticket}"
    if not TICKET.fullmatch(ticket) or not folder.is_dir():
        raise UnknownUpload(GONE)
    return folder


def kept_in(settings: Settings, ticket: str) -> Path:
    """Where the images of an upload stay for good."""
    return Path(image_uris.absolute(str(settings.images / f"upload-{ticket[:12]}")))


def job_of(folder: Path) -> str | None:
    """The job that takes the upload in, None before it is finished."""
    with suppress(FileNotFoundError):
        return str(json.loads((folder / "sent.json").read_text())["job"])
    return None


def forget(settings: Settings) -> int:
    """Delete the uploads that nobody finished within a day, and what is left of old finished ones; how many."""
    gone = 0
    for folder in (settings.workspace / "uploads").glob("*"):
        with suppress(FileNotFoundError):
            kept = FINISHED_SECONDS if (folder / "sent.json").exists() else UNFINISHED_SECONDS
            newest = max([folder.stat().st_mtime, *(path.stat().st_mtime for path in folder.glob("total"))])
            if newest < time.time() - kept:
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
    return gone


def _top(settings: Settings) -> Path:
    top = settings.workspace / "uploads"
    top.mkdir(mode=0o700, exist_ok=True)
    return top


def _room(settings: Settings) -> None:
    if shutil.disk_usage(settings.workspace).free < LEFT_FREE:
        raise DataError(
            f"The server's disk has less than {LEFT_FREE // 10**9} GB left, so no files are accepted. Ask the operator "
            "to make room."
        )


def _read_total(folder: Path) -> int:
    with suppress(FileNotFoundError, ValueError):
        return int((folder / "total").read_text())
    return 0
