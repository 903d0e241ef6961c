"""One thread for small linear algebra: a few hundred rows are solved sooner by one core than divided over many."""

from __future__ import annotations

import functools
from typing import Any

import numpy  # noqa: F401  the libraries must be loaded before their threads can be found
import scipy.linalg  # noqa: F401
from threadpoolctl import ThreadpoolController


@functools.cache
def _controller() -> Any:
    return ThreadpoolController()


def one_thread() -> Any:
    """A context in which BLAS uses one thread; torch's own threads, which score the pool, are left alone.

    Measured on two crowded cores, a fit on 200 labels: 13 ms with one thread, 360 ms with two that wait for each other.
    """
    return _controller().limit(limits=1, user_api="blas")
