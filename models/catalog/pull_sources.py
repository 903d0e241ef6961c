"""Where a pull reads from: an Attune over HTTP with a bearer token, or the catalog's own files."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from attune.models import errors
from attune.models.catalog.manifest import PROBES, SPACES, Reference, Stated
from attune.models.errors import CatalogError, CatalogUnreachable, DigestMismatch
from attune.models.files.atomic import digest_bytes
from attune.models.reasons import reason

SECONDS = 30.0  # for one answer to begin, and between two pieces of it
MOST_MANIFEST = 4 * 2**20  # bytes; a manifest is some kilobytes


@dataclass(frozen=True)
class Answer:
    """What a reference means now: the bytes of its manifest (None where ``etag`` still holds) and their mark."""

    content: bytes | None
    etag: str


class Source(Protocol):
    """A place that probes are pulled from."""

    address: str

    def manifest(self, reference: Reference, etag: str | None) -> Answer:
        """The manifest that ``reference`` means, unless it still has the mark ``etag``.

        Raises UnknownProbe, RetiredVersion, CatalogUnreachable, CatalogError.
        """

    def file(self, manifest: Stated, file: str, most: int, room: str = PROBES) -> bytes:
        """The bytes of one file of a version, or the first ``most`` of them. Raises as ``manifest``."""


def open_source(address: str, token: str | None = None) -> Source:
    """The source at ``address``: ``http://…`` and ``https://…`` are an Attune, anything else a catalog's folder."""
    if address.startswith(("http://", "https://")):
        return HttpSource(address, token)
    return CatalogSource(address)


class HttpSource:
    """Attune's read API at ``address``; ``token`` is shown there and nowhere else."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.address = address.rstrip("/")
        self._token = token
        self._opener = urllib.request.build_opener(_StayHere())

    def manifest(self, reference: Reference, etag: str | None) -> Answer:
        """See ``Source``. Raises DigestMismatch where the bytes are not those of their ETag."""
        headers = {"If-None-Match": f'"{etag}"'} if etag else {}
        with self._get(f"/api/v1/{reference.room}/{reference.name}/{reference.ref}", headers) as response:
            if response is None:
                return Answer(None, str(etag))
            content = response.read(MOST_MANIFEST + 1)
            mark = str(response.headers.get("ETag", "")).strip('"')
        if mark != digest_bytes(content):
            raise DigestMismatch(
                f"The manifest of {reference} from {self.address} has {len(content)} bytes and sha256 "
                f"{digest_bytes(content)[:12]}…, but the server announced {mark[:12] or 'none'}…. Pull again."
            )
        return Answer(content, mark)

    def file(self, manifest: Stated, file: str, most: int, room: str = PROBES) -> bytes:
        """See ``Source``."""
        with self._get(f"/api/v1/{room}/{manifest.attribute}/{manifest.version}/files/{file}", {}) as response:
            content: bytes = response.read(most)
            return content

    @contextmanager
    def _get(self, path: str, headers: dict[str, str]) -> Iterator[Any]:
        """The open response, or None for 304 Not Modified."""
        if self._token:
            headers = headers | {"Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(self.address + path, headers=headers | {"Accept": "application/json, */*"})
        try:
            with self._opener.open(request, timeout=SECONDS) as response:
                yield response
        except urllib.error.HTTPError as error:
            if error.code != http.client.NOT_MODIFIED:
                raise self._refused(error) from error
            yield None
        except http.client.IncompleteRead as error:
            raise DigestMismatch(f"{self.address}{path} ended after {len(error.partial)} bytes. Pull again.") from error
        except (OSError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", None)
            why = reason(cause if isinstance(cause, BaseException) else error)
            raise CatalogUnreachable(
                f"{self.address} is unavailable: {why}. Check the URL (--url or ATTUNE_URL) and that `attune "
                "up` runs there. To use only files that were pulled before, add --offline."
            ) from error

    def _refused(self, error: urllib.error.HTTPError) -> CatalogError:
        """The server's own error where it told one, else what its status means."""
        try:
            body = json.loads(error.read(65536))
            kind, message = getattr(errors, str(body["error"]), None), str(body["message"])
        except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
            kind, message = None, ""
        if isinstance(kind, type) and issubclass(kind, CatalogError):
            return kind(message)
        if error.code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
            cause = "it does not accept the token" if self._token else "it needs a token"
            return CatalogError(
                f"{self.address} answered with status {error.code}: {cause}. Set ATTUNE_TOKEN to a valid token. "
                "An owner or admin can create one: `attune token create NAME`"
            )
        if error.code >= 500 or error.code == http.client.TOO_MANY_REQUESTS:
            return CatalogUnreachable(
                f"{self.address} answered with status {error.code} {message or error.reason}. Try again in a minute."
            )
        return CatalogError(
            f"{self.address} answered with status {error.code} {message or error.reason}. Check that the URL is "
            "of an Attune."
        )


class CatalogSource:
    """The catalog's files themselves, at any fsspec address."""

    def __init__(self, address: str) -> None:
        from attune.models.catalog.catalog import Catalog

        self.address = address
        self._rooms = {room: Catalog(address, room=room) for room in (PROBES, SPACES)}

    def manifest(self, reference: Reference, etag: str | None) -> Answer:
        """See ``Source``."""
        catalog = self._rooms[reference.room]
        version = catalog.resolve(reference)
        content = catalog.manifest_bytes(reference.name, version)
        mark = digest_bytes(content)
        return Answer(None if mark == etag else content, mark)

    def file(self, manifest: Stated, file: str, most: int, room: str = PROBES) -> bytes:
        """See ``Source``."""
        return self._rooms[room].read(manifest, file)[:most]


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: the token would go along, to whatever host it names."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        """Refuse; the redirect is then reported as the status that it is."""
        return None


__all__ = ["Answer", "CatalogSource", "HttpSource", "Source", "open_source"]
