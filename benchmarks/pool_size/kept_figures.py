"""What was measured already, in a file beside the workspace: a run that was stopped goes on where it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attune.models.files.atomic import write_bytes
from benchmarks.machine import commit

Row = dict[str, Any]
NAME = "figures.jsonl"


def key(row: Row) -> str:
    """What a row is about: the role, page and way, as far as it has them."""
    return " ".join(str(row[name]) for name in ("role", "page", "way") if name in row)


def read(place: Path) -> dict[str, Row]:
    """The rows so far by their key, the newest of each; a line that was not written whole is left out."""
    rows: dict[str, Row] = {}
    if (place / NAME).exists():
        for line in (place / NAME).read_text().splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            rows[key(row)] = row
    return rows


def once(place: Path, about: Row, measure: Callable[[], Row]) -> Row:
    """The row that is there for ``about``, or ``about`` and what ``measure`` says, with the commit that it was measured
    on, which is kept from now on."""
    found = read(place).get(key(about))
    if found is not None:
        return found
    row = about | measure() | {"commit": commit()}
    with (place / NAME).open("a") as file:
        file.write(json.dumps(row) + "\n")
    return row


def forget(place: Path, only: str = "") -> None:
    """Delete the figures of pages and work whose name has ``only`` in it (a regular expression), so they are measured
    again."""
    rows = [row for row in read(place).values() if not re.search(only, row["page"])]
    if place.exists():
        write_bytes(place / NAME, "".join(json.dumps(row) + "\n" for row in rows).encode())
