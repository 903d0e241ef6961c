"""How many threads: one for small linear algebra, which one core solves sooner than many that divide it."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _controller() -> Any:
    """As ``_loaded``, with those of scipy; None in the core alone, which is slower, never wrong.

    Imported on first use: a command that multiplies nothing should not wait for scipy.
    """
    try:
        import scipy.linalg  # noqa: F401  the libraries must be loaded before their threads can be found
    except ImportError:
        return None
    return _loaded()


def _loaded() -> Any:
    """The threads of the libraries that are loaded by now; None where nothing can find them."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


def one_thread() -> Any:
    """A context in which BLAS uses one thread; torch's own threads, which score the pool, are left alone.

    The limit is the process's. Where two are inside at once, the last to leave may leave it at one: slower for large
    products, never wrong. Measured on two crowded cores, a fit on 200 labels: 13 ms with one thread, 360 ms with two
    that wait for each other.
    """
    controller = _controller()
    return controller.limit(limits=1, user_api="blas") if controller else nullcontext()


def one_thread_of_each() -> Any:
    """A context in which each library that is loaded by now uses one thread, OpenMP's too; BLAS in the whole process.

    Measured on two crowded cores, small trees on 900 images: 4.4 s of the processor with two threads that wait for each
    other, .3 s with one.
    """
    controller = _loaded()
    return controller.limit(limits=1) if controller else nullcontext()


@functools.cache
def _openmp() -> Any:
    """As ``_controller``, made once torch is loaded."""
    controller = _loaded()
    return controller.select(user_api="openmp") if controller else None


@contextmanager
def one_torch_thread(torch: ModuleType) -> Iterator[None]:
    """A context in which torch, loaded already, uses one thread for what this thread asks of it; others keep theirs.

    Measured on two crowded cores, 200,000 vectors of 512 numbers by one head: .03 s of the processor; .3 to 1 s with
    two threads.
    """
    torch.get_num_threads()  # sets this thread's number where it is new, and would do so inside
    controller = _openmp()
    with controller.limit(limits=1) if controller else nullcontext():
        yield
