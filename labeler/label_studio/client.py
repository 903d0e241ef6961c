"""The one connection to Label Studio: explicit time limits, and errors that say what to do and never show a token."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import TracebackType
from typing import Any, Self

import requests

from attune.labeler.settings import Settings, secrets
from attune.labeler.traces import spans
from attune.models.errors import LabelStudioRefused, LabelStudioUnreachable

CONNECT_SECONDS = 3.05
ANSWER_SECONDS = 60.0  # importing a thousand tasks takes one second; more than a minute is an outage
SHOWN_CHARACTERS = 600


class LabelStudio:
    """An administrator's access: ``sdk`` for the calls that label-studio-sdk has, ``request`` for the others.

    Raises LabelStudioUnreachable where nothing answers, and LabelStudioRefused with the status and the body (never the
    headers, which hold the token) where the answer is an error.
    """

    def __init__(
        self,
        address: str,
        token: str,
        answer_seconds: float = ANSWER_SECONDS,
        whose: Callable[[], str] = lambda: "",
    ) -> None:
        import httpx
        from label_studio_sdk.base_client import LabelStudioBase

        self.address = address.rstrip("/")
        self._whose = whose
        self._limits = (CONNECT_SECONDS, answer_seconds)
        self._session = requests.Session()
        limits = httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS)
        self._client = httpx.Client(timeout=limits, follow_redirects=True, verify=tls())
        # No retry below us: a repeated import would make every task twice.
        with self.errors():
            # Its subclass `LabelStudio` adds what reads labelling configurations: two thirds of all that it loads.
            make: Any = LabelStudioBase
            self.sdk = make(
                base_url=self.address,
                api_key=token,
                max_retries=0,
                httpx_client=self._client,
            )

    @classmethod
    def connect(cls, settings: Settings) -> LabelStudio:
        """The Label Studio of ``settings``, with the token set or else the one made for this workspace.

        Nothing is asked yet; `version` is the cheapest question.
        """
        from attune.labeler.label_studio.port_check import whose

        return cls(settings.label_studio_address, token(settings), whose=lambda: whose(settings))

    def version(self) -> str:
        """The release that answers, such as ``1.23.2``; asks without a token."""
        return str(self.request("GET", "/api/version")["release"])

    def me(self) -> dict[str, Any]:
        """The user of the token: id and email."""
        found: dict[str, Any] = self.request("GET", "/api/current-user/whoami")
        return found

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        answer_seconds: float | None = None,
    ) -> Any:
        """Ask what the SDK has no call for; returns the decoded JSON, or None for an empty answer."""
        limits = self._limits if answer_seconds is None else (CONNECT_SECONDS, answer_seconds)
        with self.errors():
            # The wrapper exchanges a personal access token for a short-lived one when needed.
            headers = {"Authorization": self.sdk._client_wrapper.get_headers()["Authorization"]}
            reply = self._session.request(
                method, self.address + path, json=body, params=query, headers=headers, timeout=limits
            )
            return read(reply)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what the SDK, httpx and requests raise into ours."""
        import httpx
        from label_studio_sdk.core.api_error import ApiError

        try:
            with spans.span("Label Studio"):
                yield
        except (requests.ConnectionError, requests.Timeout, httpx.TransportError) as error:
            raise LabelStudioUnreachable(
                f"Label Studio does not answer at {self.address}. Start everything (`attune up`), or set "
                "ATTUNE_LABEL_STUDIO_URL to a running one. To test each service: `attune doctor`"
            ) from error
        except ApiError as error:
            raise self._explained(refused(int(error.status_code or 0), error.body)) from error
        except LabelStudioRefused as error:
            raise self._explained(error) from error

    def _explained(self, error: LabelStudioRefused) -> LabelStudioRefused:
        """``error``, or that someone else's program answers where ours would: then its words mean nothing here."""
        found = self._whose()
        return LabelStudioRefused(found, error.status) if found else error

    def close(self) -> None:
        """Give the connections back; leaving a ``with`` block, or being forgotten, does it as well."""
        self._session.close()
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_client"):
            self.close()


@cache
def tls() -> ssl.SSLContext:
    """Whom to trust, as httpx has it; reading it takes longer than a request, so each process does it once."""
    import httpx

    return httpx.create_ssl_context()


def token(settings: Settings) -> str:
    """The administrator's token: the one set, or the generated one in the workspace's secrets."""
    return settings.label_studio_token or secrets.load(settings.secrets).label_studio_token


def read(reply: requests.Response) -> Any:
    """The JSON of a good answer; raises LabelStudioRefused otherwise."""
    is_json = "json" in reply.headers.get("Content-Type", "")
    if reply.status_code >= 400:
        # Unknown paths answer with a whole page of HTML.
        raise refused(reply.status_code, reply.json() if is_json else reply.reason)
    return reply.json() if is_json and reply.content else None


def refused(status: int, body: Any) -> LabelStudioRefused:
    """The error for an answer of ``status``, with what the body tells and a next step."""
    if status >= 500:  # what its program raised is of no use to a person, and may hold an answer's text
        number = body.get("id") if isinstance(body, Mapping) else None
        detail: Any = f"an internal error{f' (number {number} in its log)' if number else ''}"
    elif isinstance(body, Mapping):
        detail = body.get("validation_errors") or body.get("detail") or body
    else:
        detail = body
    text = str(detail)
    text = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " …"
    steps = {
        401: (
            "The token is not valid. Check ATTUNE_LABEL_STUDIO_TOKEN, and that Label Studio allows legacy "
            "tokens (Organization, Access Token Settings)."
        ),
        403: "The token's user has no right to do this. Use the token of an administrator.",
        404: "It may have been deleted in Label Studio. To read Label Studio again: `attune sync`",
    }
    stale = isinstance(body, Mapping) and bool(body.get("display_context"))  # of `attune_checks.Stale`
    if stale:
        step = "Take the next image, and answer that."
    else:
        step = steps.get(status, "To check the connection, the token and the webhooks: `attune doctor`")
    return LabelStudioRefused(f"Label Studio answered with status {status}: {text.rstrip('.')}. {step}", status, stale)
