"""Memory, open files and processor time of each part of a stack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from attune.labeler.services.orphans import started_by_stack
from attune.labeler.settings import Settings
from tests.resilience.faults import PARTS

QUEUES = "--queues"


@dataclass(frozen=True)
class Part:
    """``memory`` is MiB of its own, in memory; ``handles`` open files and sockets; ``cpu`` seconds, with ended
    children's.
    """

    memory: float
    handles: int
    cpu: float


def parts(settings: Settings) -> dict[str, Part]:
    """Every part that runs now, by name. A job's own process, which ends with it, is not its worker."""
    found: dict[str, Part] = {}
    for name, process in _named(settings):
        with suppress(psutil.Error, OSError):
            times = process.cpu_times()
            cpu = times.user + times.system + times.children_user + times.children_system
            part = Part(_own_memory(process), process.num_fds(), cpu)
            before = found.get(name, Part(0.0, 0, 0.0))
            found[name] = Part(before.memory + part.memory, before.handles + part.handles, before.cpu + part.cpu)
    return found


def _own_memory(process: psutil.Process) -> float:
    """MiB that are no file's: those of programs and libraries go where the machine is short of memory, and would hide
    what grows. All that is resident where the system does not tell (not Linux).
    """
    status = Path(f"/proc/{process.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    own = next((line for line in lines if line.startswith("RssAnon:")), None)
    return process.memory_info().rss / 2**20 if own is None else int(own.split()[1]) / 1024


def _named(settings: Settings) -> Iterator[tuple[str, psutil.Process]]:
    for process in started_by_stack(settings.workspace):
        with suppress(psutil.Error):
            words = process.cmdline()
            parent = process.parent()
            if parent is not None and parent.cmdline() == words:
                continue
            kind = next((name for name, word in PARTS.items() if word in " ".join(words)), "supervisor")
            queues = words[words.index(QUEUES) + 1].split(",") if QUEUES in words else []
            yield f"{kind}, {_line(queues)}" if queues else kind, process


def _line(queues: list[str]) -> str:
    return queues[0] if len(queues) == 1 else "with embeddings" if "embed" in queues else "quick"
