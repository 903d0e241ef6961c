"""Faults to inject into a running stack, each of which ends by itself or is ended here."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from random import Random

import psutil
import requests
from redis.exceptions import RedisError

from attune.labeler.backups.contents import LABEL_STUDIO_DATABASE, RECORDS
from attune.labeler.jobs import jobs
from attune.labeler.services import Stack
from attune.labeler.services.orphans import started_by_stack
from attune.labeler.settings import Settings

# A word of each part's command line.
PARTS = {
    "redis": "redis-server",
    "label studio": "label-studio",
    "web": "attune.labeler.web.serve",
    "worker": "attune.workers.runtime.worker",
    "scheduler": "attune.workers.runtime.schedule",
}
WORKERS = 3
RECORDS_LOCKED = "records locked"
LABEL_STUDIO_LOCKED = "Label Studio's database locked"
READY_SECONDS = 300.0


@dataclass(frozen=True)
class Fault:
    """``name`` says what is done; ``do`` does it, and returns whether there was anything to do it to."""

    name: str
    do: Callable[[Settings, Random], bool]


def processes(settings: Settings, word: str) -> Iterator[psutil.Process]:
    """The stack's own processes whose command line has ``word``."""
    for process in started_by_stack(settings.workspace):
        with suppress(psutil.Error):
            if word in " ".join(process.cmdline()):
                yield process


def _kill(word: str) -> Callable[[Settings, Random], bool]:
    def do(settings: Settings, chance: Random) -> bool:
        found = list(processes(settings, word))
        if not found:
            return False
        with suppress(psutil.Error):
            chance.choice(found).kill()
        return True

    return do


def _hang(word: str) -> Callable[[Settings, Random], bool]:
    def do(settings: Settings, chance: Random) -> bool:
        found = list(processes(settings, word))
        for process in found:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGSTOP)
        time.sleep(chance.uniform(1, 6))
        for process in found:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGCONT)
        return bool(found)

    return do


def _locked(name: str) -> Callable[[Settings, Random], bool]:
    """Another program holds the database's write lock for some seconds, as a backup or a careless query does."""

    def do(settings: Settings, chance: Random) -> bool:
        with closing(sqlite3.connect(settings.workspace / name, timeout=60, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            time.sleep(chance.uniform(1, 6))
            database.execute("ROLLBACK")
        return True

    return do


def _everything(settings: Settings, _chance: Random) -> bool:
    """Kill all that the supervisor started, at one moment: the power fails, and the supervisor starts it again."""
    found = [process for word in PARTS.values() for process in processes(settings, word)]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in found:
            with suppress(psutil.Error):
                process.send_signal(number)
    return bool(found)


FAULTS = (
    *(Fault(f"kill -9 {name}", _kill(word)) for name, word in PARTS.items()),
    *(Fault(f"{name} hangs", _hang(PARTS[name])) for name in ("redis", "label studio", "web", "worker")),
    Fault(RECORDS_LOCKED, _locked(RECORDS)),
    Fault(LABEL_STUDIO_LOCKED, _locked(LABEL_STUDIO_DATABASE)),
    Fault("kill -9 everything", _everything),
)


def until_ready(settings: Settings, stack: Stack) -> float:
    """Seconds until every part answers again; infinite where that takes too long, or the stack has ended."""
    began = time.monotonic()
    while time.monotonic() - began < READY_SECONDS:
        if _ready(settings):
            return time.monotonic() - began
        if not psutil.pid_exists(stack.pid) or psutil.Process(stack.pid).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.2)
    return float("inf")


def _ready(settings: Settings) -> bool:
    with suppress(requests.RequestException, RedisError, OSError):
        web = requests.get(f"{settings.web_address}/readyz", timeout=3).ok
        label_studio = requests.get(f"{settings.label_studio_address}/health", timeout=3).ok
        alive = all(any(processes(settings, word)) for word in PARTS.values())
        workers = len(list(processes(settings, PARTS["worker"]))) >= WORKERS
        return web and label_studio and alive and workers and len(jobs.living_workers(settings)) >= WORKERS
    return False
