"""Choose margin, penalty, blend and the cost of hubs by cross-validation inside the pool, split by title.

The blend is where a taste stays wider than the genres it was taught: half of the labels are hidden, and the space must
find the hidden ones no worse than the raw space does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.splits import unit_hash
from attune.models.spaces.label_overlap import check_enough
from attune.models.spaces.neighbour_lists import costs
from attune.models.spaces.neighbour_measures import FIGURES, ListMeasures, measure_lists
from attune.models.spaces.space_files import LearnedSpace
from attune.models.spaces.taste_learning import TasteSettings, learn_space
from attune.models.vectors.pool import unit_length

Floats = npt.NDArray[np.float32]
FOLDS = 3
MOST_ROWS = 9000  # of the pool that are tuned on
ALPHAS, RIDGES = (30.0, 36.0, 42.0), (0.3, 1.0, 3.0)
BLENDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
HUB_WEIGHTS = (0.0, 0.1, 0.2, 0.3)
HUB_LIMIT = 1.3  # times the raw space's largest in-degree, in the pool; held-out titles may go a little higher


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to learn from and to measure on, apart by title, with what the raw space reaches there."""

    x: Floats
    labels: Floats
    held_x: Floats
    held_labels: Floats
    held_titles: npt.NDArray[np.str_]
    raw: ListMeasures


@dataclass(frozen=True)
class Tuned:
    """What was chosen, and what it was chosen by: one row for each setting tried, means over the folds."""

    settings: TasteSettings
    tried: list[dict[str, Any]] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """For a manifest."""
        return {"settings": asdict(self.settings), "tried": self.tried}


def tune(
    vectors: npt.ArrayLike,
    labels: npt.ArrayLike,
    titles: npt.ArrayLike,
    settings: TasteSettings | None = None,
    seed: int = 0,
) -> Tuned:
    """Settings chosen on these rows alone: vectors (n, d), labels (n, k) multi-hot, titles (n,).

    Raises NotEnoughLabels.
    """
    check_enough(labels)
    quick = replace(settings or TasteSettings(), maps=1)
    parts = list(folds(vectors, labels, titles, seed))
    tried: list[dict[str, Any]] = []
    quick = _best([replace(quick, ridge=one) for one in RIDGES], parts, seed, tried)
    quick = _best([replace(quick, alpha=one) for one in ALPHAS], parts, seed, tried)
    blends = _try_blends(parts, quick, seed)
    quick = replace(quick, blend=_widest(blends, quick.blend))
    hubs = _try_hubs(parts, quick, seed)
    low = [row for row in hubs if row["in_degree"] <= HUB_LIMIT] or [min(hubs, key=lambda row: row["in_degree"])]
    chosen = replace(quick, hub_weight=low[0]["hub_weight"], maps=(settings or TasteSettings()).maps)
    return Tuned(chosen, tried + blends + hubs)


def folds(vectors: npt.ArrayLike, labels: npt.ArrayLike, titles: npt.ArrayLike, seed: int) -> Iterator[Fold]:
    """``FOLDS`` pairs of rows to learn from and to measure on; rows without a label are left out."""
    given = np.asarray(labels, dtype=np.float32)
    rows = np.flatnonzero(given.sum(axis=1) > 0)
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng([seed, 64]).choice(rows, MOST_ROWS, replace=False))
    x, given = np.asarray(vectors, dtype=np.float32)[rows], given[rows]
    names = np.asarray(titles, dtype=np.str_)[rows]
    part = np.minimum((unit_hash(names.tolist(), seed, "taste folds") * FOLDS).astype(int), FOLDS - 1)
    for number in range(FOLDS):
        held = part == number
        raw = measure_lists(unit_length(x[held]), names[held], given[held])
        yield Fold(x[~held], given[~held], x[held], given[held], names[held], raw)


