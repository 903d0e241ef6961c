"""Work in stages that overlap: many threads read, one prepares a batch, one computes it, the caller takes it.

At most `AHEAD` batches are under way beside the one that the caller has, so that memory stays bounded however fast one
of the stages is. All come in order. Threads are enough: reading, decoding, copying to a card and the network itself all
leave the interpreter's lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Got = TypeVar("Got")
Ready = TypeVar("Ready")
Done = TypeVar("Done")
AHEAD = 3  # one is read, one prepared, one computed


def in_stages(
    batches: Iterable[Sequence[Item]],
    read: Callable[[Item], Got],
    prepare: Callable[[Sequence[Got]], Ready],
    compute: Callable[[Ready], Done],
    readers: int,
) -> Iterator[tuple[Sequence[Item], Ready, Done]]:
    """Each batch, what was prepared of it (of what ``readers`` threads read), and what was computed of that, in order.

    What a stage raises comes out here, and nothing more is begun after it.
    """
    waiting = iter(batches)
    under_way: deque[tuple[Sequence[Item], Future[Ready], Future[Done]]] = deque()
    pools = [ThreadPoolExecutor(count) for count in (readers, 1, 1)]
    reading, preparing, computing = pools

    def begin(batch: Sequence[Item]) -> None:
        reads = [reading.submit(read, item) for item in batch]
        ready = preparing.submit(lambda: prepare([one.result() for one in reads]))
        under_way.append((batch, ready, computing.submit(lambda: compute(ready.result()))))

    try:
        while True:
            while len(under_way) < AHEAD and (batch := next(waiting, None)) is not None:
                begin(batch)
            if not under_way:
                return
            batch, ready, computed = under_way.popleft()
            yield batch, ready.result(), computed.result()
    finally:
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in pools:
            pool.shutdown()
