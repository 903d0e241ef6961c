"""Files that a user names, such as those of ``--to``: the path is the user's, so what is there is respected.

=====================================  ===========================================================================
what the path leads to                 what is done
=====================================  ===========================================================================
nothing yet                            a new file of mode 0666 less the user's umask (`permissions`); missing
                                       folders are made likewise
a regular file                         replaced in one step; it keeps its mode, and its owner where that is allowed
a link                                 followed: what it leads to is replaced, the link stays
a device, a pipe, /dev/stdout          written to; ``-`` is /dev/stdout
a file in a folder that takes no new   rewritten in place, with the space reserved first
file, or one that is a mount point
a folder, a socket, a place that       refused with a sentence; what was there before stays
cannot be written, a full disk
=====================================  ===========================================================================

Of a file with several names (hard links) only the named one changes: the others keep what they had, as backups made of
hard links need it. Until the block ends well, nothing is seen of the new content.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from attune.models.errors import AttuneError, UnwritableFile
from attune.models.files import permissions
from attune.models.reasons import FORBIDDEN, FULL, reason

STDOUT = 1


@contextmanager
def user_file(path: Path) -> Iterator[BinaryIO]:
    """Open a private file whose bytes are at ``path`` once the block ends well; it can seek.

    Raises UnwritableFile where the bytes cannot be there, BrokenPipeError where the reader of a pipe has gone.
    """
    path = resolve_stdout(path)
    with _write_errors(path):
        state = _state(path)
        target = _regular(path, state)
        part, beside = _open_part(path, target, state)
    try:
        yield cast(BinaryIO, part)
        with _write_errors(path):
            part.flush()
            if target is None:
                _pour(part, path, state)
            elif beside is None or not _take_name(part, beside, target, state):
                _rewrite(part, target)
    finally:
        with suppress(OSError, AttuneError):  # closing flushes what a full disk has refused already
            part.close()
        if beside is not None:
            with suppress(FileNotFoundError):
                os.unlink(beside)


def write_user_file(path: Path, content: bytes) -> None:
    """Put ``content`` at the ``path`` that a user named. Raises UnwritableFile."""
    with user_file(path) as file:
        file.write(content)


def is_stdout(path: Path) -> bool:
    """Whether ``path`` leads into this program's standard output, so that nothing else may be printed there."""
    path = resolve_stdout(path)
    try:
        return _same(os.stat(path), os.fstat(STDOUT)) and not stat.S_ISCHR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def resolve_stdout(path: Path) -> Path:
    """``path``, or the standard output for ``-``, as other programs have it."""
    return Path("/dev/stdout") if str(path) == "-" else path


def unwritable(path: Path, error: BaseException) -> UnwritableFile:
    """The error that says why nothing can be written to ``path``, and what to do."""
    if not isinstance(error, OSError):
        return UnwritableFile(f"{path} was not written: {reason(error)}. Name another file.")
    code = error.errno
    folder = Path(os.path.realpath(path)).parent
    if code in FULL:
        return UnwritableFile(
            f"{path} was not written: {reason(error)}. Free some space, or name a file in another location."
        )
    if code == errno.ENOENT and folder.is_dir():
        return UnwritableFile(
            f"{path} was not written: the folder {folder} does not accept new files. Name a file in another folder."
        )
    if code in FORBIDDEN and not os.path.lexists(path):
        why = "is read-only" if code == errno.EROFS else "does not allow you to write"
        return UnwritableFile(
            f"{path} was not written: the folder {folder} {why}. Name a file in a folder that you can write to."
        )
    return UnwritableFile(f"{path} was not written: {reason(error)}. Name another file.")


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (AttuneError, BrokenPipeError):
        raise
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from error


def _state(path: Path) -> os.stat_result | None:
    """What ``path`` leads to, or None for a new file."""
    try:
        state = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, "", str(path))
    return state


