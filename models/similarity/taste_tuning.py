"""Choose margin, penalty, blend and the cost of hubs by cross-validation inside the pool, split by title.

The blend is where a taste stays wider than the genres it was taught: half of the labels are hidden, and the space must
find the hidden ones no worse than the raw space does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.splits import unit_hash
from attune.models.similarity.label_maps import overlap_map
from attune.models.similarity.label_overlap import FEWEST_ROWS, check_enough
from attune.models.similarity.neighbour_lists import costs
from attune.models.similarity.neighbour_measures import FIGURES, ListMeasures, measure_lists
from attune.models.similarity.space_files import LearnedSpace
from attune.models.similarity.taste_learning import PrincipalAxes, TasteSettings, principal_axes, space_along
from attune.models.vectors.pool import unit_length

Floats = npt.NDArray[np.float32]
FOLDS = 3
MOST_ROWS = 9000  # of the pool that are tuned on
ALPHAS, RIDGES = (30.0, 36.0, 42.0), (0.3, 1.0, 3.0)
BLENDS = (0.0, 0.1, 0.2, 0.35, 0.5)
HUB_WEIGHTS = (0.0, 0.15)
HUB_LIMIT = 1.4  # times the raw space's largest in-degree, in the pool; held-out titles may go a little above, to 1.5


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to learn from, with their ``axes``, and to measure on, with what ``raw`` reaches there; apart by title."""

    x: Floats
    labels: Floats
    held_x: Floats
    held_labels: Floats
    held_titles: npt.NDArray[np.str_]
    axes: PrincipalAxes
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
    wanted = settings or TasteSettings()
    quick = replace(wanted, maps=1)
    parts = list(folds(vectors, labels, titles, quick.components, seed))
    ridges = [_try_ridge(parts, one) for one in RIDGES]
    quick = replace(quick, ridge=max(ridges, key=lambda row: row["gain"])["ridge"])
    tried = [row for alpha in ALPHAS for row in _try_alpha(parts, replace(quick, alpha=alpha), seed)]
    quick = replace(quick, alpha=_best(tried)["alpha"])
    hidden = _left_out(parts, quick, seed)
    same = [row for row in tried if row["alpha"] == quick.alpha]
    wide = [row for row in same if hidden[row["blend"]] >= 0]
    if not wide:  # none finds hidden labels as well as the raw space does: the one that comes closest
        wide = [row for row in same if row["blend"] == max(hidden, key=lambda blend: hidden[blend])]
    best = _best(wide)
    chosen = replace(quick, blend=best["blend"], hub_weight=best["hub_weight"], maps=wanted.maps)
    return Tuned(chosen, ridges + tried + [{"blend": blend, "left_out": lost} for blend, lost in hidden.items()])


def folds(
    vectors: npt.ArrayLike, labels: npt.ArrayLike, titles: npt.ArrayLike, components: int, seed: int
) -> Iterator[Fold]:
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
        axes = principal_axes(x[~held], components)
        yield Fold(x[~held], given[~held], x[held], given[held], names[held], axes, raw)


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


def measured(space: LearnedSpace, fold: Fold, labels: Floats, whole: bool = True) -> ListMeasures:
    """The lists of the space on the fold's held-out rows, by ``labels`` of theirs; ``whole`` as ``measure_lists``."""
    vectors = space.vectors(fold.held_x)
    return measure_lists(vectors, fold.held_titles, labels, costs(vectors, fold.held_titles, space.hub_weight), whole)


def reblended(space: LearnedSpace, blend: float, hub_weight: float = 0.0) -> LearnedSpace:
    """The same projection with another share of the raw space and another cost of hubs."""
    return replace(space, blend=np.array([blend, hub_weight], dtype=np.float32))


def gain(mine: ListMeasures, raw: ListMeasures) -> float:
    """The mean over the figures of how many times as high as raw it is, less 1."""
    ours, theirs = mine.figures(), raw.figures()
    return float(np.mean([ours[name] / max(theirs[name], 1e-9) for name in FIGURES]) - 1)


def _best(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The row that gains most among those with few enough hubs; the fewest hubs where none has."""
    low = [row for row in rows if row["in_degree"] <= HUB_LIMIT]
    return max(low, key=lambda row: row["gain"]) if low else min(rows, key=lambda row: row["in_degree"])


def _try_ridge(parts: Sequence[Fold], ridge: float) -> dict[str, Any]:
    """By the regression alone: it is in closed form, and what the angular map adds hardly depends on it."""
    gains = []
    for part in parts:
        projection = overlap_map(part.axes.features(part.x), part.labels, ridge)
        space = LearnedSpace(part.axes.mean, part.axes.components, projection, np.zeros(2, dtype=np.float32))
        gains.append(gain(measured(space, part, part.held_labels), part.raw))
    return {"ridge": ridge, "gain": float(np.mean(gains))}


def _try_alpha(parts: Sequence[Fold], settings: TasteSettings, seed: int) -> Iterator[dict[str, Any]]:
    """One row for each blend and cost of hubs: the space is learned once a fold."""
    spaces = [space_along(part.axes, part.x, part.labels, settings, seed) for part in parts]
    for blend, weight in itertools.product(BLENDS, HUB_WEIGHTS):
        gains, times = [], []
        for space, part in zip(spaces, parts, strict=True):
            lists = measured(reblended(space, blend, weight), part, part.held_labels)
            gains.append(gain(lists, part.raw))
            times.append(lists.largest_in_degree / max(part.raw.largest_in_degree, 1))
        chosen = {"alpha": settings.alpha, "blend": blend, "hub_weight": weight}
        yield chosen | {"gain": float(np.mean(gains)), "in_degree": float(np.mean(times))}


def _left_out(parts: Sequence[Fold], settings: TasteSettings, seed: int) -> dict[float, float]:
    """By blend: P@10 for labels that were hidden while learning, less that of the raw space; 0 with too few labels."""
    less: dict[float, list[float]] = {blend: [] for blend in BLENDS}
    for number, part in enumerate(parts):
        for known, hidden in halves(part.labels.shape[1], seed + number):
            if (part.labels[:, known].sum(axis=1) > 0).sum() < FEWEST_ROWS or not part.held_labels[:, hidden].any():
                continue
            space = space_along(part.axes, part.x, part.labels[:, known], settings, seed)
            theirs = part.held_labels[:, hidden]
            raw = measure_lists(unit_length(part.held_x), part.held_titles, theirs, whole=False).figure("precision")
            for blend in BLENDS:
                mine = measured(reblended(space, blend), part, theirs, whole=False).figure("precision")
                less[blend].append(float(mine - raw))
    return {blend: float(np.mean(values)) if values else 0.0 for blend, values in less.items()}
