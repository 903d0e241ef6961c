"""A small client of Attune's HTTP API: the list of probes, manifests, feature values and labels, by a bearer token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from requests.auth import AuthBase

from attune.models import errors
from attune.models.catalog.manifest import FILE_NAME, Manifest, check_name, parse_reference, read_manifest
from attune.models.catalog.pull_probe import Pulled, pull
from attune.models.errors import AccessError, AttuneError, CatalogError, CatalogUnreachable
from attune.models.files.outputs import user_file
from attune.models.reasons import reason

SECONDS = (10.0, 60.0)  # to connect; between two pieces of an answer
PIECE = 2**20  # bytes of a file that are held at once
_SIZE = 500  # probes on a page: the most that the API gives


class Connection:
    """An Attune at ``url``, asked with ``token``. Made by ``connect``; usable from one thread at a time."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url, self._token = url.rstrip("/"), token
        self._session = requests.Session()
        self._session.auth = _Bearer(token)

    def probes(self) -> list[dict[str, Any]]:
        """Every attribute with a published version: ``attribute``, ``question``, ``classes``, ``aliases``, ``versions``
        and the champion's ``average_precision``, as the API describes them at /api/v1/openapi.json."""
        rows: list[dict[str, Any]] = []
        number = pages = 1
        while number <= pages:
            answer = self._json("/api/v1/probes", {"page": number, "size": _SIZE})
            rows += answer["probes"]
            number, pages = number + 1, answer["pages"]
        return rows

    def manifest(self, ref: str) -> Manifest:
        """What ``NAME[@ALIAS|@VERSION]`` is: classes, encoder, thresholds, figures, files. Raises UnknownProbe."""
        with self._get(_path("probes", ref)) as response:
            return read_manifest(response.content, f"{FILE_NAME} of {ref}")

    def pull(self, ref: str, to: Path | str) -> Pulled:
        """``attune.pull`` from here."""
        return pull(ref, to, self.url, self._token)

    def feature_values(self, ref: str, to: Path | str) -> Path:
        """Write the probabilities of the whole pool to the Parquet file ``to``, whole or not at all; its path.

        One row for each asset and class (of two classes the first). Raises UnknownProbe where there is no such version
        or it was not scored yet, UnwritableFile.
        """
        with self._get(_path("features", ref), stream=True) as response, user_file(Path(to)) as file:
            for piece in response.iter_content(PIECE):
                file.write(piece)
        return Path(to)

    def labels(self, name: str, agreed: bool = False) -> list[dict[str, Any]]:
        """The answers about the attribute ``name``, one row each; with ``agreed`` one row for each image.

        The token must be an owner's or admin's (``attune token create NAME --role owner``). Raises UnknownAttribute,
        AccessError, and UnknownProbe for what no attribute can be called.
        """
        parameters = {"format": "json", "agreed": "true" if agreed else "false"}
        rows: list[dict[str, Any]] = self._json(f"/api/v1/labels/{check_name(name)}", parameters)["labels"]
        return rows

    def _json(self, path: str, parameters: dict[str, Any]) -> Any:
        with self._get(path, parameters) as response:
            try:
                return response.json()
            except ValueError as error:
                raise CatalogError(
                    f"{self.url}{path} did not answer with JSON. Check that the URL is of an Attune."
                ) from error

    @contextmanager
    def _get(
        self, path: str, parameters: dict[str, Any] | None = None, stream: bool = False
    ) -> Iterator[requests.Response]:
        """The answer to a GET. A redirect is not followed: the token would go along, to whatever host it names."""
        options = {"params": parameters, "stream": stream, "timeout": SECONDS, "allow_redirects": False}
        try:
            with self._session.get(self.url + path, **options) as response:  # type: ignore[arg-type]
                if response.status_code != requests.codes.ok:
                    raise self._refused(response)
                yield response
        except requests.RequestException as error:
            raise CatalogUnreachable(
                f"{self.url} does not answer: {_why(error)}. Check the URL, and that `attune up` runs there."
            ) from error

    def _refused(self, response: requests.Response) -> AttuneError:
        """The server's own error where it sent one, else what its status means."""
        status = response.status_code
        try:
            sent = json.loads(response.content)
            kind, message = getattr(errors, str(sent["error"]), None), str(sent["message"])
        except (ValueError, KeyError, TypeError):
            kind, message = None, ""
        if isinstance(kind, type) and issubclass(kind, AttuneError):
            return kind(message)
        if status == requests.codes.forbidden and self._token:
            return AccessError(
                f"{self.url} answered with status {status}: the role of this token has no access (a pipeline's token "
                "reads no labels). An owner or admin can create another: `attune token create NAME --role owner`"
            )
        if status in (requests.codes.unauthorized, requests.codes.forbidden):
            what = "it does not accept this token" if self._token else "it needs a token"
            return AccessError(
                f"{self.url} answered with status {status}: {what}. An owner or admin can create a token: "
                "`attune token create NAME`"
            )
        if status >= requests.codes.server_error or status == requests.codes.too_many_requests:
            return CatalogUnreachable(f"{self.url} answered with status {status} {message}. Try again in a minute.")
        return CatalogError(
            f"{self.url} answered with status {status} {message or response.reason}. Check that the URL is of an "
            "Attune."
        )


def connect(url: str, token: str | None = None) -> Connection:
    """A client of the Attune at ``url``, such as ``http://127.0.0.1:8700``. Nothing is asked yet.

    ``token`` is a bearer token (``attune token create NAME``); it is sent to ``url`` and nowhere else. Raises
    CatalogError where ``url`` is no http address; each method raises AccessError where the token may not do that,
    CatalogUnreachable where nothing answers. For example::

        house = attune.connect("http://127.0.0.1:8700", os.environ["ATTUNE_TOKEN"])
        [one["attribute"] for one in house.probes()]
        house.feature_values("serious@champion", to="serious.parquet")
    """
    if not url.startswith(("http://", "https://")):
        raise CatalogError(
            f"{url!r} is not a URL such as http://127.0.0.1:8700. To read the folder of a catalog, use attune.pull."
        )
    return Connection(url, token)


class _Bearer(AuthBase):
    """Sends the token, or nothing: without it requests would send what a .netrc file says of the host."""

    def __init__(self, token: str | None) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _path(what: str, ref: str) -> str:
    reference = parse_reference(ref)
    return f"/api/v1/{what}/{reference.name}/{reference.ref}"


def _why(error: BaseException) -> str:
    """The system's reason, which requests and urllib3 wrap several times."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno is not None):
        inner = getattr(cause, "reason", None) or (cause.args[0] if cause.args else None)
        cause = inner if isinstance(inner, BaseException) else cause.__context__
    return reason(cause) if isinstance(cause, OSError) else "the connection did not work"
