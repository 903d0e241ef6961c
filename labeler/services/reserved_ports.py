"""Ports promised to one process: between the choice of a free port and the part that listens on it lie seconds."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_ours: set[int] = set()  # a process's own lock does not keep it out
_ledger: list[int] = []  # the open file of locks: closing it would let all of them go


def reserve(port: int) -> bool:
    """Keep ``port`` for this process until it ends; False where it, or another of this user's, keeps it already.

    One byte of a file is locked for each (POSIX record locks). Processes with the same folder for
    temporary files know of each other. True as well where such locks are unavailable.
    """
    if port in _ours:
        return False
    try:
        import fcntl

        if not _ledger:
            path = Path(tempfile.gettempdir()) / f"attune-ports-{os.getuid()}.lock"
            _ledger.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    except (OSError, ImportError):
        return True
    try:
        fcntl.lockf(_ledger[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _ours.add(port)
    return True
