"""Start Ray on this machine, closed to everybody else, or connect to the cluster that `RAY_ADDRESS` names.

Whoever reaches Ray's ports and has its token may run code as the user who started it. Ray's own choices for one machine
are a shared folder that all may write to and ports on every network: here it gets a folder of its user's alone, the
loopback address, and a token that only this process and its children know. No setting of Ray's that the user exported
changes that. All its ports are on the loopback address; one of them, the autoscaler's figures, asks for no token.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import shutil
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attune.models.errors import ExtraNotInstalled, JobError
from attune.models.reasons import missing_extra

AGENT_SECONDS = 300  # for Ray's helpers to start: a busy machine takes longer than the 30 and 60 that it waits
LONGEST = 12  # characters of a folder below which Ray's sockets still have names that the system takes
PREFIX = "attune-ray-"
LOOPBACK = "127.0.0.1"
_folders: list[str] = []


def started() -> Any:
    """Ray, connected or started, without its progress bars, its answers in order.

    Raises ExtraNotInstalled without Ray, and JobError where it does not start or does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_agent_register_timeout_ms", str(AGENT_SECONDS * 1000))
    os.environ.setdefault("RAY_worker_register_timeout_seconds", str(AGENT_SECONDS))
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's own 15 makes the work wait for all else on the machine
    check_installed()
    running = "ray" in sys.modules and sys.modules["ray"].is_initialized()
    where = {} if running else place()  # before the import, which reads whether Ray wants a token
    import ray
    import ray.data
    import ray.exceptions

    if not running:
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
        except Exception as error:  # a plain Exception where its parts did not start, ConnectionError without a cluster
            raise _not_started(error) from error
        if where:
            check_loopback(sys.modules["ray"].nodes())  # untyped there
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    return ray


def check_installed() -> None:
    """Raise ExtraNotInstalled, with what to install, where Ray is not there; nothing is imported."""
    try:
        found = find_spec("ray")
    except ModuleNotFoundError:
        found = None
    if found is None:
        what = missing_extra(ModuleNotFoundError(name="ray"))
        raise ExtraNotInstalled(f"{what} Or leave Ray out: `--engine workers`")


def place() -> dict[str, Any]:
    """Where Ray is to be: nothing for the cluster of `RAY_ADDRESS`, whose token is the operator's."""
    if os.environ.get("RAY_ADDRESS"):
        return {}
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": _token(),  # comes before a file of RAY_AUTH_TOKEN_PATH
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # else Ray takes the machine's own address instead of the loopback's
        "RAY_enable_metrics_collection": "0",  # their server asks for no token
    }
    return {
        "address": "local",  # never a cluster that another user of this machine started
        "include_dashboard": False,
        "_node_ip_address": LOOPBACK,
        "_temp_dir": _private_folder(),
    }


@cache
def _token() -> str:
    """One for this process: Ray keeps the first that it reads."""
    return secrets.token_hex(32)


def check_loopback(nodes: list[dict[str, Any]]) -> None:
    """End Ray, and raise JobError, where it listens on a network: it had been imported before it could be told."""
    addresses = {node["NodeManagerAddress"] for node in nodes}
    if addresses != {LOOPBACK}:
        stop()
        raise JobError(
            f"Ray started on {', '.join(sorted(addresses))}, which other computers reach, and was ended. Attune "
            f"expected {LOOPBACK}. Run the command in a program that has not imported Ray before, or leave Ray out: "
            "`--engine workers`"
        )


def _private_folder() -> str:
    parent = tempfile.gettempdir()
    parent = parent if len(parent) <= LONGEST else "/tmp"
    _sweep(Path(parent))
    folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent)
    if not _folders:
        atexit.register(stop)
    _folders.append(folder)
    return folder


def _sweep(parent: Path) -> None:
    """Remove what processes of this user left that were killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError):
            alive = Path(f"/proc/{int(folder.name.split('-')[2])}").exists() or not Path("/proc/self").exists()
            if not alive and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)


def _not_started(error: BaseException) -> JobError:
    first = next(iter(str(error).strip().splitlines()), "no reason given")[:200]
    if address := os.environ.get("RAY_ADDRESS"):
        return JobError(
            f"The Ray cluster at {address} (RAY_ADDRESS) does not answer: {first} Check that it runs, and that "
            "RAY_AUTH_MODE and its token are those of the cluster. Or leave Ray out: `--engine workers`"
        )
    return JobError(
        f"Ray did not start on this computer: {first} Where the computer is busy, run the command again later. Or "
        "leave Ray out: `--engine workers`"
    )


def stop() -> None:
    """End what Ray started in this process, and remove its folder; nothing where it was not started."""
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
    remove_folders()


def remove_folders() -> None:
    """Remove what Ray kept on this machine."""
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)
