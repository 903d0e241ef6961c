"""Stages that overlap: in order, bounded, and over when one of them fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event

import pytest

from attune.models.encoders.bounded_stages import AHEAD, in_stages


def batches(count: int, seen: list[int]) -> Iterator[list[int]]:
    for number in range(count):
        seen.append(number)
        yield [10 * number, 10 * number + 1]


def test_all_come_in_order_and_few_are_under_way() -> None:
    seen: list[int] = []
    found = []
    for _, _, total in in_stages(batches(9, seen), lambda one: one + 1, list, sum, 4):
        found.append(total)
        assert len(seen) <= len(found) + AHEAD
    assert found == [20 * number + 3 for number in range(9)]


def test_the_next_batch_is_read_while_this_one_is_computed() -> None:
    read_second = Event()

    def read(item: int) -> int:
        if item >= 10:
            read_second.set()
        return item

    def compute(batch: Sequence[int]) -> bool:
        return read_second.wait(30)

    assert all(done for _, _, done in in_stages(batches(2, []), read, list, compute, 2))


@pytest.mark.parametrize("stage", ["read", "prepare", "compute"])
def test_what_a_stage_raises_comes_out_after_what_was_done(stage: str) -> None:
    def fail_at_20(batch: object) -> object:
        if batch in ([20, 21], 20):
            raise OSError(stage)
        return batch

    stages = {name: fail_at_20 if name == stage else (lambda one: one) for name in ("read", "prepare", "compute")}
    found = in_stages(batches(9, []), readers=2, **stages)
    assert [next(found)[0], next(found)[0]] == [[0, 1], [10, 11]]
    with pytest.raises(OSError, match=stage):
        next(found)
