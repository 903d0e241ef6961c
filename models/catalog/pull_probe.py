"""Pull a probe by name: checked by digest, kept by digest, whole or not at all. Standard library only over HTTP."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from attune.models.catalog.manifest import (
    CHAMPION,
    FILE_NAME,
    PROBES,
    SPACE_PREFIX,
    SPACES,
    FileEntry,
    Manifest,
    Reference,
    Stated,
    parse_reference,
    read_manifest,
)
from attune.models.catalog.pull_cache import Cache
from attune.models.catalog.pull_sources import Source, open_source
from attune.models.errors import CatalogError, DigestMismatch, SettingsError, UnknownProbe, UnwritableFile
from attune.models.files.atomic import digest_bytes, digest_file
from attune.models.files.outputs import user_file
from attune.models.files.permissions import make_user_folders
from attune.models.reasons import reason
from attune.models.similarity.space_manifest import SpaceManifest, read_space_manifest

GIVE_ANOTHER = "Give --to a folder that you can write to."


M = TypeVar("M", bound=Stated)


@dataclass(frozen=True)
class FetchedVersion(Generic[M]):
    """A version in the cache: its manifest and where the content of each file lies; ``bytes`` came over the line."""

    manifest: M
    content: bytes
    files: dict[str, Path]
    bytes: int


@dataclass(frozen=True)
class PulledVersion(Generic[M]):
    """A version in a folder; ``bytes`` came over the line, the rest was in the cache."""

    manifest: M
    folder: Path
    bytes: int


Fetched: TypeAlias = FetchedVersion[Manifest]
Pulled: TypeAlias = PulledVersion[Manifest]


def pull(
    ref: str,
    to: Path | str,
    url: str | None = None,
    token: str | None = None,
    cache: Path | str | None = None,
    offline: bool = False,
    force: bool = False,
) -> Pulled:
    """Put the files of ``NAME[@ALIAS|@VERSION]`` (an alias means champion unless given) into the folder ``to``.

    ``url`` is an Attune's address, shown ``token``, or a catalog's folder; ``cache`` a folder (``~/.cache/attune``).
    ``manifest.json`` is written last: where it is, the files are those it states. Another probe's folder is refused,
    unless ``force``. Raises UnknownProbe, RetiredVersion, DigestMismatch, CatalogUnreachable, CatalogError, and with
    ``offline`` NotInCache. For example::

        pulled = attune.pull("serious@champion", to="probe", url="http://127.0.0.1:8700", token="attune_…")
        pulled.manifest.version, pulled.folder, pulled.bytes
    """
    return install(fetch(ref, url, token, cache, offline), to, cache, force)


def pull_space(
    ref: str,
    to: Path | str,
    url: str | None = None,
    token: str | None = None,
    cache: Path | str | None = None,
    offline: bool = False,
    force: bool = False,
) -> PulledVersion[SpaceManifest]:
    """As ``pull``, for a learned space: ``space:NAME[@ALIAS|@VERSION]``. `similarity.space_folder` reads the folder."""
    reference = parse_reference(ref)
    if reference.room != SPACES:
        raise UnknownProbe(f"{ref[:60]!r} names no space. Write space:NAME, such as space:taste@{CHAMPION}.")
    return install(fetch_version(reference, read_space_manifest, url, token, cache, offline), to, cache, force)


def install(
    fetched: FetchedVersion[M], to: Path | str, cache: Path | str | None = None, force: bool = False
) -> PulledVersion[M]:
    """Put what was fetched into the folder ``to``.

    Raises CatalogError where it cannot be written, or, without ``force``, where it holds something of another name.
    """
    folder = Path(to)
    with Cache(_folder(cache)).write_lock(folder):
        if not force:
            _check_name(fetched.content, folder)
        _install(fetched, folder)
    return PulledVersion(fetched.manifest, folder, fetched.bytes)


def fetch(
    ref: str,
    url: str | None = None,
    token: str | None = None,
    cache: Path | str | None = None,
    offline: bool = False,
    files: Sequence[str] | None = None,
) -> Fetched:
    """As ``pull``, into the cache only; ``files`` are the ones wanted (None: all)."""
    reference = parse_reference(ref)
    if reference.room != PROBES:
        raise UnknownProbe(f"{reference} is a space, not a probe. To pull it: `attune pull {reference} --to FOLDER`")
    return fetch_version(reference, read_manifest, url, token, cache, offline, files)


def fetch_version(
    reference: Reference,
    read: Callable[[bytes, str], M],
    url: str | None = None,
    token: str | None = None,
    cache: Path | str | None = None,
    offline: bool = False,
    files: Sequence[str] | None = None,
) -> FetchedVersion[M]:
    """A version of any room into the cache; ``read`` makes its manifest of bytes and what to call them."""
    pull_cache = Cache(_folder(cache))
    if url is None and not offline:
        raise SettingsError("No URL to pull from. Give --url or set ATTUNE_URL, such as http://127.0.0.1:8700.")
    url = url.rstrip("/") if url else None
    source = None if offline or url is None else open_source(url, token)
    content, manifest_bytes = _manifest(reference, source, pull_cache, url)
    manifest = _checked(reference, read(content, f"{FILE_NAME} of {reference}"))
    if source is not None:
        _remember_version(reference, manifest, content, source, pull_cache)
    contents = {}
    for name in manifest.files if files is None else files:
        contents[name], more = _file(reference, manifest, name, source, pull_cache)
        manifest_bytes += more
    return FetchedVersion(manifest, content, contents, manifest_bytes)


def _manifest(reference: Reference, source: Source | None, cache: Cache, url: str | None) -> tuple[bytes, int]:
    digest = cache.known_digest(url, reference)
    path = cache.file_of(digest) if digest else None
    if source is None:
        if path is None:
            raise cache.not_cached(reference, "its version number")
        return path.read_bytes(), 0
    if path is not None and reference.version is not None:
        return path.read_bytes(), 0  # a version never changes: no need to ask
    answer = source.manifest(reference, digest if path else None)
    if answer.content is None and path is not None:
        return path.read_bytes(), 0
    content = answer.content or b""
    cache.keep(content)
    cache.remember(source.address, reference, digest_bytes(content))
    return content, len(content)


def _remember_version(reference: Reference, manifest: Stated, content: bytes, source: Source, cache: Cache) -> None:
    """What an alias led to is known by its number from now on: ``NAME@VERSION`` needs no one."""
    if reference.version is None:
        numbered = replace(reference, ref=str(manifest.version))
        cache.remember(source.address, numbered, digest_bytes(content))


def _checked(reference: Reference, manifest: M) -> M:
    if manifest.attribute != reference.name or reference.version not in (None, manifest.version):
        raise DigestMismatch(
            f"{reference} was requested, but the server sent {manifest.attribute} version {manifest.version}. "
            "Check the URL (--url or ATTUNE_URL)."
        )
    return manifest


def _file(reference: Reference, manifest: Stated, name: str, source: Source | None, cache: Cache) -> tuple[Path, int]:
    entry = manifest.files.get(name)
    if entry is None:
        raise CatalogError(f"{reference} has no file {name}. Its files are {', '.join(sorted(manifest.files))}.")
    path = cache.file_of(entry.sha256)
    if path is not None:
        return path, 0
    if source is None:
        raise cache.not_cached(reference, f"{name} of version {manifest.version}")
    content = source.file(manifest, name, entry.bytes + 1, reference.room)
    _check(content, entry, f"{name} of {manifest.attribute} version {manifest.version} from {source.address}")
    return cache.keep(content), len(content)


def _check(content: bytes, entry: FileEntry, what: str) -> None:
    if len(content) != entry.bytes or digest_bytes(content) != entry.sha256:
        length = f"{len(content)} bytes" if len(content) <= entry.bytes else f"more than {entry.bytes} bytes"
        raise DigestMismatch(
            f"{what} has {length} and sha256 {digest_bytes(content)[:12]}…, but the manifest states "
            f"{entry.bytes} bytes and {entry.sha256[:12]}…. Nothing was kept. Pull again. If this happens "
            "again, the catalog's owner can run `attune probes heal`."
        )


def _check_name(content: bytes, folder: Path) -> None:
    mark = folder / FILE_NAME
    there, new = _name_in(mark.read_bytes() if mark.is_file() else b""), _name_in(content)
    if there and there != new:
        raise CatalogError(
            f"The folder {folder} holds {there}, and {new} would overwrite it. Nothing was written. Give another "
            f"folder, such as `--to {folder.parent / new.replace(':', '-')}`, or overwrite it with `--force`."
        )


def _name_in(content: bytes) -> str:
    """What a manifest names: an attribute, or space:NAME; empty for what is no whole manifest of ours."""
    try:
        stated = json.loads(content)
    except ValueError:
        return ""
    if not isinstance(stated, dict) or "files" not in stated:
        return ""
    return str(stated.get("attribute") or SPACE_PREFIX + str(stated.get("name", "")))


def _install(fetched: FetchedVersion[M], folder: Path) -> None:
    """Copy the files into ``folder``, the manifest last; nothing is written where all is there already.

    All of it is written aside first: a full disk leaves what was there. Raises CatalogError that blames the folder.
    """
    mark = folder / FILE_NAME
    contents = {name: path.read_bytes() for name, path in fetched.files.items()}
    try:
        make_user_folders(folder)
        stale = [name for name, entry in fetched.manifest.files.items() if not _same(folder / name, entry)]
        if not stale and mark.is_file() and mark.read_bytes() == fetched.content:
            return
        with ExitStack() as opened:  # what is opened first takes its name last
            for path, content in [(mark, fetched.content), *((folder / name, contents[name]) for name in stale)]:
                file = opened.enter_context(user_file(path))
                file.write(content)
                file.flush()
            if stale and mark.is_file():
                _take_down(mark)
    except UnwritableFile as error:
        raise CatalogError(f"{error} {GIVE_ANOTHER}") from error
    except OSError as error:
        raise CatalogError(f"The folder {folder} cannot be written: {reason(error)}. {GIVE_ANOTHER}") from error


def _take_down(mark: Path) -> None:
    """Take the manifest away while the files change; a link to it stays."""
    try:
        os.unlink(os.path.realpath(mark))
    except OSError:  # of a folder in which only the files themselves may be changed
        os.truncate(mark, 0)


def _same(path: Path, entry: FileEntry) -> bool:
    return path.is_file() and path.stat().st_size == entry.bytes and digest_file(path) == entry.sha256


def _folder(cache: Path | str | None) -> Path:
    return Path.home() / ".cache" / "attune" if cache is None else Path(cache)
