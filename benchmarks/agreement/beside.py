"""How soon is an expert named whom the probe contradicts, and is it the right one? Simulated panels over real vectors.

Nobody shares an image. Of each round's answers a share are audits, drawn evenly by lot from images apart (in the
product the probe leads the draw); a probe learns from the others and is held against all audit answers each round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attune.models.labels.disagreeing_experts import AuditAnswer, differing_expert
from attune.models.probes.calibration import apply, calibrate
from attune.models.probes.probe import Probe
from benchmarks.agreement.labelling import Ints, hard
from benchmarks.agreement.weighing import EVEN, FAIR, GOOD, questions
from benchmarks.agreement.weighing import PANELS as WEIGHED

FIRST_SEED = 10  # the rule was settled while looking at those before
ROUND = 20  # answers between two looks
AUDITED = 0.25  # of the answers, as the product's stream has it on average over a campaign of this length
MOST = 600  # answers
POSITIVE = 1 / 3  # of the images that are learned from, as a query finds them
NEVER = "one who always says no"
ODD = {NEVER, "one careless", "one who guesses", "one who says yes too often", "a careless one who does most"}

PANELS = WEIGHED | {NEVER: ((GOOD, FAIR, (0.0, 1.0)), EVEN)}


def beside_rows(folder: Path, seed: int) -> Iterator[dict[str, Any]]:
    """By attribute and panel: who is named first, and after how many answers (None where nobody is)."""
    for attribute, held, truth in questions(folder):
        for panel, (experts, work) in PANELS.items():
            rng = np.random.default_rng([seed, 11, len(panel)])
            named, answers = _first(held, truth, experts, work, rng)
            yield {"seed": seed, "attribute": attribute, "panel": panel, "named": named, "answers": answers}


def _first(
    held: dict[str, Any],
    truth: Ints,
    experts: Sequence[tuple[float, float]],
    work: Sequence[float],
    rng: np.random.Generator,
) -> tuple[str | None, int | None]:
    learned, audited = _drawn(held, truth, rng)
    seats = rng.choice(len(experts), size=MOST, p=work)
    audits = rng.random(MOST) < AUDITED
    rows = np.where(audits, audited[np.cumsum(audits) - 1], learned[np.cumsum(~audits) - 1])
    right = rng.random(MOST) < np.array(
        [experts[seat][0 if truth[row] else 1] for seat, row in zip(seats, rows, strict=True)]
    )
    yes = np.where(right, truth[rows], 1 - truth[rows]).astype(bool)
    for told in range(3 * ROUND, MOST + 1, ROUND):
        now = np.arange(told)
        mine, apart = now[~audits[:told]], now[audits[:told]]
        labels, kept = hard(rows[mine], yes[mine])
        probe = Probe(("yes", "no")).fit(held["vectors"][kept], labels.shares, labels.weights)
        raw = probe.logits(held["vectors"][rows[apart]])[:, :1]
        audit, _ = hard(rows[apart], yes[apart])
        says = apply(calibrate(raw, audit, np.ones(len(apart))), raw)[:, 0] > 0.5
        said = zip(apart, yes[apart], says, strict=True)
        odd = differing_expert([AuditAnswer(f"e{seats[i]}", int(one), int(other)) for i, one, other in said], 2)
        if odd is not None:
            return odd.expert, told
    return None, None


def _drawn(held: dict[str, Any], truth: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Images to learn from, richer in positives than the pool, and images for audits, as the pool is."""
    order = rng.permutation(np.flatnonzero(held["split"] == 0))
    audited, rest = order[:MOST], order[MOST:]
    positive, negative = rest[truth[rest] == 1], rest[truth[rest] == 0]
    known = min(len(positive), int(MOST * POSITIVE))
    return rng.permutation(np.concatenate([positive[:known], negative[: MOST - known]])), audited


def beside_summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By panel: how many campaigns named the one who is odd (the last seat), how many somebody else, and how soon."""
    found = []
    for panel in PANELS:
        mine = [row for row in rows if row["panel"] == panel]
        right = [row for row in mine if row["named"] == "e2" and panel in ODD]
        others = [row for row in mine if row["named"] and row not in right]
        soon = [row["answers"] for row in right]
        found.append({
            "panel": panel, "campaigns": len(mine), "named": len(right), "others named": len(others),
            "answers, median": float(np.median(soon)) if soon else None, "answers, most": max(soon, default=None),
        })  # fmt: skip
    return found
