"""Read images where they are: on this machine, or what fsspec opens by its address, within a `Reach`."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attune.labeler.assets import guarded_http
from attune.labeler.assets.image_uris import is_address, local_path, uri_of
from attune.labeler.assets.reach import ALIASES, WEB, Reach
from attune.models.errors import UnreadableItem
from attune.models.images.decode import MAX_BYTES
from attune.models.reasons import reason

USUAL = Reach()  # who names no reach gets the narrow one
# What is no file although it has a name in a folder; opening it may wait for ever.
KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check(uri: str, reach: Reach = USUAL) -> None:
    """Raise UnreadableItem, with the rule and the setting, where ``uri`` lies outside ``reach``; nothing is opened."""
    if is_address(uri):
        reach.check(uri)
    else:
        reach.check_path(local_path(uri))


def exists(uri: str, reach: Reach = USUAL) -> bool:
    """Whether there is a file at ``uri``, as far as can be known from here."""
    try:
        check(uri, reach)
        if not is_address(uri):
            return os.path.isfile(local_path(uri))
        with _reaching(uri, reach) as (files, path):
            return bool(files.isfile(path))
    except (UnreadableItem, OSError):
        return False


def is_folder(uri: str, reach: Reach = USUAL) -> bool:
    """Whether ``uri`` is a folder. Raises UnreadableItem where it lies outside ``reach``, or cannot be reached."""
    check(uri, reach)
    if not is_address(uri):
        return os.path.isdir(local_path(uri))
    with _reaching(uri, reach) as (files, path):
        return bool(files.isdir(path))


def kind(uri: str) -> str:
    """What lies at a path of this machine that is neither a file nor a folder; empty for those, and for nothing."""
    if is_address(uri):
        return ""
    path = local_path(uri)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode) and os.path.islink(path):
            return "a link to a folder"
    except (OSError, ValueError):
        return "a link to nothing" if os.path.islink(path) else ""
    return next((what for test, what in KINDS if test(mode)), "")


def walk(folder: str, refused: Callable[[str, OSError], None], reach: Reach = USUAL) -> Iterator[tuple[str, str]]:
    """Uri, and path below ``folder``, of all its files by name, and of links to folders, which are not followed.

    Hidden ones are left out. ``refused`` hears of each folder that cannot be looked into; the others continue.
    """
    if is_address(folder):
        with _reaching(folder, reach) as (files, path):
            root, names = path.rstrip("/"), sorted(files.find(path))
        for entry_name in names:
            relative = entry_name[len(root) :].lstrip("/")
            if not any(part.startswith(".") for part in relative.split("/")):
                yield files.unstrip_protocol(entry_name), relative
        return
    top = local_path(folder)

    def heard(error: OSError) -> None:
        refused(str(error.filename), error)

    for place, folders, names in os.walk(top, onerror=heard):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in sorted(names + links):
            if not name.startswith("."):
                path = os.path.join(place, name)
                yield uri_of(path), os.path.relpath(path, top)


def read(uri: str, name: str, reach: Reach = USUAL, limit: int = MAX_BYTES) -> bytes:
    """The bytes at ``uri``, of which there may be at most ``limit``. Raises UnreadableItem with a plain reason."""
    try:
        check(uri, reach)
        if not is_address(uri):
            return _read_local(local_path(uri), name, limit + 1)
        with _reaching(uri, reach) as (files, path), files.open(path, "rb") as file:
            return bytes(file.read(limit + 1))
    except FileNotFoundError as error:
        raise UnreadableItem(
            f"{name} does not exist any more ({uri}). Restore the file, or leave it out.", "missing"
        ) from error
    except IsADirectoryError as error:
        raise UnreadableItem(f"{name} is a folder. Give it as a PATH to add all images in it.", "a folder") from error
    except PermissionError as error:
        raise UnreadableItem(
            f"{name} cannot be read: you have no permission. Change its permissions.", "no permission"
        ) from error
    except UnreadableItem:
        raise
    except (OSError, ValueError) as error:
        raise UnreadableItem(f"{name} cannot be read: {reason(error)} ({uri}).", "cannot be read") from error


def _read_local(path: str, name: str, most: int) -> bytes:
    """Raises UnreadableItem for what is no file, without opening it: a pipe would wait, a device never ends."""
    what = kind(path)
    if what and not what.startswith("a link"):
        raise UnreadableItem(f"{name} is {what}, not a file, so Attune did not open it. Leave it out.", what)
    # Should a pipe have taken the file's place since, opening it does not wait.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as file:
        return file.read(most)


def head(uri: str) -> bytes:
    """The first 16 bytes of a file of this machine; none where it cannot be read."""
    try:
        return _read_local(local_path(uri), uri, 16)
    except (OSError, ValueError):
        return b""


@contextmanager
def opened(uri: str, reach: Reach = USUAL) -> Iterator[Any]:
    """The file at an address, to be read as a stream. Raises UnreadableItem with a plain reason."""
    try:
        with _reaching(uri, reach) as (files, path), files.open(path, "rb") as file:
            yield file
    except FileNotFoundError as error:
        raise UnreadableItem(f"{uri} does not exist. Check the address.", "missing") from error
    except (IsADirectoryError, PermissionError) as error:
        raise UnreadableItem(f"{uri} cannot be read: {reason(error)}. Check the address.", "cannot be read") from error


@contextmanager
def _reaching(uri: str, reach: Reach) -> Iterator[tuple[Any, str]]:
    """The file system of an address, and the path on it.

    Raises UnreadableItem for whatever it raises, which differs from store to store, apart from the kinds that `read`
    has a sentence for.
    """
    reach.check(uri)
    scheme, _, rest = uri.partition("://")
    scheme = scheme.lower()
    errors: list[UnreadableItem] = []
    mark = guarded_http.refusals.set(errors)
    try:
        try:
            yield _opened(scheme, f"{scheme}://{rest}", reach)
        finally:
            guarded_http.refusals.reset(mark)
            if errors:
                raise errors[-1]
    except (UnreadableItem, FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except ImportError as error:
        raise UnreadableItem(
            f"{uri} needs a package for {scheme}://, which is not installed. For s3 and https: `pip install "
            "'attune[remote]'`",
            "package missing",
        ) from error
    except Exception as error:
        raise UnreadableItem(
            f"{uri} is unavailable, or refuses access. Check the URL and the credentials, or give a path on "
            "this computer, or a URL that begins with https:// or s3://.",
            "cannot be reached",
        ) from error


def _opened(scheme: str, uri: str, reach: Reach) -> tuple[Any, str]:
    # The one class of the scheme, never url_to_fs: that would take chains apart and follow them.
    import fsspec

    kind = fsspec.get_filesystem_class(scheme)
    options = kind._get_kwargs_from_urls(uri)
    if ALIASES.get(scheme, scheme) in WEB:
        options["get_client"] = guarded_http.client(reach)
    return kind(**options), kind._strip_protocol(uri)
