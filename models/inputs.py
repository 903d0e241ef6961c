"""Files that a user names to be read: whole, from a pipe too, but never from a device that has no end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from models.errors import UnreadableItem
from models.reasons import reason


def read_user_file(path: Path, what: str = "") -> bytes:
    """The bytes of ``path``, which messages call ``what``. Raises UnreadableItem that says why there are none.

    A pipe is read to its end, as a shell's ``<(…)`` needs it; a device such as /dev/zero would fill the memory.
    """
    name = f"{what or 'The file'} {path}"
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOCTTY), "rb") as file:
            if stat.S_ISCHR(os.fstat(file.fileno()).st_mode) and not os.isatty(file.fileno()):
                raise UnreadableItem(f"{name} is a device and no file. Name a file.", "a device")
            return file.read()
    except (OSError, ValueError) as error:
        if isinstance(error, UnreadableItem):
            raise
        raise UnreadableItem(f"{name} cannot be read: {reason(error)}. Name a file.", "cannot be read") from error
