"""What the processes of `test_killed.py` do; a module of its own, so that a fork server can load it once."""

from __future__ import annotations

import sys
from multiprocessing.synchronize import Barrier
from pathlib import Path

import onnx  # noqa: F401 - loaded before the fork, as in a worker that has published before
import onnxruntime  # noqa: F401

from attune.labeler import settings as reader
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.catalog.pull_address import find  # noqa: F401


def began_loaded() -> None:
    """Fail in a process that did not begin with what the fork server loads: it passes over what it cannot import."""
    assert "tests.labeler.catalog.moves_done" in sys.modules


def promote_one(workspace: Path, version: str, reason: str, barrier: Barrier | None = None) -> None:
    """Promote, once everybody is ready."""
    settings = reader.build({}, workspace=workspace)
    if barrier is not None:
        barrier.wait(60)
    promote(settings, Move("serious", version, reason, "ana"))
