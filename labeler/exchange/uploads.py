"""Uploaded files between their preview and the confirmation: kept aside for a day, for the person who sent them."""

from __future__ import annotations

import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.files.atomic import write_bytes

TICKET = re.compile(r"[0-9a-f]{32}")
KEPT_SECONDS = 86_400


def keep(settings: Settings, person: int, content: bytes) -> str:
    """Put an upload aside; the ticket to fetch it with. Uploads that no one confirmed within a day are deleted."""
    _forget(settings)
    ticket = secrets.token_hex(16)
    write_bytes(_path(settings, person, ticket), content, mode=0o600)
    return ticket


def fetch(settings: Settings, person: int, ticket: str) -> bytes:
    """The upload that ``person`` got this ticket for. Raises DataError where there is none, or none any more."""
    if TICKET.fullmatch(ticket):
        with suppress(FileNotFoundError):
            return _path(settings, person, ticket).read_bytes()
    raise DataError(
        "file: the upload does not exist any more: it was imported, or is older than a day. Choose the file again."
    )


def is_there(settings: Settings, person: int, ticket: str) -> bool:
    """Whether the upload that ``person`` got this ticket for is still kept."""
    return TICKET.fullmatch(ticket) is not None and _path(settings, person, ticket).exists()


def drop(settings: Settings, person: int, ticket: str) -> None:
    """Delete an upload that was imported."""
    _path(settings, person, ticket).unlink(missing_ok=True)


def _path(settings: Settings, person: int, ticket: str) -> Path:
    return settings.workspace / "imports" / f"{person}-{ticket}"


def _forget(settings: Settings) -> None:
    for path in (settings.workspace / "imports").glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                path.unlink()
