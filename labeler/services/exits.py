"""How a command or a part ends: the sentence on stderr and the exit code for whatever was raised, never a trace.

What was not foreseen gets an id; its trace goes into the workspace's ``logs/errors.log`` under that id, and to stderr
only where ATTUNE_LOG_LEVEL is DEBUG.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from attune.models.clock import iso, now
from attune.models.errors import AttuneError, ExtraNotInstalled, ServiceDown, consequence
from attune.models.files.paths import printable
from attune.models.reasons import FORBIDDEN, FULL, missing_extra, reason

LOG = "errors.log"
UNEXPECTED, STOPPED, PIPE = 70, 130, 1  # the first as sysexits.h has it: an error inside the program
RECORDS_DOWN, UNUSABLE, SYSTEM = consequence(ServiceDown).exit_code, 3, 13
DEBUG = "ATTUNE_LOG_LEVEL"


@dataclass(frozen=True)
class Ending:
    """What is said on stderr (nothing where empty), and the exit code."""

    said: str
    code: int


def ending(error: BaseException, workspace: Path | None = None) -> Ending:
    """The end that ``error`` makes of a command which worked on ``workspace``; writes the log of an unforeseen one."""
    if isinstance(error, AttuneError):
        return Ending(printable(error), consequence(type(error)).exit_code)
    if isinstance(error, KeyboardInterrupt):
        return Ending("Stopped.", STOPPED)
    if isinstance(error, BrokenPipeError):
        return Ending("", PIPE)
    if message := missing_extra(error):
        return Ending(message, consequence(ExtraNotInstalled).exit_code)
    known_ending = _records(error, workspace) or _system(error) or _number(error) or _text(error)
    return known_ending or _unexpected(error, workspace)


def _records(error: BaseException, workspace: Path | None) -> Ending | None:
    """The records in SQLite or PostgreSQL refused; SQLAlchemy is not loaded for `pull`, so it is not asked for here."""
    original = getattr(error, "orig", None) or error
    cause = type(original)
    if not (isinstance(original, sqlite3.OperationalError) or cause.__module__.startswith("psycopg")):
        return None
    where = f"The records of {workspace}" if workspace else "The records"
    text = str(original).lower()
    if "locked" in text:
        sentence = "are in use by another program. Try again in a minute"
    elif "readonly" in text or "unable to open" in text:
        sentence = (
            f"cannot be written. Check who may write to the folder, or run as the user who created it ({workspace})"
        )
    elif "full" in text or "disk i/o" in text:
        sentence = "cannot be written: the disk is full or reports an error. Free some space, then try again"
    elif isinstance(original, sqlite3.OperationalError) and "no such" in text:
        return None  # a statement that does not fit the tables: a mistake of ours
    elif cause.__name__ in {"OperationalError", "InterfaceError"}:
        sentence = "do not answer. Check ATTUNE_DATABASE_URL, and that the database server runs"
    else:
        return None
    return Ending(f"{where} {sentence}. To test each service: `attune doctor`", RECORDS_DOWN)


def _system(error: BaseException) -> Ending | None:
    if isinstance(error, MemoryError):
        return Ending(
            "This computer does not have enough memory for this command. Close other programs, or use fewer "
            "items at once.",
            SYSTEM,
        )
    if not isinstance(error, OSError) or error.errno is None:
        return None
    place = printable(error.filename) if error.filename is not None else ""
    why = reason(error)
    sentence = f"{place} cannot be used: {why}." if place else f"The system refused a request: {why}."
    if error.errno in FULL:
        return Ending(f"{sentence} Free some space and run the command again.", SYSTEM)
    if error.errno in FORBIDDEN:
        return Ending(f"{sentence} Change its permissions, or use another location.", SYSTEM)
    return Ending(f"{sentence} Check it, then run the command again.", SYSTEM)


def _number(error: BaseException) -> Ending | None:
    if isinstance(error, OverflowError):
        return Ending("A number in the command or the file is too large. Give a smaller one.", UNUSABLE)
    return None


def _text(error: BaseException) -> Ending | None:
    """A name whose bytes are no UTF-8, as old disks have them, where a text is needed."""
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        shown = printable(error.object)[:80]
        return Ending(f"{shown} is not UTF-8 text. Type it again, or rename the file.", UNUSABLE)
    return None


def _unexpected(error: BaseException, workspace: Path | None) -> Ending:
    number = secrets.token_hex(4)
    trace = "".join(traceback.format_exception(error))
    crash_report = _write_report(number, trace, workspace)
    if os.environ.get(DEBUG, "").upper() == "DEBUG":
        print(trace, file=sys.stderr)
    where = (
        f"The details are in {crash_report}" if crash_report else f"To see the details, run it again with {DEBUG}=DEBUG"
    )
    return Ending(
        f"Attune had an internal error (number {number}) and stopped this command. {where}. Report them with "
        "this number.",
        UNEXPECTED,
    )


def _write_report(number: str, trace: str, workspace: Path | None) -> Path | None:
    """The log that now holds the trace, readable by its owner alone; None where the workspace has no place for it."""
    if workspace is None or not workspace.is_dir():
        return None
    path = workspace / "logs" / LOG
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{iso(now())} error {number}\n{trace}\n")
        return path
    return None
