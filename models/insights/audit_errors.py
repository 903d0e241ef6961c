"""What audits show of a probe's errors: their sum, how far it may be off, and whether errors follow performance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import stdtr

from attune.models.insights.expected_score import Cells
from attune.models.insights.outcomes import Floats, Ints, Outcomes
from attune.models.insights.probed import Probed


def errors(by_asset: Floats, audited: Sequence[Probed]) -> Floats:
    """(assets, k): answer less probability over the inclusion probability; 0 where there was no audit."""
    errors = np.zeros_like(by_asset)
    for k, one in enumerate(audited):
        errors[one.audited, k] = (one.answer - by_asset[one.audited, k]) / one.inclusion
    return errors


def noise(by_asset: Floats, audited: Sequence[Probed]) -> Floats:
    """(assets, k): the variance of ``errors`` if the probabilities are right.

    Answers of experts who err vary more than the property does: by how much, on average, the audits say.
    """
    noise = np.zeros_like(by_asset)
    for k, one in enumerate(audited):
        p = by_asset[one.audited, k]
        more = max(0.0, float(((one.answer - p) ** 2 - p * (1 - p)).mean())) if len(p) else 0.0
        noise[one.audited, k] = (p * (1 - p) + more) / one.inclusion**2
    return noise


def unsure(rows: Outcomes, influence: Floats, noise: Floats, title: Ints) -> Floats:
    """(t, k): the expected square of what a title's audits add to each effect, of rows with ``influence`` (n, property,
    effect) and a ``title`` (n,)."""
    properties = range(influence.shape[1])
    assets, first, place = np.unique(rows.asset, return_index=True, return_inverse=True)
    place = place.reshape(-1)
    columns = []
    for k in range(influence.shape[2]):
        squares = sum(np.bincount(place, influence[:, one, k]) ** 2 * noise[assets, one] for one in properties)
        columns.append(np.bincount(title[first], squares, minlength=int(title.max()) + 1))
    return np.stack(columns, axis=1).astype(np.float64)


def follow(parts: Iterable[Cells], attribute: Probed, p: Floats, effect: float) -> float:
    """The p value of sum over audits of (a_i - p_i) (y_i - E y_i) / pi_i being 0, clustered by title.

    E y_i knows the answer, so takes differ from it by what neither the property nor the title explains. ``parts`` are
    of whole titles.
    """
    up, answer = np.exp(effect), np.full(len(p), np.nan)
    answer[attribute.audited] = attribute.answer
    error = errors(p[:, None], [attribute])[:, 0]
    by_title = np.concatenate([_beyond(cells, error, p, answer, up) for cells in parts])
    noise = float(np.sqrt((by_title**2).sum()))
    degrees = max(1.0, float(2 * (by_title**2).sum() ** 2 / max((by_title**4).sum(), 1e-300)))
    return float(2 * stdtr(degrees, -abs(by_title.sum()) / noise)) if noise else 1.0


def _beyond(cells: Cells, error: Floats, p: Floats, answer: Floats, up: float) -> Floats:
    """The sum of each title (t,) of error times takes beyond what is expected."""
    rows = cells.rows
    weight = rows.impressions * (1 + p[rows.asset] * (up - 1))
    known = rows.impressions * (1 + answer[rows.asset] * (up - 1))
    wanted = cells.taken[cells.cell] * known / (cells.sums(weight)[cells.cell] - weight + known)
    mine = error[rows.asset]
    sums = np.bincount(rows.title - rows.title[0], np.where(mine != 0, mine * (rows.takes - wanted), 0.0))
    return np.asarray(sums, dtype=np.float64)
