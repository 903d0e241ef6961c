"""Seconds by the wall and of the processor, and the memory that a process held beyond what it maps from files."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.cluster_cost import own_bytes

EACH = 0.02  # seconds between two looks at the memory
_watching = [0.0]  # seconds of the processor that the looks themselves took


@dataclass(frozen=True)
class Spent:
    """One run: seconds by the wall, and of the processor by all threads and ended children."""

    wall: float
    processor: float


def spent(work: Callable[[], Any]) -> Spent:
    """What ``work`` takes."""
    began, busy = time.perf_counter(), _busy()
    work()
    return Spent(time.perf_counter() - began, _busy() - busy)


def figures(runs: Sequence[Spent]) -> dict[str, Any]:
    """Median and 95th percentile by both clocks, how many runs they are of, and each run's seconds of the processor,
    the shortest first."""
    found: dict[str, Any] = {"n": len(runs)}
    for name in ("wall", "processor"):
        seconds = [getattr(run, name) for run in runs]
        found |= {f"{name}_p{q}": round(float(np.quantile(seconds, q / 100)), 4) for q in (50, 95)}
    return found | {"runs": sorted(round(run.processor, 4) for run in runs)}


@contextmanager
def watched() -> Iterator[list[float]]:
    """The most MiB of its own that this process held during the block: no file that it maps counts.

    What looking takes is left out of ``spent``: on a machine that lets a run wait, it would be more than the run.
    """
    most, ended = [own_bytes() / 2**20], threading.Event()

    def watch() -> None:
        began = _watching[0]
        while not ended.wait(EACH):
            most[0] = max(most[0], own_bytes() / 2**20)
            _watching[0] = began + time.thread_time()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        ended.set()
        watcher.join()


def load() -> float:
    """The machine's load of the last minute."""
    return round(os.getloadavg()[0], 1)


def _busy() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both) - _watching[0]
