"""Processes that decode and resize pictures by Pillow: many cores, where threads would wait for each other.

They import Pillow and numpy, never torch, and end with the process that started them, even one killed with -9.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process

import numpy as np

from attune.models.encoders.geometry import Geometry, Pixels
from attune.models.images.decode import decode
from attune.models.threads import cores

FROM = 512  # images: fewer are read sooner by threads than processes start
CORES = 4  # with fewer, the network needs them all, and threads that share its memory are as fast
MOST = 32


def pixels_of(content: bytes, name: str, max_pixels: int, geometry: Geometry) -> Pixels:
    """The picture in ``content`` as pixels (height, width, 3). Raises UnreadableItem."""
    return np.ascontiguousarray(geometry.of_picture(decode(content, name, max_pixels)))


@contextmanager
def decoding_processes(images: int) -> Iterator[ProcessPoolExecutor | None]:
    """Processes to read so many ``images``; None where threads of this one are as good."""
    if images < FROM or cores() < CORES:
        yield None
        return
    # Never forked: this process may hold a card, locks and threads.
    pool = ProcessPoolExecutor(min(MOST, cores()), get_context("spawn"), _end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_wait, args=(parent.sentinel,), daemon=True).start()


def _wait(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
