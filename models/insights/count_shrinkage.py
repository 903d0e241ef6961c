"""Many counts beside what was expected, drawn to what is expected: of many small counts the largest ratio is luck.

Takes are Poisson with mean ``expected`` times a ratio, and ratios have a mixture of gamma distributions around 1, from
none that differs to many that do: most images hardly differ from others of their title, a few differ a lot. The mixture
is learned from the counts by maximum likelihood (DuMouchel 1999, with a grid of spreads as in Stephens 2017). Counts
are counts here: one take of an image that was shown six times says next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc, gammaln

from attune.models.insights.outcomes import Floats

SPREADS = np.r_[1e-4, 0.02 * 2 ** np.arange(0, 7.5, 0.5)]  # standard deviations of the ratio; the first is none
STEPS, EXACT = 300, 1e-4
LEARNED, AT_ONCE = 4_000, 1 << 14  # of more counts, some tell the mixture, and each is drawn by it


@dataclass(frozen=True, eq=False)
class Ratios:
    """``ratio`` (n,) of takes to expected takes, and the chance ``above`` (n,) that it is above 1. NaN: not known."""

    ratio: Floats
    above: Floats


def shrink_counts(takes: Floats, expected: Floats) -> Ratios:
    """``takes`` (n,) beside ``expected`` (n,) takes, above 0, as ratios drawn to 1. NaN stays NaN."""
    ratio, above = (np.full(len(takes), np.nan) for _ in range(2))
    rows = np.flatnonzero(np.isfinite(takes) & np.isfinite(expected))
    if not len(rows):
        return Ratios(ratio, above)
    some = rows if len(rows) <= LEARNED else np.random.default_rng(0).choice(rows, LEARNED, replace=False)
    share = _shares(_likelihood(*_posterior(takes[some], expected[some])))
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        shape, rate = _posterior(takes[part], expected[part])
        odds = _likelihood(shape, rate) * share
        odds /= odds.sum(axis=1, keepdims=True)
        ratio[part] = (odds * shape / rate).sum(axis=1)
        above[part] = (odds * gammaincc(shape, rate)).sum(axis=1)
    return Ratios(ratio, above)


def _shares(likely: Floats) -> Floats:
    """Each spread's share (k,) of the ratios, by maximum likelihood (EM), of counts that are ``likely`` (n, k)."""
    share: Floats = np.full(len(SPREADS), 1 / len(SPREADS))
    for _ in range(STEPS):
        before, share = share, share * (likely / (likely @ share)[:, None]).mean(axis=0)
        if np.abs(share - before).max() < EXACT:
            break
    return share


def _likelihood(shape: Floats, rate: Floats) -> Floats:
    """Of each count under each spread (n, k), by its ``_posterior``: negative binomial, as a share of its largest."""
    at = SPREADS**-2.0
    logs = gammaln(shape) - gammaln(at) + at * np.log(at) - shape * np.log(rate)
    return np.asarray(np.exp(logs - logs.max(axis=1, keepdims=True)))


def _posterior(takes: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """Shape and rate (n, k) of the ratio's gamma distribution, given its count and spread."""
    at = SPREADS**-2.0
    return takes[:, None] + at, expected[:, None] + at