def _regular(path: Path, state: os.stat_result | None) -> Path | None:
    """The regular file behind all links, there or not yet; None for what can only be written to."""
    target = Path(os.path.realpath(path))
    if state is None:
        return target
    with suppress(OSError):  # where a program's own output was deleted or has no name, only its number is left
        if stat.S_ISREG(state.st_mode) and not is_stdout(path) and _same(os.stat(target), state):
            return target
    return None


def _same(other_state: os.stat_result, other: os.stat_result) -> bool:
    return os.path.samestat(other_state, other)


class _Raw(io.FileIO):
    """A file that says in Attune's words why it cannot be written, wherever the writer is: in a Parquet library too."""

    def __init__(self, descriptor: int, blame: Callable[[OSError], AttuneError]) -> None:
        super().__init__(descriptor, "w+b")
        self._blame = blame

    def write(self, data: object) -> int:
        """As a file does. Raises UnwritableFile."""
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError as error:
            raise self._blame(error) from error


def _open_part(path: Path, target: Path | None, state: os.stat_result | None) -> tuple[io.BufferedRandom, str | None]:
    """A file for the new content, and its name where it lies beside the target."""
    if target is not None:
        if state is not None and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "", str(target))
        permissions.make_user_folders(target.parent)
        name = str(target.parent / f".attune-{secrets.token_hex(8)}.part")
        try:
            # The kernel takes the umask off; no one reads along what an old file kept private.
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666 if state is None else 0o600)
            if state is None:
                permissions.apply_user_mode(descriptor)
            return io.BufferedRandom(_Raw(descriptor, lambda error: unwritable(path, error))), name
        except OSError as error:
            if state is None or error.errno not in FORBIDDEN | {errno.ENOENT}:
                raise
    return io.BufferedRandom(_Raw(_open_unnamed(path), lambda error: _no_room(path, error))), None


def _open_unnamed(path: Path) -> int:
    try:
        descriptor, name = tempfile.mkstemp(prefix="attune-")
    except OSError as error:
        raise _no_room(path, error) from error
    os.unlink(name)
    return descriptor


def _no_room(path: Path, error: OSError) -> UnwritableFile:
    return UnwritableFile(
        f"{path} was not written: it needs a temporary file, and {reason(error)} there. Set TMPDIR to a folder "
        "with free space."
    )


def _take_name(part: io.BufferedRandom, beside: str, target: Path, state: os.stat_result | None) -> bool:
    """Give the new file the target's name, mode and owner; False where the target cannot be replaced, only written."""
    os.fsync(part.fileno())
    if state is not None:
        with suppress(OSError):  # only root gives files away
            os.fchown(part.fileno(), state.st_uid, state.st_gid)
        os.fchmod(part.fileno(), stat.S_IMODE(state.st_mode))
    try:
        os.replace(beside, target)
    except OSError as error:
        if state is None or error.errno not in FORBIDDEN | {errno.EBUSY, errno.EXDEV}:
            raise
        return False
    with suppress(OSError):
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return True


def _rewrite(part: io.BufferedRandom, target: Path) -> None:
    """Write the new content over the old, in place: where the space does not suffice, the old stays."""
    size = part.seek(0, os.SEEK_END)
    part.seek(0)
    with target.open("r+b") as out:
        before = os.fstat(out.fileno()).st_size
        try:
            if size and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(out.fileno(), 0, size)
        except OSError as error:
            if error.errno in FULL:
                os.ftruncate(out.fileno(), before)
                raise
        shutil.copyfileobj(part, out)
        with suppress(OSError):  # files of the system itself cannot be cut
            out.truncate()


def _pour(part: io.BufferedRandom, path: Path, state: os.stat_result | None) -> None:
    """Write the content into a device or a pipe. A pipe waits for its reader, as in a shell."""
    part.seek(0)
    descriptor = os.dup(STDOUT) if is_stdout(path) else os.open(path, os.O_WRONLY | os.O_NOCTTY)
    with open(descriptor, "wb") as out:
        shutil.copyfileobj(part, out)


__all__ = ["is_stdout", "resolve_stdout", "unwritable", "user_file", "write_user_file"]
