"""Try each part that Attune needs and say of each: well, to be watched, or broken, and what to do."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import requests
from alembic.runtime.migration import MigrationContext
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from attune.labeler.answers import hints
from attune.labeler.jobs import jobs
from attune.labeler.label_studio import LabelStudio, door
from attune.labeler.label_studio.environment_folder import VERSION
from attune.labeler.label_studio.webhooks import calls
from attune.labeler.records.schema import Queue
from attune.labeler.records.session import engine, newest_schema, reading
from attune.labeler.services import doctor_content, task_database
from attune.labeler.services.finding import Finding, State
from attune.labeler.settings import Settings, close_workspace, hidden
from attune.labeler.settings.secrets import load as load_secrets
from attune.models.clock import now
from attune.models.errors import AttuneError, LabelStudioRefused, LabelStudioUnreachable, ServiceDown
from attune.models.reasons import reason

FREE_BYTES_WARN, FREE_BYTES_FAIL = 5 * 2**30, 2**29
SKEW_SECONDS = 10.0  # a sync asks for changes from half a minute before the last one
WAITING_WARN = 1000
START = "Start everything: `attune up`"
OTHERS = (
    "Another Attune, such as the demo, uses these ports. Stop it with Ctrl-C in its terminal, or start on "
    "other ports: `attune up --free-ports`"
)
NOT_MADE = "not made yet"


Check = Callable[[Settings], Finding]


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check in turn, each on its own: one that breaks is a finding, and the next continues.

    What can only be asked of a part that does not answer is skipped.
    """
    broken: set[str] = set()
    for name, check in CHECKS.items():
        if missing := broken.intersection(NEEDS.get(name, ())):
            yield Finding(name, "skip", f"not checked: {' and '.join(sorted(missing))} must answer first")
            continue
        try:
            finding = _own(settings, check(settings))
        except AuthenticationError:  # to redis-py a kind of no answer
            todo = OTHERS if settings.redis_url is None else "Check the password in ATTUNE_REDIS_URL."
            finding = Finding(name, "fail", f"{_address(settings, name)} refuses this workspace's password", todo)
        except (*NO_ANSWER, LabelStudioUnreachable):
            finding = Finding(name, "fail", f"does not answer at {_address(settings, name)}", START)
        except (AttuneError, SQLAlchemyError, RedisError, requests.RequestException, OSError) as error:
            finding = Finding(name, "fail", _why(error), START)
        if finding.state == "fail" or finding.found == NOT_MADE:
            broken.add(name)
        yield finding


def _why(error: Exception) -> str:
    if isinstance(error, AttuneError):
        return str(error)
    if isinstance(error, SQLAlchemyError):
        return "the records cannot be read or written"
    return f"it does not answer as expected: {reason(error)}"


def _own(settings: Settings, finding: Finding) -> Finding:
    """``finding``, or that it is someone else's part where this workspace never started one."""
    elsewhere = {"redis": settings.redis_url, "label studio": settings.label_studio_url, "web app": settings.public_url}
    if finding.name not in elsewhere or elsewhere[finding.name] or settings.secrets.exists():
        return finding
    return Finding(
        finding.name,
        "fail",
        f"something answers at {_address(settings, finding.name)}, but this workspace was never started",
        OTHERS,
    )


NO_ANSWER = (requests.ConnectionError, requests.Timeout, RedisConnectionError, RedisTimeoutError)


def _address(settings: Settings, name: str) -> str:
    known = {"redis": hidden(settings.redis_address), "web app": settings.web_address}
    return known.get(name, settings.label_studio_address)


