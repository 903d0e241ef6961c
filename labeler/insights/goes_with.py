"""What goes with takes across titles: all features at once, predicted for titles that were not learned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from attune.labeler.insights import audited, evidence, features
from attune.labeler.insights.known import Known
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.insights.goes_with import BOOSTING, FOLDS, LINEAR, Learned, learn, target
from attune.models.insights.outcomes import Floats, Ints
from attune.models.insights.side_means import SideMean, average, side_means, thirds

MOST_ASSETS = 20_000  # of whole titles: more would take minutes and say little more
SAYS = {BOOSTING: "gradient boosting", LINEAR: "sparse linear model"}
METHOD = 2  # of the figures: a change of it makes those that were kept stale
EXAMPLES, TRIED = 8, 300  # images of a side that are kept, and among how many they are looked for


@dataclass(frozen=True, eq=False)
class Images:
    """The images (n,) that are learned from: ids, the log of takes over those expected, its weight, the title."""

    asset_ids: npt.NDArray[np.object_]
    log: Floats
    weight: Floats
    title: Ints

    @property
    def beside(self) -> Floats:
        """The log of takes (n,) beside an average image."""
        return self.log - average(self.log, self.weight)


@dataclass(frozen=True)
class Sides:
    """The classes of a feature, or the thirds of a number, the one that is taken most first; and ``examples``: images
    of that one which were taken often, of different titles."""

    means: Sequence[SideMean]
    examples: Sequence[str]


@dataclass(frozen=True)
class GoesWith:
    """``learned`` of ``features``, with the digests of the performance and of the ``values`` of each feature.
    ``uncorrected``: features whose errors nobody corrected here. ``left_out``: features that have one value or none on
    these images, so that nothing can be learned from them. ``simulated``: some rows are made up."""

    learned: Learned
    features: tuple[str, ...]
    sides: Mapping[str, Sides]
    values: Mapping[str, str]
    digests: tuple[str, ...]
    all_titles: int
    uncorrected: tuple[str, ...]
    left_out: tuple[str, ...]
    simulated: bool
    seed: int

    def as_json(self) -> dict[str, Any]:
        """For --json: shares of what is predicted of other titles, by model."""
        learned = self.learned
        return {
            "grade": "D", "method": METHOD,
            "titles": learned.titles, "all_titles": self.all_titles, "images": learned.assets,
            "explains": {name: asdict(share) for name, share in learned.explains.items()},
            "features": [self._told(name) for name in self.ranked], "values": dict(self.values),
            "uncorrected": list(self.uncorrected), "left_out": list(self.left_out), "performance": list(self.digests),
            "simulated": self.simulated, "seed": self.seed,
        }  # fmt: skip

    def _told(self, name: str) -> dict[str, Any]:
        sides = self.sides[name]
        told = {"feature": name, "sides": [asdict(one) for one in sides.means], "examples": list(sides.examples)}
        return told | {model: asdict(self.learned.adds[model][name]) for model in SAYS}

    @property
    def ranked(self) -> list[str]:
        """The features, those first that add most to boosting."""
        return sorted(self.features, key=lambda name: -self.learned.adds[BOOSTING][name].mean)


def goes_with(
    settings: Settings, seed: int = 0, step: Callable[[int, int], None] = lambda done, total: None
) -> GoesWith:
    """Learn from all performance and all features; ``step`` is called as it gets on. Raises DataError without either,
    NotEnoughLabels for few titles."""
    rows, known = evidence.load(settings), once(audited.without_guesses(features.known(settings)))
    if rows is None or not known:
        raise DataError(
            "There is no performance or no feature yet, so nothing can be learned. Import them: `attune performance "
            "add FILE`, `attune features import FILE --name NAME`"
        )
    log, weight, title = target(rows.every, len(rows.asset_ids))
    seen = np.flatnonzero(weight > 0)
    titles = np.unique(title[seen])
    order = np.random.default_rng(seed).permutation(titles)
    counts = np.bincount(title[seen], minlength=int(titles.max(initial=-1)) + 1)[order]
    chosen = order[np.cumsum(counts) <= MOST_ASSETS]
    kept = seen[np.isin(title[seen], chosen)]
    images = Images(rows.asset_ids[kept], log[kept], weight[kept], title[kept])
    values = {name: features.values(settings, one, images.asset_ids) for name, one in known.items()}
    columns = {name: _columns(one, values[name]) for name, one in known.items()}
    told = {name: column for name, column in columns.items() if varies(column)}
    learned = learn(told, images.log, images.weight, images.title, seed, lambda done, _: step(done, FOLDS + 1))
    sides = {name: _sides(settings, known[name], values[name], images) for name in told}
    step(FOLDS + 1, FOLDS + 1)
    wrong = tuple(name for name in told if known[name].kind == "attribute" or known[name].detected)
    same = tuple(name for name in columns if name not in told)
    of = {name: one.values for name, one in known.items()}
    return GoesWith(
        learned, tuple(told), sides, of, rows.digests, len(titles), wrong, same, rows.simulated, seed
    )  # fmt: skip


def _sides(settings: Settings, feature: Known, values: np.ndarray, images: Images) -> Sides:  # type: ignore[type-arg]
    """What each side of a feature goes with, alone."""
    sides = values if feature.classes else thirds(np.asarray(values, dtype=np.float64))
    means = side_means(sides, images.log, images.weight, images.title)
    return Sides(means, _examples(settings, sides == means[0].side, images) if means else [])


def _examples(settings: Settings, mine: npt.NDArray[np.bool_], images: Images) -> list[str]:
    """Images of ``mine`` (n,) that were taken often, each of another title, those in the pool first."""
    # A rare image that was taken often was also lucky: the weight draws its figure towards the average.
    beside = images.beside
    order = np.flatnonzero(mine)[np.argsort(-(beside * images.weight)[mine], kind="stable")]
    first = np.sort(np.unique(images.title[order], return_index=True)[1])[:TRIED]
    names = [str(images.asset_ids[at]) for at in order[first] if beside[at] > 0]
    with reading(settings) as session:
        wanted = select(Asset.asset_id).where(Asset.asset_id.in_(names), Asset.removed_at.is_(None))
        here = frozenset(session.scalars(wanted))
    return sorted(names, key=lambda name: name not in here)[:EXAMPLES]


def once(known: Mapping[str, Known]) -> dict[str, Known]:
    """``known`` without the bands of numbers that are there: each would tell what the other does, and neither add."""
    numbers = {one.name for one in known.values() if one.kind == "measured" and not one.classes}
    return {name: one for name, one in known.items() if not (one.classes and numbers & set(one.kin))}


def varies(column: Floats) -> bool:
    """Whether any of the columns (n, columns) has two values; NaN is none."""
    seen = column[np.isfinite(column).all(axis=1)]
    return bool(len(seen) and (seen.max(axis=0) > seen.min(axis=0)).any())


def _columns(feature: Known, values: np.ndarray) -> Floats:  # type: ignore[type-arg]
    """A number as it is, or one column for each class; NaN where unknown."""
    if not feature.classes:
        return np.asarray(values, dtype=np.float64)[:, None]
    classes = feature.classes[:-1] if len(feature.classes) == 2 else feature.classes
    return np.where((values == "")[:, None], np.nan, values[:, None] == np.array(classes, dtype=object)).astype(float)
