"""Small panels, answers and audits that several tests share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.audit_design import AuditDesign
from attune.models.labels.answers import Answer
from attune.models.labels.labels import Labels

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
CLASSES = ("romance", "neither")


def answer(asset: str, expert: str, value: str, minute: int = 0, purpose: str = "spread") -> Answer:
    """An answer on an asset that is its own title."""
    return Answer(asset, f"title of {asset}", expert, value, purpose, NOON + timedelta(minutes=minute))


def hard_labels(assets: Sequence[str], titles: Sequence[str], y: npt.NDArray[np.float64]) -> Labels:
    """Sure labels of two classes: the first where ``y`` is 1."""
    return Labels(tuple(assets), tuple(titles), np.stack([y, 1 - y], axis=1), np.ones(len(y)))


def audited_world(
    seed: int, n: int = 1500, prevalence: float = 0.15, strength: float = 1.5, audits: int = 120
) -> tuple[Labels, npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """One audit: labels, probabilities (n, 2), inclusion (n,), the pool's probabilities (N, 2) and its truth (N,)."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < prevalence).astype(np.float64)
    logits = rng.normal(size=n) + strength * truth - 1.0
    p = 1 / (1 + np.exp(-logits))
    pool = np.stack([p, 1 - p], axis=1)
    ids = [f"{seed}-{i:05d}" for i in range(n)]
    design = AuditDesign(seed)
    for _ in range(3):
        design.extend(ids, ids, logits, audits // 3)
    rows = np.flatnonzero(design.drawn(ids))
    chosen = [ids[i] for i in rows]
    return hard_labels(chosen, chosen, truth[rows]), pool[rows], design.inclusions(ids)[rows], pool, truth
