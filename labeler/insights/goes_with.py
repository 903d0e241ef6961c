"""What goes with takes across titles: all features at once, predicted for titles that were not learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np

from attune.labeler.insights import evidence, features
from attune.labeler.insights.known import Known
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.insights.goes_with import BOOSTING, LINEAR, Learned, learn, target
from attune.models.insights.outcomes import Floats

MOST_ASSETS = 20_000  # of whole titles: more would take minutes and say little more
SAYS = {BOOSTING: "gradient boosting", LINEAR: "sparse linear model"}
ROW, LABEL, WIDE, FIGURES = 46, 220, 420, 90  # pixels of the plot


@dataclass(frozen=True)
class GoesWith:
    """``learned`` of ``features``, with the digests of the performance. ``drawn``: of so many titles, some were drawn.
    ``uncorrected``: features whose errors nobody corrected here. ``simulated``: some rows are made up."""

    learned: Learned
    features: tuple[str, ...]
    digests: tuple[str, ...]
    all_titles: int
    uncorrected: tuple[str, ...]
    simulated: bool
    seed: int

    def as_json(self) -> dict[str, Any]:
        """For --json: shares of what is predicted of other titles, by model."""
        learned = self.learned
        return {
            "grade": "D", "titles": learned.titles, "all_titles": self.all_titles, "images": learned.assets,
            "explains": {name: asdict(share) for name, share in learned.explains.items()},
            "features": [
                {"feature": name} | {model: asdict(learned.adds[model][name]) for model in SAYS} for name in self.ranked
            ],
            "uncorrected": list(self.uncorrected), "performance": list(self.digests), "simulated": self.simulated,
            "seed": self.seed,
        }  # fmt: skip

    @property
    def ranked(self) -> list[str]:
        """The features, those first that add most to boosting."""
        return sorted(self.features, key=lambda name: -self.learned.adds[BOOSTING][name].mean)


def goes_with(settings: Settings, seed: int = 0) -> GoesWith:
    """Learn from all performance and all features. Raises DataError without either, NotEnoughLabels for few titles."""
    rows, known = evidence.load(settings), features.known(settings)
    if rows is None or not known:
        raise DataError(
            "There is no performance or no feature yet, so nothing can be learned. Import them: `attune performance "
            "add FILE`, `attune features import FILE --name NAME`"
        )
    log, weight, title = target(rows.every, len(rows.asset_ids))
    seen = np.flatnonzero(weight > 0)
    titles = np.unique(title[seen])
    order = np.random.default_rng(seed).permutation(titles)
    images = np.bincount(title[seen], minlength=int(titles.max()) + 1)[order]
    chosen = order[np.cumsum(images) <= MOST_ASSETS]
    kept = seen[np.isin(title[seen], chosen)]
    columns = {name: _columns(one, features.values(settings, one, rows.asset_ids[kept])) for name, one in known.items()}
    told = {name: column for name, column in columns.items() if np.nanstd(column, axis=0).max(initial=0.0) > 0}
    learned = learn(told, log[kept], weight[kept], title[kept], seed)
    wrong = tuple(name for name in told if known[name].kind == "attribute" or known[name].detected)
    return GoesWith(learned, tuple(told), rows.digests, len(titles), wrong, rows.simulated, seed)


def _columns(feature: Known, values: np.ndarray) -> Floats:  # type: ignore[type-arg]
    """A number as it is, or one column for each class; NaN where unknown."""
    if not feature.classes:
        return np.asarray(values, dtype=np.float64)[:, None]
    classes = feature.classes[:-1] if len(feature.classes) == 2 else feature.classes
    return np.where((values == "")[:, None], np.nan, values[:, None] == np.array(classes, dtype=object)).astype(float)


def percent(share: Mapping[str, float]) -> str:
    """A share with its interval, in percent."""
    return f"{100 * share['mean']:.1f} % [{100 * share['low']:.1f}, {100 * share['high']:.1f}]"


def plot(told: Mapping[str, Any]) -> str:
    """An SVG: for each feature a bar of each model, with its interval."""
    rows = told["features"]
    ends = [one[model][end] for one in rows for model in SAYS for end in ("low", "high")]
    low, high = min(0.0, *ends), max(0.01, *ends)

    def at(value: float) -> float:
        return float(round(LABEL + WIDE * (value - low) / (high - low), 1))

    parts = []
    for place, one in enumerate(rows):
        top = 60 + place * ROW
        parts.append(f'<text x="{LABEL - 12}" y="{top + 20}" text-anchor="end">{escape(one["feature"])}</text>')
        for number, (model, colour) in enumerate(zip(SAYS, ("#a8381b", "#3c5a78"), strict=True)):
            share, line = one[model], top + 8 + 14 * number
            left, right = sorted((at(0.0), at(share["mean"])))
            size = f'width="{round(right - left, 1)}" height="9"'
            parts.append(f'<rect x="{left}" y="{line - 4}" {size} fill="{colour}"/>')
            figure = f"{100 * share['mean']:.1f} %"
            parts.append(f'<text x="{LABEL + WIDE + 14}" y="{line + 4}" fill="{colour}">{figure}</text>')
            parts.append(f'<path d="M{at(share["low"])} {line}H{at(share["high"])}" stroke="#222" stroke-width="1.5"/>')
    height, middle = 60 + len(rows) * ROW + 30, at(0.0)
    parts.append(f'<path d="M{middle} 54V{height - 24}" stroke="#666"/>')
    made_up = " Simulated performance: nobody measured it." if told["simulated"] else ""
    said = f"What goes with takes across {told['titles']:,} titles. Grade D: it does not say why.{made_up}"
    legend = (
        f'<text x="{LABEL}" y="44" fill="#a8381b">{SAYS[BOOSTING]}</text>'
        f'<text x="{LABEL + 150}" y="44" fill="#3c5a78">{SAYS[LINEAR]}</text>'
    )
    across = LABEL + WIDE + FIGURES
    size = f'viewBox="0 0 {across} {height}" width="{across}" height="{height}"'
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">{paper}'
        f'<text x="12" y="20" font-size="14">{escape(said)}</text>{legend}{"".join(parts)}</svg>\n'
    )
