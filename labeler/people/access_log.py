"""The log of who saw and exported what: a file of JSON lines for each day in the workspace's ``access-log``, mode 0600.

Files and not records: a line is one append, whatever else is written, and old days go by deleting their file.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from attune.labeler.settings import Settings
from attune.models.clock import now

log = logging.getLogger("attune.web")
FOLDER = "access-log"
KINDS = ("saw", "exported", "refused")
LONGEST = 2000  # characters of an address that are kept
FLAGS = os.O_WRONLY | os.O_APPEND


@dataclass(frozen=True)
class Entry:
    """One request. ``images``: the assets whose pictures the reply showed, or had ready to be shown next."""

    at: str  # UTC, ISO 8601
    who: str  # a person's login or a token's name
    role: str
    network_address: str
    kind: str  # of ``KINDS``
    page: str
    path: str
    images: list[str] = field(default_factory=list)


NAMES = frozenset(one.name for one in fields(Entry))


def write(settings: Settings, entry: Entry) -> None:
    """Append ``entry`` to its day's file.

    A full disk must not take a page away from an expert: the line is missing then, and the console's log says so.
    """
    folder = settings.workspace / FOLDER
    # A line of its own, whatever a process that was killed left before it.
    line = "\n" + json.dumps(asdict(entry), ensure_ascii=False, separators=(",", ":"))
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        number = os.open(folder / f"{entry.at[:10]}.jsonl", FLAGS | os.O_CREAT, 0o600)
        try:
            os.write(number, line.encode(errors="replace"))
        finally:
            os.close(number)
    except OSError as reason:
        log.error("access log: a line was not written (%s): free space in %s", type(reason).__name__, folder)


def sweep(settings: Settings) -> None:
    """Delete the days that the setting keeps no longer; all of them where it keeps none."""
    days = settings.access_log_days
    oldest = (now() - timedelta(days=days)).date()
    for file in (settings.workspace / FOLDER).glob("*.jsonl"):
        day = _day(file)
        if day is not None and (day < oldest or not days):
            file.unlink(missing_ok=True)


def read(
    settings: Settings, since: date | None = None, who: str = "", image: str = "", kind: str = ""
) -> Iterator[Entry]:
    """Entries, oldest first, of ``who`` (part of the name, capitals alike), of one ``image`` (its asset_id), of a kind.

    Lines that are no entry, as of a process that was killed while it wrote, are left out.
    """
    for file in sorted((settings.workspace / FOLDER).glob("*.jsonl")):
        day = _day(file)
        if day is None or (since is not None and day < since):
            continue
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                entry = _entry(line)
                if entry is None or (kind and entry.kind != kind) or (image and image not in entry.images):
                    continue
                if who.casefold() in entry.who.casefold():
                    yield entry


def _day(file: Path) -> date | None:
    try:
        return date.fromisoformat(file.stem)
    except ValueError:
        return None


def _entry(line: str) -> Entry | None:
    try:
        value: Any = json.loads(line)
        datetime.fromisoformat(value["at"])
        return Entry(**{name: value[name] for name in NAMES})
    except (ValueError, TypeError, KeyError):
        return None
