"""The question of these benchmarks, and labels made of its answers."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from attune.models.labels.answers import Answer
from attune.models.labels.labels import Labels

Ints = npt.NDArray[np.intp]
CLASSES = ("yes", "no")
# The votes' columns: neutral is what the attribute calls serious.
COLUMNS = {"serious": "neutral", "happy": "happiness", "sad": "sadness", "angry": "anger"}
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def hard(rows: Ints, yes: npt.NDArray[np.bool_]) -> tuple[Labels, Ints]:
    """Labels of ``rows`` by one answer each: certain, and of equal weight."""
    share = yes.astype(np.float64)
    return soft(rows, np.stack([share, 1 - share], axis=1), np.ones(len(rows))), rows


def soft(rows: Ints, shares: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> Labels:
    """Labels of ``rows`` by shares (n, 2) and weights (n,)."""
    ids = tuple(f"{row:06d}" for row in rows)
    return Labels(ids, ids, shares, weights)


def answer(asset: str, expert: str, yes: bool) -> Answer:
    """One expert's answer on one asset."""
    return Answer(asset, asset, expert, CLASSES[0] if yes else CLASSES[1], "spread", NOON)
