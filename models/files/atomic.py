"""Our own files, written aside, flushed, then renamed (a user's: `models.files.outputs`); digests of their bytes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

PRIVATE = 0o600  # what lies in a workspace or a cache is its owner's alone


@contextmanager
def atomic_writer(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """Open a private file beside ``path`` that takes its name, and ``mode``, only when the block ends well.

    A process killed at any instant leaves the old file or the new one, never half of either:
    the bytes and then the folder are flushed to disk around one atomic rename.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name may have 255 bytes: cut, so that the longest one still leaves room for what is put around it.
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write ``content`` to ``path`` atomically."""
    with atomic_writer(path, mode) as file:
        file.write(content)


def keep_bytes(path: Path, content: bytes, digest: str) -> None:
    """Write ``content`` to ``path``, which its sha256 ``digest`` names, unless it is there whole."""
    if not path.is_file() or digest_file(path) != digest:
        write_bytes(path, content)


def write_json(path: Path, value: Any, mode: int = PRIVATE) -> None:
    """Write ``value`` as indented JSON with sorted keys, atomically."""
    write_bytes(path, (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode(), mode)


def canonical_json(value: Any) -> bytes:
    """The one byte form of a JSON value, for digests: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_bytes(content: bytes) -> str:
    """The sha256 of ``content`` as 64 hexadecimal characters."""
    return hashlib.sha256(content).hexdigest()


def digest_json(value: Any) -> str:
    """The sha256 of a JSON value's canonical bytes."""
    return digest_bytes(canonical_json(value))


def digest_file(path: Path) -> str:
    """The sha256 of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
