"""A workspace's lock: another stack is refused, and one whose starter was killed is waited for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attune.labeler.services import workspace_lock
from attune.labeler.services.parts import PARENT
from attune.labeler.settings import build
from attune.models.errors import ServiceError

HOLDER = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(workspace: Path, seconds: float, parent: int) -> subprocess.Popen[str]:
    """A process that looks like a stack's supervisor and holds the lock for a while."""
    workspace.mkdir(exist_ok=True)
    words = [
        sys.executable,
        "-c",
        HOLDER,
        str(workspace / workspace_lock.LOCK),
        str(seconds),
        workspace_lock.SUPERVISOR,
    ]
    environment = {**os.environ, "ATTUNE_WORKSPACE": str(workspace), PARENT: str(parent)}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_an_abandoned_stack_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace_lock, "DYING_SECONDS", 0.1)
    with hold(tmp_path / "w", 2.0, parent=2**22 + 1) as stopping:
        workspace_lock.check_unlocked(build({}, workspace=tmp_path / "w"))
        assert stopping.wait(10) == 0


def test_a_living_stack_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace_lock, "DYING_SECONDS", 0.1)
    with hold(tmp_path / "w", 60.0, parent=os.getpid()) as living:
        began = time.monotonic()
        with pytest.raises(ServiceError, match="already runs"):
            workspace_lock.check_unlocked(build({}, workspace=tmp_path / "w"))
        assert time.monotonic() - began < 10
        living.kill()
