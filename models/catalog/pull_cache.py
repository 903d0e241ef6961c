"""What was pulled before: files by digest, and what each reference meant when it was last asked. Standard library only.

::

    blobs/ab/abcdef…     a file by the sha256 of its bytes; checked whenever it is taken out
    refs/SOURCE/NAME/REF  the sha256 of the manifest that the reference meant there
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from attune.models.catalog.manifest import PROBES, Reference
from attune.models.errors import CatalogError, NotInCache
from attune.models.files.atomic import digest_bytes, digest_file, write_bytes
from attune.models.reasons import reason


class Cache:
    """A folder of pulled files; any number of processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file_of(self, digest: str) -> Path | None:
        """The file with this sha256, or None. A file that was altered is taken away and counts as not there."""
        path = self._blob(digest)
        if not path.is_file():
            return None
        with self._cache_errors():
            if digest_file(path) == digest:
                return path
        with suppress(OSError):  # of a cache that cannot be written it stays, and is never taken
            path.unlink()
        return None

    def keep(self, content: bytes) -> Path:
        """Keep ``content`` under its digest and return its file."""
        path = self._blob(digest_bytes(content))
        with self._cache_errors():
            write_bytes(path, content)
        return path

    def known_digest(self, source: str | None, reference: Reference) -> str | None:
        """The manifest's digest that ``reference`` last meant at ``source`` (None: at any, the newest known)."""
        where = "*" if source is None else digest_bytes(source.encode())[:16]
        with self._cache_errors():
            references = list((self.folder / "refs").glob(f"{where}/{_folder_of(reference)}/{reference.ref}"))
            if not references:
                return None
            return max(references, key=lambda path: path.stat().st_mtime).read_text().strip()

    def remember(self, source: str, reference: Reference, digest: str) -> None:
        """Keep what ``reference`` means at ``source``."""
        if self.known_digest(source, reference) == digest:
            return
        with self._cache_errors():
            write_bytes(
                self.folder / "refs" / digest_bytes(source.encode())[:16] / _folder_of(reference) / reference.ref,
                digest.encode(),
            )

    @contextmanager
    def write_lock(self, folder: Path) -> Iterator[None]:
        """Hold the right to write into ``folder``; the system lets go of it when the process ends, however."""
        name = digest_bytes(str(folder.absolute()).encode(errors="surrogateescape"))[:16]
        with self._lock_file(name) as file:
            try:
                import fcntl
            except ImportError:  # no such lock on Windows: each file is still whole, and the manifest comes last
                yield
                return
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _lock_file(self, name: str) -> IO[bytes]:
        """A file to lock: in the cache, or for one that cannot be written where this machine's programs meet."""
        shared = Path(tempfile.gettempdir()) / f"attune-locks-{os.getuid() if hasattr(os, 'getuid') else 'all'}"
        for locks in (self.folder / "locks", shared):
            with suppress(OSError):
                locks.mkdir(parents=True, exist_ok=True)
                return (locks / name).open("ab")
        return tempfile.TemporaryFile()  # alone only in this process: each file is whole anyway

    @contextmanager
    def _cache_errors(self) -> Iterator[None]:
        """Whatever the system refuses here is the cache's fault, and not that of the folder pulled into."""
        try:
            yield
        except OSError as error:
            raise CatalogError(
                f"The cache {self.folder} cannot be used: {reason(error)}. Set ATTUNE_CACHE to a folder that "
                "you can write to."
            ) from error

    def not_cached(self, reference: Reference, what: str) -> NotInCache:
        """The error for what is not here and may not be looked for elsewhere."""
        return NotInCache(
            f"{reference}: {what} is not in the cache at {self.folder}, and --offline uses only the cache. Pull "
            "it once without --offline and ATTUNE_OFFLINE, or name a version that was pulled before."
        )

    def _blob(self, digest: str) -> Path:
        return self.folder / "blobs" / digest[:2] / digest


def _folder_of(reference: Reference) -> str:
    """Where references of this name lie; no probe's name holds a dot."""
    return reference.name if reference.room == PROBES else f"{reference.room}.{reference.name}"
