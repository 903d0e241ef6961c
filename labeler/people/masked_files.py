"""A person in the workspace's files of lines: the access log's rows are blanked, addresses in it and in logs masked.

In place and byte for byte, as programs go on appending meanwhile: a file that is written anew would lose their lines.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from attune.labeler.people import access_log
from attune.labeler.people.personal_data import pattern, texts_of
from attune.labeler.settings import Settings

MASK = b"x"


def mask(settings: Settings, email: str) -> int:
    """Take ``email`` out of the access log and the logs; how many rows of the access log were the person's.

    Killed in between, or done twice, it goes on where it was.
    """
    patterns = [re.compile(pattern(text).pattern.encode(), re.IGNORECASE) for text in texts_of(email, "")]
    rows = sum(_change(file, patterns, email) for file in (settings.workspace / access_log.FOLDER).glob("*.jsonl"))
    for _ in range(2):  # a log that was put aside meanwhile has a copy that the first list lacks
        for file in settings.logs.glob("*.log*"):
            _change(file, patterns, None)
    return rows


def _change(file: Path, patterns: list[re.Pattern[bytes]], email: str | None) -> int:
    """Blank the lines that are of ``email``, then mask what is left of the address."""
    with file.open("r+b", buffering=0) as opened:
        content = bytearray(opened.read())
        rows = 0
        for start, end in list(_lines(content, patterns)) if email else ():
            if _is_of(content[start:end], email or ""):
                _put(opened.fileno(), content, start, b" " * (end - start))
                rows += 1
        for one in patterns:
            for start, end in [found.span() for found in one.finditer(content)]:
                _put(opened.fileno(), content, start, MASK * (end - start))
    return rows


def _put(file: int, content: bytearray, start: int, after: bytes) -> None:
    """Write ``after`` over what was read, unless the file was emptied since, as the supervisor does with long logs."""
    end = start + len(after)
    if os.pread(file, len(after), start) == content[start:end]:
        os.pwrite(file, after, start)
    content[start:end] = after


def _lines(content: bytearray, patterns: list[re.Pattern[bytes]]) -> Iterator[tuple[int, int]]:
    """Where the lines that hold the address begin and end."""
    for one in patterns:
        for found in one.finditer(content):
            end = content.find(b"\n", found.end())
            yield content.rfind(b"\n", 0, found.start()) + 1, end if end >= 0 else len(content)


def _is_of(line: bytearray, email: str) -> bool:
    try:
        return str(json.loads(line)["who"]).casefold() == email
    except (ValueError, KeyError, TypeError):
        return False
