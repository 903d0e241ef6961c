"""What audits show of a probe's errors: their sum, how far it may be off, and whether errors follow performance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import stdtr

from attune.models.insights.expected_score import Cells
from attune.models.insights.outcomes import Floats, Ints, Outcomes
from attune.models.insights.probed import Probed

GROUPS, A_GROUP = 10, 10  # of audits with about the same probability; each has at least ``A_GROUP``
NOTHING = 1e-9


def errors(by_asset: Floats, audited: Sequence[Probed]) -> Floats:
    """(assets, k): answer less probability over the inclusion probability; 0 where there was no audit."""
    errors = np.zeros_like(by_asset)
    for k, one in enumerate(audited):
        errors[one.audited, k] = (one.answer - by_asset[one.audited, k]) / one.inclusion
    return errors


def noise(by_asset: Floats, audited: Sequence[Probed]) -> Floats:
    """(assets, k): what each asset adds to the variance of the sum of ``errors``, whether it was drawn or not; NaN
    where it has no probability.

    Of all assets, as those that were drawn tell less: a few with large weights decide their squares. The shape is by
    the calibrated probabilities, the size half by these and half by the audits' own errors (moderated variance, Smyth
    2004). Answers of experts who err vary more than the property does: by how much, on average, the audits say.
    """
    noise = np.zeros_like(by_asset)
    for k, one in enumerate(audited):
        p = by_asset[:, k]
        varied, wrong = _varied(p, one)
        doubt = p * (1 - p)
        if not len(wrong):
            continue
        if ((one.answer < 0) | (one.answer > 1)).any():
            doubt = doubt + max(0.0, float((wrong - varied).mean()))
        else:
            doubt = doubt * (1 + float(wrong.sum()) / max(float(varied.sum()), NOTHING)) / 2
        noise[:, k] = doubt * _weights(one, doubt[one.audited])
    return noise


def degrees(by_asset: Floats, audited: Sequence[Probed]) -> float:
    """The degrees of freedom of ``noise``: how well the audits tell the half of its size that is theirs; the fewest of
    all properties."""
    found = [np.inf]
    for k, one in enumerate(audited):
        varied, wrong = _varied(by_asset[:, k], one)
        size, unsure = float((wrong + varied).sum()) / 2, float(((wrong - varied) ** 2).sum()) / 4
        found.append(2 * size**2 / unsure if unsure else np.inf)
    return max(1.0, min(found))


def _varied(p: Floats, one: Probed) -> tuple[Floats, Floats]:
    """Of each audit the variance of its answer if the probabilities are right, and the square of its error, (m,)."""
    told = p[one.audited]
    return np.asarray(told * (1 - told)), np.asarray((one.answer - told) ** 2)


def _weights(one: Probed, doubt: Floats) -> Floats:
    """1 / inclusion (assets,), of all assets with about that probability: the mean over them, by what was drawn, where
    each counts by its ``doubt`` (m,)."""
    weight, doubt = 1 / one.inclusion, np.maximum(doubt, NOTHING)
    value, place = np.unique(one.probability[one.audited], return_inverse=True)
    group = _grouped(np.bincount(place, minlength=len(value)))
    each = group[place]
    means = np.bincount(each, doubt * weight**2) / np.bincount(each, doubt * weight)
    ends = value[np.flatnonzero(np.diff(group, prepend=0))]
    return np.asarray(means[np.searchsorted(ends, one.probability, side="right")], dtype=np.float64)


def _grouped(counts: Ints) -> Ints:
    """A group for each of ascending values that ``counts`` (v,) audits have. A value is in one group alone: what a
    detector says has few values, each drawn with a chance of its own."""
    least = max(A_GROUP, int(counts.sum()) / GROUPS)
    group, size = np.zeros(len(counts), dtype=np.intp), 0
    left = counts[::-1].cumsum()[::-1]
    for at, count in enumerate(counts.tolist()):
        enough = size >= least and left[at] >= least
        group[at] = group[at - 1] + enough if at else 0
        size = count + (0 if enough else size)
    return group


def shared(by_asset: Floats, noise: Floats) -> Floats:
    """(assets, k): what properties that exclude each other have in common of their ``noise``: where one is there, the
    others are not. The covariance of two is minus the product."""
    doubt = by_asset * (1 - by_asset)
    return np.asarray(by_asset * np.sqrt(np.divide(noise, doubt, out=np.zeros_like(noise), where=doubt > NOTHING)))


def unsure(rows: Outcomes, influence: Floats, noise: Floats, shared: Floats, title: Ints) -> Floats:
    """(t, k): what the assets of a title add to the variance of each effect by ``noise`` and ``shared`` (assets, k), of
    rows with ``influence`` (n, property, effect) and a ``title`` (n,)."""
    assets, first, place = np.unique(rows.asset, return_index=True, return_inverse=True)
    place = place.reshape(-1)
    columns = []
    for k in range(influence.shape[2]):
        whole = np.stack([np.bincount(place, one) for one in influence[:, :, k].T], axis=1)
        common = shared[assets] * whole
        added = (noise[assets] * whole**2).sum(axis=1) + (common**2).sum(axis=1) - common.sum(axis=1) ** 2
        columns.append(np.bincount(title[first], np.maximum(added, 0.0), minlength=int(title.max()) + 1))
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
