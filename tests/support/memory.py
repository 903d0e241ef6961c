"""Where the tests' temporary folders lie: in memory where there is plenty, as hundreds of small databases are made.

A commit waits for the disk; in memory the suite takes little more than half the time. What a killed process leaves is
read back by the same kernel either way: only a power cut would tell the difference, and no test makes one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil

SHARED_MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 8 * 2**30  # the suite never holds more than a tenth of it at once
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def use() -> None:
    """Keep temporary folders of this process and those it starts in memory, unless the environment says where."""
    if "TMPDIR" in os.environ or "PYTEST_DEBUG_TEMPROOT" in os.environ or not _plenty():
        return
    os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = str(SHARED_MEMORY)


def _plenty() -> bool:
    if not os.access(SHARED_MEMORY, os.W_OK):
        return False
    limits = [int(text) for path in LIMITS if path.is_file() and (text := path.read_text().strip()).isdigit()]
    return min(shutil.disk_usage(SHARED_MEMORY).free, psutil.virtual_memory().available, *limits) > ENOUGH_BYTES
