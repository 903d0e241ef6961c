"""Simulated labelling campaigns with known truth: a plain margin query over real vectors, audits apart."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from attune.models.evaluation.audit_design import reserved_mask

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

# Shares of positives as they are, or thinned to 5 % (posters have no attribute that is rarer than 12 %).
BANDS: dict[str, tuple[tuple[str, str, float | None], ...]] = {
    "3-7 %": (
        ("faces", "surprised", None),
        ("faces", "negative", None),
        ("ferplus", "angry", None),
        ("posters", "animation", 0.05),
        ("posters", "horror", 0.05),
        ("posters", "fantasy", 0.05),
        ("posters", "romance", 0.05),
    ),
    "7-20 %": (
        *(("posters", name, None) for name in ("sci-fi", "thriller", "horror", "romance", "animation", "fantasy")),
        *(("posters", name, None) for name in ("crime", "family")),
        ("ferplus", "sad", None),
    ),
    "20-50 %": (
        *(("posters", name, None) for name in ("drama", "comedy", "action", "adventure")),
        *(("faces", name, None) for name in ("serious", "happy")),
        *(("ferplus", name, None) for name in ("serious", "happy")),
    ),
}


@functools.lru_cache(maxsize=4)
def load(path: Path) -> dict[str, Any]:
    """The arrays of one ``.npz`` of the benchmark's data, vectors as float32."""
    with np.load(path, allow_pickle=False) as file:
        held = {name: file[name] for name in ("ids", "title_ids", "vectors", "labels", "label_names", "split")}
    held["vectors"] = held["vectors"].astype(np.float32)
    return held


@dataclass(frozen=True, eq=False)
class World:
    """One attribute of one file: rows (n), their truth, and which may be trained on, audited, or are never shown.

    ``x`` (n, d) float32, ``y`` (n,) 0 or 1, ``ids`` and ``titles`` (n,); ``trainable``, ``audited`` and ``unseen``
    hold indices, apart by title.
    """

    x: npt.NDArray[np.float32]
    y: Ints
    ids: npt.NDArray[np.str_]
    titles: npt.NDArray[np.str_]
    trainable: Ints
    audited: Ints
    unseen: Ints


def world(folder: Path, question: tuple[str, str, float | None], seed: int, share: float = 0.3) -> World:
    """The world of a campaign: ``share`` of the pool's titles are reserved for the audit, split 1 is never shown."""
    name, attribute, thinned = question
    held = load(folder / f"{name}.npz")
    y = held["labels"][:, list(held["label_names"]).index(attribute)].astype(np.intp)
    rows = np.arange(len(y))
    if thinned is not None:
        positives = np.flatnonzero(y)
        keep = int(thinned / (1 - thinned) * (len(y) - len(positives)))
        dropped = np.random.default_rng([seed, 7]).choice(positives, len(positives) - keep, replace=False)
        rows = np.setdiff1d(rows, dropped)
    titles, pool = held["title_ids"][rows], held["split"][rows] == 0
    kept = reserved_mask(titles, seed, share)
    return World(
        held["vectors"][rows],
        y[rows],
        held["ids"][rows],
        titles,
        np.flatnonzero(pool & ~kept),
        np.flatnonzero(pool & kept),
        np.flatnonzero(~pool),
    )


def start(campaign: World, rng: np.random.Generator) -> list[int]:
    """3 positives and 17 random others to begin with."""
    positives = rng.choice(campaign.trainable[campaign.y[campaign.trainable] == 1], 3, replace=False)
    others = rng.choice(np.setdiff1d(campaign.trainable, positives), 17, replace=False)
    return [*positives.tolist(), *others.tolist()]


def margin_rounds(
    campaign: World, seed: int, batch: int = 20, strategy: str = "margin"
) -> Iterator[tuple[list[int], Floats]]:
    """Labelled indices so far and the logits (n,) of the probe fitted on them; then ``batch`` more are asked.

    ``strategy`` is margin (nearest to the line) or random.
    """
    rng = np.random.default_rng([seed, 1])
    labelled = start(campaign, rng)
    while True:
        logits = fitted(campaign, labelled)(campaign.x)
        yield list(labelled), logits
        rest = np.setdiff1d(campaign.trainable, labelled)
        if len(rest) < batch:
            return
        order = np.argsort(np.abs(logits[rest])) if strategy == "margin" else rng.permutation(len(rest))
        labelled += rest[order[:batch]].tolist()


def fitted(campaign: World, rows: Sequence[int]) -> Any:
    """The logit function of a class-balanced logistic regression on ``rows``; C follows the number of labels."""
    strength = float(np.clip(len(rows) / 100, 0.2, 2.0))
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=300)
    return model.fit(campaign.x[rows], campaign.y[rows]).decision_function


def sigmoid(logits: Floats) -> Floats:
    """Probabilities (n, 2) of logits (n,): the positive class first."""
    p = 1.0 / (1.0 + np.exp(-np.clip(logits, -35, 35)))
    return np.stack([p, 1.0 - p], axis=1)
