"""Campaigns that ended, kept in a file, so that a benchmark that was stopped goes on where it was.

Each has random generators of its own, so it says the same in whichever run it is made. A record is of one state of the
code: after a change of an estimator, begin a new one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attune.models.errors import NotEnoughLabels
from attune.models.insights.within_title import Effect

Found = list[tuple[str, Effect, float]]  # method, what it says, the truth
Campaign = Callable[[np.random.Generator, int], Found]


@dataclass(frozen=True)
class Told:
    """What a ``method`` says in a campaign, with the interval from ``lo`` to ``hi``, beside the ``truth``."""

    method: str
    estimate: float
    se: float
    lo: float
    hi: float
    p: float
    truth: float

    @classmethod
    def of(cls, method: str, effect: Effect, truth: float) -> Told:
        """Of an effect."""
        return cls(method, effect.estimate, effect.se, *effect.ci, effect.p, truth)


class Record:
    """``path`` holds a line for each campaign that ended, None keeps nothing. A last line that was cut is dropped."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._known: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            whole, end, cut = path.read_text().rpartition("\n")
            if cut:  # by a kill; the next line would go on in it
                path.write_text(whole + end)
            for line in whole.splitlines():
                one = json.loads(line)
                self._known[one["campaign"]] = one

    def get(self, key: str) -> dict[str, Any] | None:
        """What was kept of the campaign ``key``."""
        return self._known.get(key)

    def put(self, key: str, kept: dict[str, Any]) -> None:
        """Keep it, on disk at once."""
        self._known[key] = kept
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(json.dumps({"campaign": key} | kept) + "\n")


def repeated(
    name: str, campaign: Campaign, campaigns: int, seed: tuple[int, int], record: Record | None = None
) -> tuple[dict[str, list[Told]], int]:
    """What each method says in each campaign, and how many campaigns gave no effect. Campaign number d has the
    generator of ``seed`` and d, and the seed of its audits."""
    record = record or Record(None)
    found: dict[str, list[Told]] = {}
    failed = 0
    for draw in range(campaigns):
        key = f"{name}, {seed[0]}, {seed[1]}, {draw}"
        kept = record.get(key)
        if kept is None:
            kept = _one(campaign, np.random.default_rng([*seed, draw]), seed[0] * 1_000_000 + draw)
            record.put(key, kept)
        if "failed" in kept:
            failed += 1
            sys.stderr.write(f"{name}, campaign {draw}: {kept['failed']}\n")
        for told in kept.get("told", ()):
            found.setdefault(told["method"], []).append(Told(**told))
    if not found:
        raise NotEnoughLabels(f"{name}: no campaign of {campaigns} gave an effect.")
    return found, failed


def _one(campaign: Campaign, rng: np.random.Generator, audits: int) -> dict[str, Any]:
    try:
        return {"told": [vars(Told.of(*said)) for said in campaign(rng, audits)]}
    except NotEnoughLabels as reason:
        return {"failed": str(reason)}
