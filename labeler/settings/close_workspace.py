"""A workspace that was made before: its folders and files become their owner's alone, as new ones are.

Shutting the one folder at the top keeps everyone out of all that lies below, at the price of one call to the system.
The files are shut as well, once a start, because a copy or a backup takes their modes along without that folder. What
lies in `cache/` and the demo's drawings is left out: it may be 200,000 thumbnails, a folder on the way is shut, and
no one needs a copy of them.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from attune.labeler.services.finding import Finding
from attune.labeler.settings import Settings
from attune.models.files.permissions import is_open

NOT_LOOKED_INTO = ("cache", "sample-catalogue")


def top(workspace: Path) -> None:
    """Let no one but its owner into the ``workspace``, if it is there; another user's is left as it is."""
    with suppress(OSError):
        real = workspace.resolve()  # it may be a link, and a link has no mode
        if is_open(real):
            real.chmod(0o700)


def all_of(workspace: Path) -> int:
    """Make everything in ``workspace`` its owner's alone; how many files and folders were not."""
    done = 0
    for path in still_open(workspace):
        with suppress(OSError):  # gone since, or another user's: `attune doctor` names what stays open
            os.chmod(path, os.lstat(path).st_mode & 0o700)
            done += 1
    return done


def still_open(workspace: Path) -> Iterator[str]:
    """The folder at the top, and what is in it, that others than its owner may read or write by its mode."""
    real = str(workspace.resolve())
    with suppress(OSError):
        if is_open(real):
            yield real
    for place, folders, files in os.walk(real):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            with suppress(OSError):
                if is_open(path):
                    yield path
        if place == real:
            folders[:] = [name for name in folders if name not in NOT_LOOKED_INTO]


def finding(settings: Settings) -> Finding:
    """Only its owner may read the workspace: a warning that names what others may, too."""
    if not settings.workspace.exists():
        return Finding("private", "ok", "there is no workspace yet")
    open_paths = list(still_open(settings.workspace))
    if not open_paths:
        return Finding("private", "ok", "only its owner can read the workspace")
    paths_text = ", ".join(open_paths[:3]) + (f" and {len(open_paths) - 3:,} more" if len(open_paths) > 3 else "")
    todo = (
        "The next `attune up` makes them private. Or run, as their owner: `chmod -R go-rwx "
        f"{shlex.quote(str(settings.workspace))}`"
    )
    return Finding("private", "warn", f"other users of this computer can read {paths_text}", todo)


__all__ = ["all_of", "finding", "still_open", "top"]
