"""Where images are: files and folders of this machine, and whatever fsspec opens by its address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from models.errors import DataError, UnreadableItem
from models.images import MAX_BYTES

OPEN_ERRORS = (OSError, ValueError, RuntimeError, KeyError)  # what fsspec's file systems raise, by kind


def is_address(text: str) -> bool:
    """Whether ``text`` is an address for fsspec, such as ``s3://bucket/key``, and no path."""
    return "://" in text


def absolute(text: str) -> str:
    """The uri that records keep: an address as it is, a path made absolute."""
    return text if is_address(text) else str(Path(text).expanduser().absolute())


def join(folder: str, name: str) -> str:
    """``name`` below ``folder``; an address or an absolute path stays what it is."""
    if is_address(name) or name.startswith("/") or not folder:
        return absolute(name)
    return f"{folder.rstrip('/')}/{name}" if is_address(folder) else str(Path(absolute(folder)) / name)


def file_name(uri: str) -> str:
    """The last part of a uri, without what follows a web address's question mark."""
    return PurePosixPath(uri.partition("?")[0] if uri.startswith(("http://", "https://")) else uri).name


def exists(uri: str) -> bool:
    """Whether there is a file at ``uri``."""
    if not is_address(uri):
        return os.path.isfile(uri)
    files, path = _file_system(uri)
    return bool(files.isfile(path))


def is_folder(uri: str) -> bool:
    """Whether ``uri`` is a folder."""
    if not is_address(uri):
        return os.path.isdir(uri)
    files, path = _file_system(uri)
    return bool(files.isdir(path))


def walk(folder: str) -> Iterator[tuple[str, str]]:
    """Uri, and path below ``folder``, of all its files by name, without hidden ones and folders behind links."""
    if is_address(folder):
        files, path = _file_system(folder)
        root = path.rstrip("/")
        for found in sorted(files.find(path)):
            relative = found[len(root) :].lstrip("/")
            if not any(part.startswith(".") for part in relative.split("/")):
                yield files.unstrip_protocol(found), relative
        return
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                uri = os.path.join(place, name)
                yield uri, os.path.relpath(uri, folder)


def read(uri: str, name: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes at ``uri``, of which there may be at most ``limit``. Raises UnreadableItem with a plain reason."""
    try:
        if not is_address(uri):
            with open(uri, "rb") as file:
                content = file.read(limit + 1)
        else:
            files, path = _file_system(uri)
            with files.open(path, "rb") as file:
                content = file.read(limit + 1)
    except FileNotFoundError as error:
        raise UnreadableItem(
            f"{name} is not there any more ({uri}). Bring it back, or leave it out.", "missing"
        ) from error
    except IsADirectoryError as error:
        raise UnreadableItem(f"{name} is a folder. Name it as a PATH to take all images in it.", "a folder") from error
    except PermissionError as error:
        raise UnreadableItem(
            f"{name} may not be read by this user. Change its permissions.", "no permission"
        ) from error
    except OPEN_ERRORS as error:
        raise UnreadableItem(f"{name} cannot be read: {error}. Try again.", "cannot be read") from error
    return bytes(content)


def head(uri: str) -> bytes:
    """The first 16 bytes at ``uri``; none where it cannot be read."""
    try:
        if not is_address(uri):
            with open(uri, "rb") as file:
                return file.read(16)
        files, path = _file_system(uri)
        return bytes(files.head(path, 16))
    except OPEN_ERRORS:
        return b""


def _file_system(uri: str) -> tuple[Any, str]:
    import fsspec

    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(uri)
        return found
    except ImportError as error:
        raise DataError(
            f"{uri} needs a package that is not here: {error} For s3: pip install 'attune[remote]'."
        ) from error
    except ValueError as error:
        raise DataError(f"{uri} is no address that can be opened: {error}.") from error
