"""Does it pay to let answers count less of an expert whom the others contradict? Simulated panels over real vectors.

Each of three experts answers images of their own; one image in twenty gets another opinion by lot, and one answer in
eight is a second opinion where ActiveLab asks, about as in the product. A probe learns from ``consensus`` with every
answer alike, and once more with the weights of ``attune.workers.rounds.reliability_update``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.metrics import average_precision
from attune.models.labels.agreement_sample import drawn_at_random
from attune.models.labels.answers import SECOND_OPINION, Answer
from attune.models.labels.labels import Labels, consensus
from attune.models.labels.panel import NO_VOTE, Panel
from attune.models.labels.second_opinion import second_opinions
from attune.models.probes.probe import Probe
from attune.workers.rounds.reliability_update import expert_reliabilities
from benchmarks.agreement.labelling import CLASSES, Ints, answer
from benchmarks.campaigns import load

GOOD, FAIR = (0.95, 0.97), (0.90, 0.95)  # how often an expert says yes to a positive, and no to a negative
CARELESS, ALIKE = (0.60, 0.65), (0.88, 0.92)
EVEN, MOST = (1 / 3, 1 / 3, 1 / 3), (0.1, 0.1, 0.8)  # of the images, how many each of the three answers
PANELS = {
    "one careless": ((GOOD, FAIR, CARELESS), EVEN),
    "one who guesses": ((GOOD, FAIR, (0.5, 0.5)), EVEN),
    "one who says yes too often": ((GOOD, (0.93, 0.95), (0.95, 0.70)), EVEN),
    "all alike": ((ALIKE, ALIKE, ALIKE), EVEN),
    "a careless one who does most": ((GOOD, FAIR, CARELESS), MOST),
    "all alike, one does most": ((ALIKE, ALIKE, ALIKE), MOST),
}
ATTRIBUTES = (("faces", "serious"), ("faces", "happy"), ("posters", "animation"), ("ferplus", "happy"))
BUDGETS = (960, 1920)
IMAGES, POSITIVE = 1600, 1 / 3  # answered for the first time, and how many of them are positives, as a query finds them
LOTS = 0  # the seed of the lots
OWN, DOUBTFUL = 66, 10  # answers a round: on new images, second opinions where there is doubt
Say = Callable[[int, int], Answer]


def questions(folder: Path) -> Iterator[tuple[str, dict[str, Any], Ints]]:
    """The attributes, each with its file's arrays and its truth (n,)."""
    for file, attribute in ATTRIBUTES:
        held = load(folder / f"{file}.npz")
        yield attribute, held, held["labels"][:, held["label_names"].tolist().index(attribute)].astype(np.intp)


def weighing_rows(folder: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Test AP by attribute, panel and number of answers: every answer alike, and weighed by the weights found."""
    for attribute, held, truth in questions(folder):
        for panel, (experts, work) in PANELS.items():
            rng = np.random.default_rng([seed, 7, len(panel)])
            for answers in _campaign(held, truth, experts, work, rng):
                weights = {one.expert: one.weight for one in expert_reliabilities(answers, CLASSES, LOTS)}
                base = {"seed": seed, "attribute": attribute, "panel": panel, "answers": len(answers)}
                alike, weighed = (_quality(held, truth, consensus(answers, CLASSES, w)) for w in ({}, weights))
                found = [weights.get(f"e{seat}", 1.0) for seat in range(len(experts))]
                yield base | {"alike": alike, "weighed": weighed, "weights": found}


def _campaign(
    held: dict[str, Any],
    truth: Ints,
    experts: Sequence[tuple[float, float]],
    work: Sequence[float],
    rng: np.random.Generator,
) -> Iterator[list[Answer]]:
    """The answers as they stand at each budget."""

    def say(row: int, seat: int) -> Answer:
        right = rng.random() < experts[seat][0 if truth[row] else 1]
        return answer(f"{row:06d}", f"e{seat}", bool(truth[row]) if right else not truth[row])

    rows = _drawn(np.flatnonzero(held["split"] == 0), truth, rng)
    said: list[Answer] = []
    turn = 0
    for budget in BUDGETS:
        while len(said) < budget:
            said += [say(int(row), int(rng.choice(len(experts), p=work))) for row in rows[turn : turn + OWN]]
            turn += OWN
            said += [replace(one, purpose=SECOND_OPINION) for one in _again(held, said, say, len(experts), rng)]
        yield said[:budget]


def _drawn(pool: Ints, truth: Ints, rng: np.random.Generator) -> Ints:
    order = rng.permutation(pool)
    positive, negative = order[truth[order] == 1], order[truth[order] == 0]
    known = min(len(positive) // 2, int(IMAGES * POSITIVE))
    return rng.permutation(np.concatenate([positive[:known], negative[: IMAGES - known]]))


def _again(held: dict[str, Any], said: list[Answer], say: Say, experts: int, rng: np.random.Generator) -> list[Answer]:
    """This round's second opinions: where ActiveLab asks, with cross-fitted probabilities, and by lot."""
    panel, labels = Panel.of(said, CLASSES), consensus(said, CLASSES)
    names = tuple(f"e{seat}" for seat in range(experts))
    asked = {one.asset_id: one.expert for one in second_opinions(panel, _unseen(held, labels, rng), names, DOUBTFUL)}
    alone = (panel.votes != NO_VOTE).sum(axis=1) == 1
    for row in np.flatnonzero(alone & drawn_at_random(panel.asset_ids, LOTS)).tolist():
        first = int(np.flatnonzero(panel.votes[row] != NO_VOTE)[0])
        asked[panel.asset_ids[row]] = names[(first + 1 + int(rng.integers(experts - 1))) % experts]
    return [say(int(asset), names.index(expert)) for asset, expert in asked.items()]


def _unseen(held: dict[str, Any], labels: Labels, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    rows = np.array([int(asset) for asset in labels.asset_ids])
    fold, found = rng.permutation(len(rows)) % 3, np.zeros((len(rows), 2))
    for part in range(3):
        rest, mine = fold != part, fold == part
        probe = Probe(CLASSES, 1.0).fit(held["vectors"][rows[rest]], labels.shares[rest], labels.weights[rest])
        found[mine] = probe.predict_proba(held["vectors"][rows[mine]])
    return found


def _quality(held: dict[str, Any], truth: Ints, labels: Labels) -> float:
    rows, test = [int(asset) for asset in labels.asset_ids], held["split"] == 1
    probe = Probe(CLASSES).fit(held["vectors"][rows], labels.shares, labels.weights)
    return round(average_precision(truth[test], probe.logits(held["vectors"][test])[:, 0]), 5)


def weighing_summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By panel and answers: both means, the paired difference with its standard error, the mean weights."""
    found = []
    for panel in PANELS:
        for budget in BUDGETS:
            mine = [row for row in rows if (row["panel"], row["answers"]) == (panel, budget)]
            gap = np.array([row["weighed"] - row["alike"] for row in mine])
            found.append({
                "panel": panel, "answers": budget, "campaigns": len(mine),
                "alike": round(float(np.mean([row["alike"] for row in mine])), 4),
                "weighed": round(float(np.mean([row["weighed"] for row in mine])), 4),
                "difference": round(float(gap.mean()), 4),
                "standard_error": round(float(gap.std(ddof=1) / np.sqrt(len(gap))), 4) if len(gap) > 1 else 0.0,
                "weights": np.mean([row["weights"] for row in mine], axis=0).round(2).tolist(),
            })  # fmt: skip
    return found
