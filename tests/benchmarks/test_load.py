"""A soak's figures: what grows is told from what only moves, and waits are counted from the answer that was given."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from attune.labeler.records.schema import Queue
from attune.labeler.records.session import writing
from benchmarks.load import samples, slopes, table
from benchmarks.load.orders import KIND, RECORDED, Orders
from benchmarks.load.seen import Seen
from tests.support import factories

AT = np.arange(0, 3600, 30.0)


def noise(seed: int) -> Any:
    """Values of which each is like the one before it, as memory is."""
    steps = np.random.default_rng(seed).standard_normal(len(AT))
    kept = np.zeros(len(AT))
    for place in range(1, len(AT)):
        kept[place] = 0.7 * kept[place - 1] + steps[place]
    return kept


def test_a_leak_is_found_and_what_fills_up_at_first_is_none() -> None:
    leak = slopes.second_half(AT, 500 + AT / 3600 * 60 + noise(0))
    assert leak is not None
    assert leak.grows
    assert leak.lo < 60 < leak.hi
    assert leak.n == 60
    warm_up = slopes.second_half(AT, 500 - 100 * np.exp(-AT / 200) + noise(1))
    assert warm_up is not None
    assert not warm_up.grows


def test_values_that_only_wander_are_rarely_called_a_leak() -> None:
    """Were they held for independent, one in five would be."""
    found = [slopes.second_half(AT, noise(seed)) for seed in range(400)]
    assert np.mean([one is not None and one.grows for one in found]) < 0.06


def test_too_few_samples_have_no_slope() -> None:
    assert slopes.second_half([], []) is None
    assert slopes.second_half(AT[:14], AT[:14]) is None


def sample(at: float, cpu: float, memory: float) -> samples.Sample:
    parts = {"web": {"memory": memory, "handles": 20, "cpu": cpu}, "redis": {"memory": 5.0, "handles": 9, "cpu": 0.0}}
    waits = {kind: {"n": 0} for kind in samples.KINDS} | {KIND: {"p50": 2.0 + at, "p95": 4.0, "n": 3}}
    return {"at": at, "parts": parts, "waits": waits, "asked": 9, "starved": 1, "errors": {}, "load": 1.0}


def test_a_part_that_was_started_anew_keeps_the_processor_time_it_had_before() -> None:
    kept = [sample(0.0, 100.0, 300.0), sample(30.0, 115.0, 310.0), sample(60.0, 6.0, 200.0)]
    found = table.soak(kept)
    assert found["processor"] == {"web": 0.25, "redis": 0.0}, "15 seconds of 60, and none for the fall"
    assert found["parts"][table.ALL]["memory"] == {"first": 305.0, "last": 205.0, "most": 315.0}
    assert found["waits"][KIND]["n"] == 9
    assert found["waits"][KIND]["second half"]["p50"] == 47.0
    assert "| web | 0.25 | 300.0, 200.0 |" in table.shown(found)


def test_samples_are_read_again_as_they_were_kept(tmp_path: Path) -> None:
    for one in (first := sample(0.0, 1.0, 2.0), second := sample(30.0, 2.0, 3.0)):
        samples.add(tmp_path / "record", one)
    assert samples.read(tmp_path / "record") == [first, second]


def test_an_order_counts_once_it_is_one_of_a_run_that_has_seen_the_answer(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    (image,) = factories.add_assets(settings, 1)
    attribute = factories.add_attribute(settings)
    queue = factories.add_queue(settings, attribute, factories.add_expert(settings))
    factories.add_task(settings, queue, image, key="known")
    factories.add_run(settings, attribute, 0)
    seen = Seen()
    orders = Orders(settings, seen)

    def told() -> tuple[int, int]:
        orders.look()
        return len(seen.taken(RECORDED)), len(seen.taken(KIND))

    def order(run: int) -> None:
        with writing(settings) as session:
            session.get_one(Queue, queue.id).order_run = run

    orders.add("known", queue.project, monotonic())
    order(1)
    assert told() == (0, 0)
    factories.add_answer(settings, queue, image, "romance")
    assert told() == (1, 0), "the order that Label Studio serves is older"
    factories.add_run(settings, attribute, 1)
    assert told() == (1, 0), "a run whose order Label Studio does not serve yet"
    order(2)
    assert told() == (1, 1)
    assert not orders.left()
