"""Who may read what a process writes: its user alone, except files that the user asked for at a place of their own.

Records hold password hashes and answers, caches hold artwork that no one may see yet: each program of ours therefore
begins with a umask of 0077. An export, scores or a pulled probe are made for others as often as not, so they go by the
umask that the user has set (`outputs`), which is remembered here and handed on to programs that this one starts.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

UMASK = 0o077
VARIABLE = "_ATTUNE_UMASK"  # the user's own, for the workers of `attune up`, which write the catalog
_users: int | None = None


def begin() -> None:
    """Keep what this process writes from now on to its user; for the first lines of a program, as all threads share it.

    A second call changes nothing.
    """
    global _users
    if _users is not None:
        return
    before = os.umask(UMASK)
    try:
        _users = int(os.environ[VARIABLE], 8) & 0o777
    except (KeyError, ValueError):
        _users = before
    os.environ[VARIABLE] = f"{_users:03o}"


def forget() -> None:
    """Be as before `begin`, but for the umask itself: for tests, which call a program's first lines many times."""
    global _users
    _users = None
    os.environ.pop(VARIABLE, None)


def private_opener(path: str, flags: int) -> int:
    """An ``opener`` of `open`: a new file is its user's alone whatever the umask, and a link is never followed."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def user_mode() -> int:
    """The mode of a file that the user asked for; where `begin` was never called, the usual one."""
    return 0o666 & ~(0o022 if _users is None else _users)


def apply_user_mode(descriptor_or_path: int | str | Path, folder: bool = False) -> None:
    """Give a new file, or ``folder``, that the user asked for the mode that the user's own umask leaves.

    Where `begin` was never called, as in a program of someone else's, the system has done so by itself.
    """
    if _users is not None:
        os.chmod(descriptor_or_path, (0o777 if folder else 0o666) & ~_users)


def make_user_folders(path: Path) -> None:
    """Make ``path`` and the folders above it that are missing, as the user's own umask has it."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        apply_user_mode(folder, folder=True)


def is_open(path: str | Path) -> bool:
    """Whether anyone but its owner may do something with ``path``; links are not followed."""
    state = os.lstat(path)
    return not stat.S_ISLNK(state.st_mode) and bool(stat.S_IMODE(state.st_mode) & UMASK)


__all__ = ["apply_user_mode", "begin", "forget", "is_open", "make_user_folders", "user_mode"]
