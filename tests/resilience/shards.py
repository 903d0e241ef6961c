"""A campaign in pieces: one line of JSON for each shard that ended, and what all of them come to."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np


def read(record: Path) -> list[dict[str, Any]]:
    """The shards that ended, in their order; none where there is no file yet. Half a line is left out."""
    shards = []
    for line in record.read_text().splitlines() if record.exists() else ():
        with suppress(ValueError):
            shards.append(json.loads(line))
    return shards


def add(record: Path, shard: dict[str, Any]) -> None:
    """Keep one more."""
    with record.open("a") as file:
        file.write("\n" + json.dumps(shard))


def next_seed(shards: Sequence[dict[str, Any]], first: int) -> int:
    """The first seed from ``first`` on that no shard had."""
    had = {one["seed"] for one in shards}
    return next(seed for seed in range(first, first + len(had) + 1) if seed not in had)


def recoveries(shards: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """By kind of fault: how many, and the median and most seconds until all parts were ready again."""
    seconds = defaultdict[str, list[float]](list)
    for shard in shards:
        for kind, some in shard["recoveries"].items():
            seconds[kind] += some
    return {
        kind: {"n": len(some), "median": round(float(np.median(some)), 1), "most": round(max(some), 1)}
        for kind, some in sorted(seconds.items())
    }


def total(shards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All shards together; ``ok`` where each is."""
    wrong = Counter[str]()
    for shard in shards:
        wrong.update(shard["wrong"])
    return {
        "ok": all(one["ok"] for one in shards),
        **{name: sum(one[name] for one in shards) for name in ("answers", "faults", "stack restarted")},
        "wrong": dict(wrong),
        "seeds": [one["seed"] for one in shards],
        "seconds to ready": recoveries(shards),
        "minutes": round(sum(one["minutes"] for one in shards), 1),
    }


def table(shards: Sequence[dict[str, Any]]) -> str:
    """`recoveries` for a page."""
    rows = ["| fault | n | median s | most s |", "|---|---|---|---|"]
    for kind, row in recoveries(shards).items():
        rows.append(f"| {kind} | {row['n']:.0f} | {row['median']} | {row['most']} |")
    return "\n".join(rows)