def halves(count: int, seed: int) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Label numbers to learn from and to hide: a drawn half and the rest, then the other way round.

    Nothing with fewer than four labels: a half would have one, and there is nothing to tell apart.
    """
    if count < 4:
        return
    order = np.random.default_rng([seed, 65]).permutation(count)
    one, other = np.sort(order[: count // 2]), np.sort(order[count // 2 :])
    yield one, other
    yield other, one


def measured(space: LearnedSpace, fold: Fold, labels: Floats) -> ListMeasures:
    """The lists of the space on the fold's held-out rows."""
    vectors = space.vectors(fold.held_x)
    return measure_lists(vectors, fold.held_titles, labels, costs(vectors, fold.held_titles, space.hub_weight))


def reblended(space: LearnedSpace, blend: float, hub_weight: float = 0.0) -> LearnedSpace:
    """The same projection with another share of the raw space and another cost of hubs."""
    return replace(space, blend=np.array([blend, hub_weight], dtype=np.float32))


def gain(mine: ListMeasures, raw: ListMeasures) -> float:
    """The mean over the figures of how many times as high as raw it is, less 1."""
    ours, theirs = mine.figures(), raw.figures()
    return float(np.mean([ours[name] / max(theirs[name], 1e-9) for name in FIGURES]) - 1)


def _best(
    options: Sequence[TasteSettings], parts: Sequence[Fold], seed: int, tried: list[dict[str, Any]]
) -> TasteSettings:
    rows = [_try(parts, one, seed) for one in options]
    tried.extend(rows)
    return options[int(np.argmax([row["gain"] for row in rows]))]


def _try(parts: Sequence[Fold], settings: TasteSettings, seed: int) -> dict[str, Any]:
    settings = replace(settings, blend=0.0, hub_weight=0.0)
    gains = [
        gain(measured(learn_space(part.x, part.labels, settings, seed), part, part.held_labels), part.raw)
        for part in parts
    ]
    return {"ridge": settings.ridge, "alpha": settings.alpha, "gain": float(np.mean(gains))}


def _widest(tried: Sequence[dict[str, Any]], otherwise: float) -> float:
    """The blend that is as wide as the raw space and gains most; the widest where none is, ``otherwise`` unmeasured."""
    known = [row for row in tried if row["left_out"] is not None]
    if not known:
        return otherwise
    wide = [row for row in known if row["left_out"] >= 0] or [max(known, key=lambda row: row["left_out"])]
    return float(max(wide, key=lambda row: row["gain"])["blend"])


def _try_blends(parts: Sequence[Fold], settings: TasteSettings, seed: int) -> list[dict[str, Any]]:
    gains: dict[float, list[float]] = {blend: [] for blend in BLENDS}
    lost: dict[float, list[float]] = {blend: [] for blend in BLENDS}
    for number, part in enumerate(parts):
        space = learn_space(part.x, part.labels, settings, seed)
        for blend in BLENDS:
            gains[blend].append(gain(measured(reblended(space, blend), part, part.held_labels), part.raw))
        for known, hidden in halves(part.labels.shape[1], seed + number):
            space = learn_space(part.x, part.labels[:, known], settings, seed)
            theirs = part.held_labels[:, hidden]
            raw = measure_lists(unit_length(part.held_x), part.held_titles, theirs).figure("precision")
            for blend in BLENDS:
                mine = measured(reblended(space, blend), part, theirs).figure("precision")
                lost[blend].append(float(mine - raw))
    return [
        {
            "blend": blend,
            "gain": float(np.mean(gains[blend])),
            "left_out": float(np.mean(lost[blend])) if lost[blend] else None,
        }
        for blend in BLENDS
    ]


def _try_hubs(parts: Sequence[Fold], settings: TasteSettings, seed: int) -> list[dict[str, Any]]:
    spaces = [learn_space(part.x, part.labels, settings, seed) for part in parts]
    rows = []
    for weight in HUB_WEIGHTS:
        lists = [
            measured(reblended(space, settings.blend, weight), part, part.held_labels)
            for space, part in zip(spaces, parts, strict=True)
        ]
        times = [one.largest_in_degree / part.raw.largest_in_degree for one, part in zip(lists, parts, strict=True)]
        gains = [gain(one, part.raw) for one, part in zip(lists, parts, strict=True)]
        rows.append({"hub_weight": weight, "gain": float(np.mean(gains)), "in_degree": float(np.mean(times))})
    return rows
