"""Where images are, as text: paths of this machine, ``file://`` uris and addresses for fsspec. Nothing is opened."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import PurePosixPath
from urllib.parse import quote, unquote_to_bytes

from attune.models.errors import UnreadableItem
from attune.models.files.paths import at_home

FILE_SCHEME = "file:"
LOCAL_HOSTS = ("", "localhost", "127.0.0.1")


def is_address(text: str) -> bool:
    """Whether ``text`` is an address for fsspec, such as ``s3://bucket/key``, and no path of this machine."""
    return "://" in text and not _is_file_uri(text)


def _is_file_uri(text: str) -> bool:
    """Whether it begins with ``file:/``: with three slashes, two and a host, or the single one that Java writes."""
    return text[: len(FILE_SCHEME) + 1].lower() == FILE_SCHEME + "/"


def local_path(text: str) -> str:
    """The path that a path or a ``file://`` uri means on this machine.

    A uri has its percent signs decoded, unless only a file of the undecoded name is there: some programs write uris
    without encoding. Raises UnreadableItem for a uri of another machine.
    """
    if not _is_file_uri(text):
        return text
    rest = text[len(FILE_SCHEME) :]
    host, slash, rest = rest[2:].partition("/") if rest.startswith("//") else ("", "", rest)
    if host.lower() not in LOCAL_HOSTS:
        raise UnreadableItem(
            f"{text} is a file on another computer, {host}. Mount its folder here and give the path. For a file "
            "on this computer, write file:/// with three slashes.",
            "another machine",
        )
    plain = slash + rest
    decoded = os.fsdecode(unquote_to_bytes(plain))
    return plain if decoded != plain and os.path.exists(plain) and not os.path.exists(decoded) else decoded


def absolute(text: str) -> str:
    """The uri that records keep: an address as it is; a path made absolute, without ``..``.

    A path that is no UTF-8 text, which no database takes, becomes a ``file://`` uri.
    """
    if is_address(text):
        return text
    path = os.path.join(os.getcwd(), at_home(local_path(text)))
    if os.pardir in path.split(os.sep):  # what lies above a link to a folder is known to the system alone
        with suppress(ValueError):
            path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    return uri_of(os.path.normpath(path))


def as_now(uri: str) -> str:
    """A uri of the records as `absolute` would write it today: older ones may hold ``..``, or be ``file://`` uris."""
    if uri.startswith("/") and "/../" not in uri:
        return uri
    try:
        return absolute(uri)
    except UnreadableItem:
        return uri


def uri_of(path: str) -> str:
    """The uri that records keep of an absolute path."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return f"{FILE_SCHEME}//{quote(os.fsencode(path))}"
    return path


def join(folder: str, name: str) -> str:
    """``name`` below ``folder``; an address or an absolute path stays what it is."""
    if is_address(name) or _is_file_uri(name) or name.startswith("/") or not folder:
        return absolute(name)
    if is_address(folder):
        return f"{folder.rstrip('/')}/{name}"
    return absolute(os.path.join(local_path(absolute(folder)), name))


def file_name(uri: str) -> str:
    """The last part of a uri, without what follows a web address's question mark."""
    if _is_file_uri(uri):
        with suppress(UnreadableItem):
            uri = local_path(uri)
    return PurePosixPath(uri.partition("?")[0] if uri.startswith(("http://", "https://")) else uri).name


def path_of(uri: str) -> str:
    """The path in a uri: on this machine, or on the one that an address names."""
    return uri.partition("://")[2] if is_address(uri) else local_path(uri)
