"""A disk for the campaign's workspace that can be filled: a file system in memory, which needs leave to mount."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

from attune.labeler.settings import Settings
from tests.resilience.faults import Fault

SIZE = "700m"
CHUNK = bytes(1 << 20)


@contextmanager
def mounted(folder: Path) -> Iterator[bool]:
    """Mount the disk at ``folder``; whether that was allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    try:
        is_mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _full(settings: Settings, chance: Random) -> bool:
    """Write until nothing fits any more, for some seconds."""
    filler = settings.workspace.parent / "filler"
    until = time.monotonic() + chance.uniform(3, 10)
    try:
        with filler.open("wb", buffering=0) as file:
            while time.monotonic() < until:  # what others give back is taken, too
                with suppress(OSError):
                    if file.write(CHUNK):
                        continue
                time.sleep(0.1)
    finally:
        filler.unlink()
    return True


FAULTS = (Fault("disk full", _full),)
