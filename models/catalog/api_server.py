"""One GET of Attune's API: sent with a token, and answered with bytes or with an error of Attune's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.auth import AuthBase

from attune.models import errors
from attune.models.errors import AccessError, AttuneError, CatalogError, CatalogUnreachable
from attune.models.reasons import reason

SECONDS = (10.0, 60.0)  # to connect; between two pieces of an answer


class Server:
    """The Attune at ``url``, which the token is sent to and nothing else."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url, self._token = url, token
        self._session = requests.Session()
        self._session.auth = _Bearer(token)

    def json(self, path: str, parameters: dict[str, Any]) -> Any:
        """What a GET of ``path`` answers, from JSON."""
        with self.get(path, parameters) as response:
            try:
                return response.json()
            except ValueError as error:
                raise CatalogError(
                    f"{self.url}{path} did not answer with JSON. Check that the URL is of an Attune."
                ) from error

    @contextmanager
    def get(
        self, path: str, parameters: dict[str, Any] | None = None, stream: bool = False
    ) -> Iterator[requests.Response]:
        """The answer to a GET. A redirect is not followed: the token would go along, to whatever host it names."""
        options = {"params": parameters, "stream": stream, "timeout": SECONDS, "allow_redirects": False}
        try:
            with self._session.get(self.url + path, **options) as response:  # type: ignore[arg-type]
                if response.status_code not in {requests.codes.ok, requests.codes.accepted}:
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


class _Bearer(AuthBase):
    """Sends the token, or nothing: without it requests would send what a .netrc file says of the host."""

    def __init__(self, token: str | None) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _why(error: BaseException) -> str:
    """The system's reason, which requests and urllib3 wrap several times."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno is not None):
        inner = getattr(cause, "reason", None) or (cause.args[0] if cause.args else None)
        cause = inner if isinstance(inner, BaseException) else cause.__context__
    return reason(cause) if isinstance(cause, OSError) else "the connection did not work"
