"""Labels with planted errors: one attribute, some images, whose labels are wrong is known."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.labels.answers import Answer
from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.vectors.pool import Pool

CLASSES = ("yes", "no")
NOON = datetime(2026, 3, 1, tzinfo=UTC)
# Several experts: how often each is right, and how many of the images one, two and all three answer.
RIGHT, SHARED = (0.95, 0.9, 0.8), (0.6, 0.25, 0.15)
CHOOSE, REPORT = "choose", "report"


@dataclass(frozen=True, eq=False)
class Problem:
    """``votes`` (n, experts) and which of them are ``wrong`` (n, experts), on the images of ``pool``; ``x`` (n, d)."""

    data: str
    attribute: str
    seed: int
    kind: str  # the share of planted errors, or "experts"
    pool: Pool
    x: npt.NDArray[np.float32]
    votes: npt.NDArray[np.intp]
    wrong: npt.NDArray[np.bool_]

    @property
    def panel(self) -> Panel:
        """The labels as experts' votes."""
        experts = tuple(f"e{i}" for i in range(self.votes.shape[1]))
        ids, titles = self.pool.asset_ids.tolist(), self.pool.title_ids.tolist()
        return Panel(tuple(ids), tuple(titles), experts, CLASSES, self.votes)

    @property
    def answers(self) -> list[Answer]:
        """The same as answers."""
        ids, titles = self.pool.asset_ids.tolist(), self.pool.title_ids.tolist()
        return [
            Answer(ids[row], titles[row], f"e{seat}", CLASSES[self.votes[row, seat]], "spread", NOON)
            for row, seat in np.argwhere(self.votes != NO_VOTE).tolist()
        ]


def problems(
    files: Sequence[Path], half: str, sizes: Sequence[int], shares: Sequence[float], seeds: int
) -> Iterator[Problem]:
    """Every problem of one half of the attributes: of each file every second one, from the first (``choose``) or from
    the second on (``report``). Experts answer as many images as the smallest of ``sizes``."""
    kinds: list[tuple[int, float | None]] = [*product(sizes, shares), (min(sizes), None)]
    for path in files:
        with np.load(path, allow_pickle=False) as file:
            data = {name: file[name] for name in ("ids", "title_ids", "vectors", "labels", "label_names")}
        for place in range(0 if half == CHOOSE else 1, len(data["label_names"]), 2):
            for seed, (size, share) in product(range(seeds), kinds):
                yield _problem(path.stem, data, place, seed, size, share)


def _problem(
    file: str, data: dict[str, npt.NDArray[Any]], place: int, seed: int, size: int, share: float | None
) -> Problem:
    name = str(data["label_names"][place])
    rng = np.random.default_rng([seed, size, round(100 * (share or 0)), zlib.crc32(name.encode())])
    rows = np.sort(rng.choice(len(data["ids"]), size, replace=False))
    truth = np.where(data["labels"][rows, place] > 0, 0, 1)
    ids, titles = (data[key][rows].astype(str).tolist() for key in ("ids", "title_ids"))
    pool = Pool.of(ids, data["vectors"][rows], titles)
    votes = _experts(truth, rng) if share is None else _flipped(truth, share, rng)
    wrong = (votes != truth[:, None]) & (votes != NO_VOTE)
    kind = "experts" if share is None else f"{share:.0%}"
    return Problem(file, name, seed, kind, pool, pool.rows(np.arange(size)), votes, wrong)


def _flipped(truth: npt.NDArray[np.intp], share: float, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    votes = truth.copy()
    wrong = rng.choice(len(truth), round(share * len(truth)), replace=False)
    votes[wrong] = 1 - votes[wrong]
    return votes[:, None]


def _experts(truth: npt.NDArray[np.intp], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Each image is answered by one, two or three of the experts, whoever they are."""
    right = rng.random((len(truth), len(RIGHT))) < np.array(RIGHT)
    votes = np.where(right, truth[:, None], 1 - truth[:, None])
    count = rng.choice([1, 2, 3], len(truth), p=SHARED)
    turn = rng.random(votes.shape).argsort(axis=1)
    return np.where(turn < count[:, None], votes, NO_VOTE).astype(np.intp)
