"""The feature catalog's storage over fsspec: a folder, memory or an object store, read by anything that reads files.

::

    probes/NAME/VERSION/{probe.safetensors, probe.onnx, card.md, manifest.json}   immutable; manifest.json comes last
    probes/NAME/aliases.json                                                     derived from the records
    spaces/NAME/…                                                               learned spaces, in the same way
    features/NAME/VERSION/part-*.parquet                                         feature values

A version is there when its manifest is there: a publisher that is killed leaves files without one, which no one sees.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from attune.models.catalog.manifest import (
    ALIAS,
    FILE_NAME,
    NAME,
    PROBES,
    SPACES,
    VERSION,
    Manifest,
    Reference,
    Stated,
    check_file,
    check_name,
    read_manifest,
)
from attune.models.errors import (
    AttuneError,
    CatalogError,
    CatalogUnreachable,
    DigestMismatch,
    UnknownProbe,
    VersionExists,
)
from attune.models.files.atomic import PRIVATE, atomic_writer, digest_bytes
from attune.models.files.permissions import make_user_folders, user_mode
from attune.models.reasons import reason

ALIASES = "aliases.json"


class Catalog:
    """The catalog at an fsspec ``address``; any number of processes may read and write it at once.

    ``private``: a folder in a workspace, whose files are its owner's alone. A folder elsewhere is someone's wish, so
    that others can read the probes there: its files go by the user's umask. ``room``: probes or spaces.

    Every method raises CatalogUnreachable where the address does not answer, and UnknownProbe for what is not there.
    """

    def __init__(self, address: str, private: bool = False, room: str = PROBES) -> None:
        self.address, self._room = address, room
        self._private = private
        with self._reaching():
            self._fs, root = url_to_fs(address, use_listings_cache=False)
        self._root = str(root).rstrip("/")

    @property
    def folder(self) -> Path | None:
        """The folder of a catalog on this machine, None elsewhere."""
        return Path(self._root) if isinstance(self._fs, LocalFileSystem) else None

    # -- versions ------------------------------------------------------------------------------------------------
    def publish(self, manifest: Stated, contents: Mapping[str, bytes], replace: bool = False) -> None:
        """Write a version's files, read each back, and make it visible by its manifest.

        Publishing the same content again changes nothing. Raises VersionExists where the version holds other content,
        unless ``replace`` says that no one was told of it, and DigestMismatch where bytes do not come back as written.
        """
        existing = self._cat(self._version(manifest.attribute, manifest.version, FILE_NAME))
        if existing == manifest.to_bytes() and self._whole(manifest):
            return
        if existing is not None:
            if not replace and existing != manifest.to_bytes():
                raise VersionExists(
                    f"{manifest.attribute} version {manifest.version} already exists in the catalog with other "
                    "content, and a version never changes. Nothing was changed. Make a new run, then promote "
                    f"that: `attune learn {manifest.attribute}`"
                )
            self._remove(self._version(manifest.attribute, manifest.version, FILE_NAME))
        for name, content in contents.items():
            self._put(self._version(manifest.attribute, manifest.version, name), content)
        for name in contents:
            self.read(manifest, name)
        self._put(self._version(manifest.attribute, manifest.version, FILE_NAME), manifest.to_bytes())

    def manifest_bytes(self, name: str, version: int) -> bytes:
        """The bytes of a version's ``manifest.json``."""
        content = self._cat(self._version(name, version, FILE_NAME))
        if content is None:
            raise UnknownProbe(
                f"{name} version {version} does not exist in the catalog at {self.address}. To list the "
                f"versions: `{self._command('list', name)}`"
            )
        return content

    def manifest(self, name: str, version: int) -> Manifest:
        """A version's manifest. Raises BadProbeFile where the file holds none."""
        return read_manifest(self.manifest_bytes(name, version), self._version(name, version, FILE_NAME))

    def read(self, manifest: Stated, file: str) -> bytes:
        """The bytes of one file of a version. Raises DigestMismatch where they are not those that were published."""
        path = self._version(manifest.attribute, manifest.version, check_file(file))
        entry, content = manifest.files.get(file), self._cat(path)
        if entry is None or content is None:
            raise UnknownProbe(
                f"{manifest.attribute} version {manifest.version} has no file {file!r}. Its files are "
                f"{', '.join(sorted(manifest.files))}."
            )
        if digest_bytes(content) != entry.sha256:
            raise DigestMismatch(
                f"{path} has {len(content)} bytes and sha256 {digest_bytes(content)[:12]}…, but its manifest "
                f"states {entry.bytes} bytes and {entry.sha256[:12]}…. Restore the file: `attune probes heal`"
            )
        return content

    def names(self) -> list[str]:
        """The attributes that have a version, sorted."""
        return [name for name in self._list(self._room) if NAME.fullmatch(name) and self.versions(name)]

    def versions(self, name: str) -> list[int]:
        """The versions of an attribute that are whole, ascending."""
        found = sorted(int(text) for text in self._list(f"{self._room}/{check_name(name)}") if VERSION.fullmatch(text))
        return [version for version in found if self._exists(self._version(name, version, FILE_NAME))]

    # -- aliases -------------------------------------------------------------------------------------------------
    def aliases(self, name: str) -> dict[str, int]:
        """Where each alias points; empty before the first promotion."""
        content = self._cat(f"{self._root}/{self._room}/{check_name(name)}/{ALIASES}")
        try:
            aliases = {} if content is None else json.loads(content)
            return {alias: int(version) for alias, version in aliases.items() if ALIAS.fullmatch(alias)}
        except (ValueError, TypeError, AttributeError) as error:
            raise CatalogError(
                f"{ALIASES} of {name} in {self.address} is not a JSON object of versions. Restore it from the "
                "records: `attune probes heal`"
            ) from error

    def write_aliases(self, name: str, aliases: Mapping[str, int]) -> None:
        """Replace the aliases; they only mirror what the records say."""
        content = json.dumps(dict(sorted(aliases.items())), indent=2) + "\n"
        self._put(f"{self._root}/{self._room}/{check_name(name)}/{ALIASES}", content.encode())

    def resolve(self, reference: Reference) -> int:
        """The version that a reference names, whether or not its files are there."""
        if reference.version is not None:
            return reference.version
        aliases = self.aliases(reference.name)
        if reference.ref not in aliases:
            available = ", ".join(sorted(aliases)) or "none yet"
            raise UnknownProbe(
                f"{reference.name} has no alias {reference.ref!r} in {self.address}. Its aliases: {available}. To "
                f"set champion: `{self._command('promote', reference.name)} VERSION --reason R`"
            )
        return aliases[reference.ref]

    # -- feature values ------------------------------------------------------------------------------------------
    def feature_parts(self, name: str, version: int) -> list[str]:
        """The names of the Parquet files with a version's feature values, sorted; empty before it was scored."""
        folder = f"features/{check_name(name)}/{version}"
        return sorted(part for part in self._list(folder) if part.startswith("part-") and part.endswith(".parquet"))

    def feature_address(self, name: str, version: int, part: str = "part-*.parquet") -> str:
        """Where DuckDB, pandas or Spark find a version's feature values."""
        path = f"{self._root}/features/{check_name(name)}/{version}/{part}"
        return path if self.folder else str(self._fs.unstrip_protocol(path))

    @contextmanager
    def writing_part(self, name: str, version: int, part: str) -> Iterator[BinaryIO]:
        """Open a file of feature values that appears, whole, when the block ends well."""
        path = f"{self._root}/features/{check_name(name)}/{version}/{part}"
        if self.folder:
            with self._written(Path(path)) as file:
                yield file
            return
        with tempfile.NamedTemporaryFile(suffix=".part") as temporary:
            yield cast(BinaryIO, temporary)
            temporary.flush()
            with self._reaching():
                self._fs.put_file(temporary.name, path)

    @contextmanager
    def reading_part(self, name: str, version: int, part: str) -> Iterator[BinaryIO]:
        """Open a file of feature values for reading; it can seek."""
        path = f"{self._root}/features/{check_name(name)}/{version}/{part}"
        with self._reaching():
            try:
                opened = self._fs.open(path, "rb")
            except FileNotFoundError as error:
                raise UnknownProbe(
                    f"{name} version {version} has no feature values {part}. They appear after the pool is "
                    f"scored. To see when it was: `attune probes list {name}`"
                ) from error
        with opened as file:
            yield file

    def remove_part(self, name: str, version: int, part: str) -> None:
        """Take a file of feature values away, if it is there."""
        self._remove(f"{self._root}/features/{check_name(name)}/{version}/{part}")

    # -- the file system -----------------------------------------------------------------------------------------
    def _version(self, name: str, version: int, file: str) -> str:
        return f"{self._root}/{self._room}/{check_name(name)}/{int(version)}/{file}"

    def _command(self, verb: str, name: str) -> str:
        """The command that lists or promotes versions of this room."""
        return f"attune {self._room} {'versions' if (self._room, verb) == (SPACES, 'list') else verb} {name}"

    def _whole(self, manifest: Stated) -> bool:
        try:
            return all(self.read(manifest, name) is not None for name in manifest.files)
        except CatalogError:
            return False

    def _put(self, path: str, content: bytes) -> None:
        with self._reaching():
            if self.folder:
                with self._written(Path(path)) as file:  # renamed at the end; an object store's PUT is atomic by itself
                    file.write(content)
            else:
                self._fs.pipe_file(path, content)

    @contextmanager
    def _written(self, path: Path) -> Iterator[BinaryIO]:
        if not self._private:
            make_user_folders(path.parent)
        with atomic_writer(path, PRIVATE if self._private else user_mode()) as file:
            yield file

    def _cat(self, path: str) -> bytes | None:
        with self._reaching():
            try:
                return bytes(self._fs.cat_file(path))
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None

    def _exists(self, path: str) -> bool:
        with self._reaching():
            return bool(self._fs.exists(path))

    def _list(self, folder: str) -> list[str]:
        with self._reaching():
            try:
                entries = self._fs.ls(f"{self._root}/{folder}", detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted(str(entry).rstrip("/").rsplit("/", 1)[-1] for entry in entries)

    def _remove(self, path: str) -> None:
        with self._reaching(), suppress(FileNotFoundError):
            self._fs.rm_file(path)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Turn whatever a file system raises into one error; their kinds differ from store to store."""
        try:
            yield
        except (AttuneError, FileNotFoundError):
            raise
        except Exception as error:
            raise CatalogUnreachable(
                f"The catalog at {self.address} is unavailable{_why(error)}. Check ATTUNE_CATALOG_URL, the "
                "credentials, and that Attune can write there. To test it: `attune doctor`"
            ) from error


def _why(error: Exception) -> str:
    """What the system says of a failure, in its own few words; nothing for what a store's library raised."""
    return f": {reason(error)}" if isinstance(error, OSError) and error.errno is not None else ""