def python(_: Settings) -> Finding:
    """The release of Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    fine = (3, 11) <= sys.version_info[:2] < (3, 13)
    todo = "" if fine else "Use Python 3.11 or 3.12: `make install PYTHON=python3.11`"
    return Finding("python", "ok" if fine else "fail", version, todo)


def disk(settings: Settings) -> Finding:
    """Room in the workspace, and leave to write there."""
    folder = next(path for path in (settings.workspace, *settings.workspace.parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        todo = "Name a folder that you can write to, with --workspace or ATTUNE_WORKSPACE."
        return Finding("workspace", "fail", f"{folder} cannot be written: {reason(error)}", todo)
    state: State = "ok" if free > FREE_BYTES_WARN else "warn" if free > FREE_BYTES_FAIL else "fail"
    todo = "" if state == "ok" else "Free some space, or set ATTUNE_WORKSPACE to a folder on a larger disk."
    if state == "ok" and not settings.workspace.exists():
        todo = "Name another folder with --workspace or ATTUNE_WORKSPACE, or make this one: `attune up`"
        return Finding("workspace", "warn", f"{settings.workspace} does not exist", todo)
    return Finding("workspace", state, f"{settings.workspace}, {free / 2**30:.1f} GiB free", todo)


def secrets(settings: Settings) -> Finding:
    """The file of secrets is its owner's alone."""
    if not settings.secrets.exists():
        return Finding("secrets", "warn", NOT_MADE, START)
    mode = stat.S_IMODE(settings.secrets.stat().st_mode)
    if mode & 0o077:
        return Finding("secrets", "fail", f"{settings.secrets} has mode {mode:o}", f"chmod 600 {settings.secrets}")
    mine = settings.secrets.stat().st_uid == os.getuid()
    return Finding("secrets", "ok" if mine else "warn", f"mode {mode:o}", "" if mine else "Another user owns the file.")


def records(settings: Settings) -> Finding:
    """The records open and have the newest schema."""
    if settings.database_url is None and not (settings.workspace / "records.sqlite").exists():
        return Finding("records", "warn", NOT_MADE, START)
    with engine(settings.records_url).connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    newest = newest_schema()
    if revision == newest:
        return Finding("records", "ok", f"schema {revision}")
    return Finding(
        "records", "fail", f"schema {revision}, but the newest is {newest}", "Update the records: `attune up`"
    )


def redis(settings: Settings) -> Finding:
    """Redis answers, and keeps what it is told."""
    connection = jobs.connect(settings)
    connection.ping()
    version = connection.info("server")["redis_version"]
    keeps = connection.info("persistence").get("aof_enabled") == 1
    evicts = connection.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction") != "noeviction"
    if keeps and not evicts:
        return Finding("redis", "ok", f"{version}, append-only")
    what = (
        "no append-only file: a restart loses waiting jobs" if not keeps else "may delete keys when its memory is full"
    )
    todo = "Set `appendonly yes` and `maxmemory-policy noeviction` in Redis."
    return Finding("redis", "warn", f"{version}, {what}", todo)


def workers(settings: Settings) -> Finding:
    """Workers show signs of life, one ends access and does nothing else, and jobs do not pile up."""
    living = jobs.living_workers(settings)
    waiting = sum(jobs.waiting(settings).values())
    summary = f"{len(living)} running, {waiting} jobs waiting"
    if not living:
        return Finding("workers", "fail", summary, f"{START} Their logs are in {settings.logs}.")
    if jobs.ACCESS not in living:
        todo = (
            "Start one that does nothing else: `attune up`, or in Docker the service `access`. Until then, ending a "
            "person's access waits if all workers do something long."
        )
        return Finding("workers", "warn", f"{summary}, none of them only for ending access", todo)
    slow = waiting > WAITING_WARN
    return Finding(
        "workers", "warn" if slow else "ok", summary, "Set ATTUNE_WORKERS to a higher number." if slow else ""
    )


def _connected(settings: Settings) -> LabelStudio:
    if settings.label_studio_token is None and not settings.secrets.exists():
        raise ServiceDown("there is no token yet")
    return LabelStudio.connect(settings)


def label_studio(settings: Settings) -> Finding:
    """Label Studio answers in the release that Attune was tried with."""
    # No connection as an administrator: asking for the token would make the secrets, and looking must change nothing.
    version = requests.get(f"{settings.label_studio_address}/api/version", timeout=5).json()["release"]
    fine = version == VERSION
    todo = "" if fine else f"Attune was tested with {VERSION}. Use that release, or check the first answers."
    return Finding("label studio", "ok" if fine else "warn", f"{version} at {settings.label_studio_address}", todo)


