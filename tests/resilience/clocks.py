"""Steps of the clock that our processes and Redis see, and Label Studio does not: by a library loaded before theirs.

libfaketime 0.9.10 has Python 3.11 fail in `time.sleep`, hence `clock.c`. Only the time of day moves, as on a machine
whose clock is set: waits and time limits, which use the steady clock, go on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from attune.labeler.settings import Settings
from tests.resilience.faults import Fault

SOURCE = Path(__file__).with_name("clock.c")
FURTHEST_SECONDS = 1800


@contextmanager
def preloaded(folder: Path) -> Iterator[bool]:
    """Let processes that are started from here on see the clock in ``folder``; whether there is a compiler for that."""
    compiler = shutil.which("cc")
    if compiler is None:
        yield False
        return
    library = folder / "clock.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
    _set(folder / "clock", 0)
    variables = {"LD_PRELOAD": str(library), "CAMPAIGN_CLOCK": str(folder / "clock")}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield True
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _set(clock: Path, seconds: int) -> None:
    file = os.open(clock, os.O_WRONLY | os.O_CREAT)  # in place: the processes have mapped it
    os.pwrite(file, seconds.to_bytes(8, "little", signed=True), 0)
    os.close(file)


def _step(name: str, sign: int) -> Fault:
    def do(settings: Settings, chance: Random) -> bool:
        clock = settings.workspace.parent.parent / "clock"
        _set(clock, sign * chance.randrange(30, FURTHEST_SECONDS))
        time.sleep(chance.uniform(3, 15))
        _set(clock, 0)
        return True

    return Fault(name, do)


FAULTS = (_step("clock ahead, and back", 1), _step("clock back, and ahead", -1))
