"""Pictures behind an insight: titles that follow it, and titles where it goes the other way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from attune.labeler.insights.evidence import Rows
from attune.models.insights.outcomes import Floats, Outcomes
from attune.models.insights.row_parts import Valued

MOST = 6  # titles each way


def examples(rows: Rows, chosen: Valued, effect: float) -> dict[str, list[dict[str, Any]]]:
    """Titles with their most shown image of each side, its value above and below the title's middle: for each the
    asset, impressions and takes. ``same`` go the way of ``effect``, ``other`` the other way; the most certain first."""
    asset, title, value, shown, taken = _by_asset(chosen, len(rows.asset_ids))
    starts = np.flatnonzero(np.r_[True, title[1:] != title[:-1]]) if len(title) else np.zeros(0, dtype=int)
    highest, lowest = (ends.reduceat(value, starts) for ends in (np.maximum, np.minimum))
    sizes = np.diff(np.r_[starts, len(title)])
    middle = np.repeat((highest + lowest) / 2, sizes)
    place = np.repeat(np.arange(len(starts)), sizes)
    above = value > middle
    told = highest > lowest
    sides = [_most_shown(shown, place, side, len(starts)) for side in (above, ~above)]
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = [(taken[one] + 0.5) / (shown[one] + 1) for one in sides]
        noise = np.sqrt(sum(1 / (taken[one] + 0.5) for one in sides))
        sure = np.where(told, np.log(rates[0] / rates[1]) / noise, 0.0) * np.sign(effect or 1.0)

    def pairs(order: np.ndarray) -> list[dict[str, Any]]:  # type: ignore[type-arg]
        return [
            {"title_id": str(rows.title_ids[title[starts[number]]])}
            | {
                name: _one(rows, asset, shown, taken, one[number])
                for name, one in zip(("first", "second"), sides, strict=True)
            }
            for number in order
        ]

    best, worst = np.argsort(-sure, kind="stable")[:MOST], np.argsort(sure, kind="stable")[:MOST]
    return {"same": pairs(best[sure[best] > 0]), "other": pairs(worst[sure[worst] < 0])}


def images_in(pair: Mapping[str, Any]) -> frozenset[str]:
    """The ids of the two images of an example."""
    return frozenset(str(pair[side]["asset_id"]) for side in ("first", "second"))


def unused(pairs: Sequence[Mapping[str, Any]], used: Set[frozenset[str]]) -> list[Mapping[str, Any]]:
    """``pairs`` with those first that no other insight of the page shows: two images that differ in two features would
    seem to prove both."""
    return sorted(pairs, key=lambda pair: images_in(pair) in used)


def _by_asset(chosen: Valued, assets: int) -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    """Asset, title, value, impressions and takes of each asset of a title over all strata, sorted by title."""
    none = np.zeros(0)
    empty = (none.astype(np.int64), none.astype(np.int64), none, none, none)
    columns = zip(empty, *(_sums(rows, x, assets) for rows, x in chosen), strict=True)
    return tuple(np.concatenate(column) for column in columns)


def _sums(rows: Outcomes, x: Floats, assets: int) -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    known = np.isfinite(x) & (rows.impressions > 0)
    keys = rows.title[known].astype(np.int64) * assets + rows.asset[known]
    pairs, first, place = np.unique(keys, return_index=True, return_inverse=True)
    shown, taken = (np.bincount(place, column[known], len(pairs)) for column in (rows.impressions, rows.takes))
    return pairs % assets, pairs // assets, x[known][first], shown, taken


def _most_shown(shown: Floats, place: np.ndarray, side: np.ndarray, titles: int) -> np.ndarray:  # type: ignore[type-arg]
    """The row of each title's most shown asset of one ``side``; row 0 where there is none."""
    rows = np.flatnonzero(side)
    order = rows[np.lexsort((shown[rows], place[rows]))]
    best = np.zeros(titles, dtype=np.intp)
    best[place[order]] = order  # the last of a title is its most shown
    return best


def _one(rows: Rows, asset: Any, shown: Any, taken: Any, at: int) -> dict[str, Any]:
    return {"asset_id": str(rows.asset_ids[asset[at]]), "impressions": int(shown[at]), "takes": float(taken[at])}
