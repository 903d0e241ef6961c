"""A campaign in pieces goes on where it was, and counts what each piece found."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.resilience import campaign, faults, shards


def shard(seed: int, seconds: list[float], lost: int = 0) -> dict[str, Any]:
    return {
        "ok": not lost, "answers": 100, "faults": 15, "stack restarted": 0, "wrong": {"lost": lost, "stale": 0},
        "recoveries": {"kill -9 web": seconds}, "minutes": 3.0, "seed": seed,
    }  # fmt: skip


def test_a_campaign_goes_on_after_the_shards_that_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, ran = tmp_path / "record.jsonl", list[int]()
    monkeypatch.setattr(campaign, "in_a_folder", lambda given: ran.append(given.seed) or shard(given.seed, [2.0]))
    asked = Namespace(record=record, answers=300, faults=40, seed=7, minutes=60.0)
    record.write_text('{"seed": 7, "answ')  # a call that was killed
    shards.add(record, shard(8, [1.0, 9.0], lost=1))
    found = campaign.sharded(asked)
    assert ran == [7, 9]
    assert (found["answers"], found["faults"], found["wrong"]["lost"], found["ok"]) == (300, 45, 1, False)
    assert found["seconds to ready"]["kill -9 web"] == {"n": 4, "median": 2.0, "most": 9.0}
    campaign.sharded(Namespace(**vars(asked) | {"answers": 400, "minutes": -1.0}))
    assert ran == [7, 9], "no shard begins once the time is over"


def test_each_kind_of_fault_comes_as_often_as_the_others() -> None:
    chosen = faults.FAULTS
    counted = Counter(fault.name for fault in islice(campaign.drawn(chosen, Random(1)), 3 * len(chosen)))
    assert counted == {fault.name: 3 for fault in chosen}
