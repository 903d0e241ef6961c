"""Where images are: files and folders of this machine, and what fsspec opens by its address, within a `Reach`."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from attune.labeler.assets import guarded_http
from attune.labeler.assets.reach import ALIASES, WEB, Reach
from attune.models.errors import UnreadableItem
from attune.models.files.paths import at_home
from attune.models.images.decode import MAX_BYTES
from attune.models.reasons import reason

FILE_SCHEME = "file:"
LOCAL_HOSTS = ("", "localhost", "127.0.0.1")
USUAL = Reach()  # who names no reach gets the narrow one
# What is no file although it has a name in a folder; opening it may wait for ever.
KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


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
    return _uri(os.path.normpath(path))


def as_now(uri: str) -> str:
    """A uri of the records as `absolute` would write it today: older ones may hold ``..``, or be ``file://`` uris."""
    if uri.startswith("/") and "/../" not in uri:
        return uri
    try:
        return absolute(uri)
    except UnreadableItem:
        return uri


def _uri(path: str) -> str:
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
                yield _uri(path), os.path.relpath(path, top)


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
