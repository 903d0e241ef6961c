"""How popular each image's title is, and how well the image is taken within it: what a calibration should know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attune.models.insights.expected_score import Cells
from attune.models.insights.outcomes import Floats, Ints, Outcomes

CLIP, SAME = 4.0, 1e-9  # standard deviations


@dataclass(frozen=True, eq=False)
class Popularity:
    """Of each asset (assets,) its ``title``, that title's ``popularity``, and its own ``performance`` within the title,
    both in standard deviations. An asset without outcomes is a title of its own, of which nothing is known."""

    title: Ints
    popularity: Floats
    performance: Floats

    @classmethod
    def of(cls, outcomes: Outcomes, assets: int) -> Popularity:
        cells = Cells.of(outcomes)
        shown = outcomes.impressions
        share = np.divide(shown, cells.sums(shown)[cells.cell], out=np.zeros_like(shown), where=shown > 0)
        wanted = cells.taken[cells.cell] * share
        beyond = np.bincount(outcomes.asset, outcomes.takes - wanted, minlength=assets)
        variance = np.bincount(outcomes.asset, wanted * (1 - share), minlength=assets)
        title = np.arange(assets) + (int(outcomes.title.max()) + 1 if len(outcomes) else 0)
        title[outcomes.asset] = outcomes.title
        rate = np.log((np.bincount(outcomes.title, outcomes.takes) + 1) / (np.bincount(outcomes.title, shown) + 1))
        told = np.unique(outcomes.title)
        popular = np.zeros(assets)
        popular[outcomes.asset] = ((rate - rate[told].mean()) / max(float(rate[told].std()), SAME))[outcomes.title]
        performance = beyond / np.sqrt(np.maximum(variance, 1.0))
        return cls(title, np.clip(popular, -CLIP, CLIP), np.clip(performance, -CLIP, CLIP))
