"""Wait until every part does what it is there for, and say so line by line."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import requests
from redis.exceptions import RedisError

from attune.labeler.jobs import jobs
from attune.labeler.label_studio import local
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.settings import Settings, hidden
from attune.models.errors import LabelStudioError, LabelStudioRefused, ServiceDown

Tell = Callable[[str], None]
PATIENCE_SECONDS = 300.0  # the first start of Label Studio takes 35 s on a quiet machine, minutes on a busy one
BETWEEN_SECONDS = 0.2


@dataclass(frozen=True)
class Check:
    """One thing to wait for: ``ask`` returns None when it is so, else why not yet."""

    name: str
    ask: Callable[[Settings], str | None]
    address: Callable[[Settings], str]


def redis_answers(settings: Settings) -> str | None:
    """Whether Redis answers and has read its file."""
    try:
        jobs.connect(settings).ping()
    except RedisError as error:
        return str(error)
    return None


def label_studio_answers(settings: Settings) -> str | None:
    """Whether Label Studio is healthy."""
    return _get(f"{settings.label_studio_address}/health")


def token_works(settings: Settings) -> str | None:
    """Whether Label Studio takes our token; raises ServiceDown where one elsewhere refuses it: waiting is no help."""
    try:
        with LabelStudio.connect(settings) as ls:
            ls.me()
    except LabelStudioRefused as error:
        if settings.label_studio_url is not None and error.status in {401, 403}:
            raise ServiceDown(f"{error} Set ATTUNE_LABEL_STUDIO_TOKEN to a valid token.") from error
        return str(error)
    except LabelStudioError as error:
        return str(error)
    return None


def token_is_made_to_work(settings: Settings) -> str | None:
    """The same, and our own Label Studio is put right where it refuses: for the one process that started it."""
    if (reason := token_works(settings)) is None or settings.label_studio_url is not None:
        return reason
    try:
        local.put_right(settings)
    except (LabelStudioError, requests.RequestException) as error:
        return str(error)
    return None


def web_answers(settings: Settings) -> str | None:
    """Whether the web app is ready."""
    return _get(f"http://{settings.browser_host}:{settings.web_port}/readyz")


def workers_answer(settings: Settings) -> str | None:
    """Whether all workers live, with the one that ends access."""
    living, wanted = len(jobs.living_workers(settings)), settings.workers + 1
    return None if living >= wanted else f"{living} of {wanted} are running"


def _get(address: str) -> str | None:
    try:
        reply = requests.get(address, timeout=5)
    except requests.RequestException:
        return "no answer"
    return None if reply.status_code == 200 else f"status {reply.status_code}"


CHECKS = (
    Check("redis", redis_answers, lambda settings: hidden(settings.redis_address)),
    Check("label studio", label_studio_answers, lambda settings: settings.label_studio_address),
    Check("token", token_works, lambda settings: settings.label_studio_email),
    Check("web app", web_answers, lambda settings: f"http://{settings.browser_host}:{settings.web_port}"),
    Check("workers", workers_answer, lambda settings: f"{settings.workers} and the one that ends access"),
)


MENDING_CHECKS = tuple(
    replace(check, ask=token_is_made_to_work) if check.ask is token_works else check for check in CHECKS
)


def wait_and_mend(settings: Settings, tell: Tell, alive: Callable[[], None]) -> None:
    """`wait`, for the supervisor itself."""
    wait(settings, tell, alive, checks=MENDING_CHECKS)


def wait(
    settings: Settings,
    tell: Tell,
    alive: Callable[[], None],
    patience_seconds: float = PATIENCE_SECONDS,
    checks: Sequence[Check] = CHECKS,
) -> None:
    """Wait for every check in order, telling each; ``alive`` raises where waiting has become pointless.

    Raises ServiceDown that names the part and its last reason after ``patience_seconds`` in all.
    """
    began = time.monotonic()
    for check in checks:
        told = False
        while (reason := check.ask(settings)) is not None:
            alive()
            waited = time.monotonic() - began
            if waited > patience_seconds:
                raise ServiceDown(
                    f"{check.name} is not ready after {waited:.0f} s: {reason}. Its log is in {settings.logs}. "
                    "To test each service: `attune doctor`"
                )
            if not told and waited > 3 and check.name == "label studio":
                tell("label studio  starting (the first start of a workspace takes a minute) …")
                told = True
            time.sleep(BETWEEN_SECONDS)
        tell(f"{check.name:<13} ready  {check.address(settings)}  ({time.monotonic() - began:.1f} s)")
