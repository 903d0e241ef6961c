"""Files that a user names to be read: whole, from a pipe too, but never from a device that has no end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from attune.models.errors import UnreadableItem
from attune.models.reasons import reason

KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_user_file(path: Path, what: str = "") -> bytes:
    """The bytes of ``path``, which messages call ``what``. Raises UnreadableItem that says why there are none.

    A pipe is read to its end, as a shell's ``<(…)`` needs it; a device such as /dev/zero would fill the memory.
    """
    name = f"{what or 'The file'} {path}"
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOCTTY), "rb") as file:
            if stat.S_ISCHR(os.fstat(file.fileno()).st_mode) and not os.isatty(file.fileno()):
                raise UnreadableItem(f"{name} is a device, not a file. Name a file.", "a device")
            return file.read()
    except (OSError, ValueError) as error:
        if isinstance(error, UnreadableItem):
            raise
        raise UnreadableItem(f"{name} cannot be read: {reason(error)}. Check the path.", "cannot be read") from error


def check_regular(path: Path, what: str) -> None:
    """Raise UnreadableItem where ``path``, which messages call ``what``, is no file that can be read more than once.

    It opens nothing: opening a pipe without a writer waits for ever.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        raise UnreadableItem(
            f"{what} {path} cannot be read: {reason(error)}. Check the path.", "cannot be read"
        ) from error
    kind = next((word for test, word in KINDS if test(mode)), "")
    if kind:
        raise UnreadableItem(
            f"{what} cannot be used: {path} is {kind}. Vectors need a file that can be read twice. Save them to "
            "a file first.",
            kind,
        )
