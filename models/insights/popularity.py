"""How popular each image's title is, and how well the image is taken within it: what a calibration should know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attune.models.insights.expected_score import blocks
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
        beyond, variance = np.zeros(assets), np.zeros(assets)
        for cells in blocks(outcomes):
            rows = cells.rows
            shown = cells.sums(rows.impressions)[cells.cell]
            share = np.divide(rows.impressions, shown, out=np.zeros_like(shown), where=rows.impressions > 0)
            wanted = cells.taken[cells.cell] * share
            beyond += np.bincount(rows.asset, rows.takes - wanted, minlength=assets)
            variance += np.bincount(rows.asset, wanted * (1 - share), minlength=assets)
        title = np.arange(assets) + (int(outcomes.title.max()) + 1 if len(outcomes) else 0)
        title[outcomes.asset] = outcomes.title
        taken, seen = (np.bincount(outcomes.title, column) + 1 for column in (outcomes.takes, outcomes.impressions))
        rate = np.log(taken / seen)
        told = np.unique(outcomes.title)
        popular = np.zeros(assets)
        popular[outcomes.asset] = ((rate - rate[told].mean()) / max(float(rate[told].std()), SAME))[outcomes.title]
        performance = beyond / np.sqrt(np.maximum(variance, 1.0))
        return cls(title, np.clip(popular, -CLIP, CLIP), np.clip(performance, -CLIP, CLIP))