def token(settings: Settings) -> Finding:
    """Label Studio takes our token."""
    with _connected(settings) as ls:
        who = ls.me()["email"]
    return Finding("token", "ok", f"administrator {who}")


def guard(settings: Settings) -> Finding:
    """Attune's guard stands in front of Label Studio, so that experts reach their own questions alone."""
    with _connected(settings) as ls:
        if door.is_guarded(ls):
            return Finding("guard", "ok", "experts reach only their own queues in Label Studio")
    summary = "missing: any login of this Label Studio can see and change every project"
    todo = (
        "Start that Label Studio with Attune's modules (see docs/explanation/security.md), or let Attune start one: "
        "`attune up`"
    )
    return Finding("guard", "warn", summary, todo)


def clock(settings: Settings) -> Finding:
    """Label Studio's clock and ours agree well enough for asking what changed since."""
    reply = requests.get(f"{settings.label_studio_address}/health", timeout=5)
    there: datetime = parsedate_to_datetime(reply.headers["Date"])
    skew = abs((now() - there).total_seconds())
    fine = skew <= SKEW_SECONDS
    todo = "" if fine else "Set both clocks by a time server. If they differ, answers arrive late or twice."
    return Finding("clock", "ok" if fine else "warn", f"{skew:.0f} s apart from Label Studio", todo)


def web(settings: Settings) -> Finding:
    """The web app is ready, where browsers look for it."""
    status = requests.get(f"{settings.web_address}/readyz", timeout=5).status_code
    todo = "" if status == 200 else f"Read {settings.logs / 'web.log'}."
    return Finding("web app", "ok" if status == 200 else "fail", f"{settings.web_address}, status {status}", todo)


def webhooks(settings: Settings) -> Finding:
    """The web app takes webhooks at the address that Label Studio is told, and every queue has its own."""
    address = hints.base(settings)
    status = requests.post(address, json={}, timeout=5).status_code
    if status != 403:  # without the secret nothing else may come
        todo = "Set ATTUNE_WEBHOOK_URL to the URL at which Label Studio reaches the console."
        return Finding("webhooks", "warn", f"{address} answered with status {status} (expected: 403)", todo)
    with reading(settings) as session:
        queues = list(session.scalars(select(Queue).where(Queue.closed_at.is_(None))))
    with _connected(settings) as ls:
        secret = load_secrets(settings.secrets).hint_secret
        broken = [queue.project for queue in queues if not _has_hook(settings, ls, queue, secret)]
    if broken:
        todo = "Answers still arrive by sync, every 30 s. The scheduler repairs webhooks at its start and once a day."
        return Finding("webhooks", "warn", f"projects {broken[:10]} of {len(queues)} do not call {address}", todo)
    return Finding("webhooks", "ok", f"{len(queues)} queues call {address}")


def _has_hook(settings: Settings, ls: LabelStudio, queue: Queue, secret: str) -> bool:
    address = hints.address(settings, hints.QUEUE, queue.attribute_id, queue.expert_id)
    try:
        return calls(ls, queue.project, queue.webhook, address, secret)
    except LabelStudioRefused:
        return False


# What a check asks something of, beside the part that it is about.
NEEDS = {
    "workers": ("redis",),
    "token": ("label studio",),
    "guard": ("label studio", "token"),
    "clock": ("label studio",),
    "webhooks": ("label studio", "web app", "records"),
    "answers": ("label studio", "token", "records"),
    "images": ("records",),
}
CHECKS: dict[str, Check] = {
    "python": python,
    "workspace": disk,
    "secrets": secrets,
    "private": close_workspace.finding,
    "records": records,
    "images": doctor_content.images,
    "redis": redis,
    "workers": workers,
    task_database.NAME: task_database.finding,
    "label studio": label_studio,
    "token": token,
    "guard": guard,
    "clock": clock,
    "web app": web,
    "webhooks": webhooks,
    "answers": doctor_content.answers,
    "encoder": doctor_content.encoder,
}
