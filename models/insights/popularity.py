"""How popular each image's title is, and how well the image is taken within it: what a calibration should know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attune.models.insights.expected_score import blocks
from attune.models.insights.outcomes import Floats, Ints, numbered
from attune.models.insights.row_parts import Parts

CLIP, SAME = 4.0, 1e-9  # standard deviations


@dataclass(frozen=True, eq=False)
class Popularity:
    """Of each asset (assets,) its ``title``, that title's ``popularity``, and its own ``performance`` within the title,
    both in standard deviations. An asset without outcomes is a title of its own, of which nothing is known."""

    title: Ints
    popularity: Floats
    performance: Floats

    @classmethod
    def of(cls, outcomes: Parts, assets: int) -> Popularity:
        beyond, variance = np.zeros(assets), np.zeros(assets)
        title = np.full(assets, -1, dtype=np.intp)
        told, rates = list[Ints]([np.zeros(0, dtype=np.intp)]), list[Floats]([np.zeros(0)])
        for cells in blocks(outcomes):
            rows = cells.rows
            shown = cells.sums(rows.impressions)[cells.cell]
            share = np.divide(rows.impressions, shown, out=np.zeros_like(shown), where=rows.impressions > 0)
            wanted = cells.taken[cells.cell] * share
            beyond += np.bincount(rows.asset, rows.takes - wanted, minlength=assets)
            variance += np.bincount(rows.asset, wanted * (1 - share), minlength=assets)
            title[rows.asset] = rows.title
            place = numbered(rows.title)
            taken, seen = (np.bincount(place, column) + 1 for column in (rows.takes, rows.impressions))
            told.append(rows.title[rows.title_starts()])
            rates.append(np.log(taken / seen))
        titles, rate = np.concatenate(told), np.concatenate(rates)
        known = title >= 0
        popular = np.zeros(assets)
        relative = (rate - rate.mean()) / max(float(rate.std()), SAME) if len(rate) else rate
        popular[known] = relative[np.searchsorted(titles, title[known])]
        title[~known] = np.arange(assets)[~known] + (int(titles[-1]) + 1 if len(titles) else 0)
        performance = beyond / np.sqrt(np.maximum(variance, 1.0))
        return cls(title, np.clip(popular, -CLIP, CLIP), np.clip(performance, -CLIP, CLIP))
