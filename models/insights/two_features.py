"""Two features in one model: does the effect of one depend on the other, and what is it with the other held the same?

Conditional Poisson regression within titles, as ``within_title``, of both features and their product. One of them may
be a property that a probe says: its images are then in one of two states, and audits correct the score, as in
``corrected``. Neither figure says why: images that differ in the other feature differ in more than that, so a figure
that shrinks with the other held is no proof of a cause (Bullock, Green and Ha, J Pers Soc Psychol 98, 2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from attune.models.errors import NotEnoughLabels
from attune.models.insights.audit_errors import degrees, errors, noise
from attune.models.insights.corrected import LEAST_AUDITS, corrected_jointly, told_rows
from attune.models.insights.cross_fit import cross_fitted
from attune.models.insights.expected_score import Cells, Expected, blocks
from attune.models.insights.outcomes import Bools, Floats, Outcomes
from attune.models.insights.popularity import Popularity
from attune.models.insights.probed import Probed
from attune.models.insights.row_parts import Parts, seen
from attune.models.insights.solved import Score, Solved, differ
from attune.models.insights.within_title import LEAST_TITLES, Effect
from attune.models.text import plural

BOTH_PROBED = (
    "Both features are attributes that a probe says, and their audits are of different images, so what the probes get "
    "wrong together is not known. Ask with a feature that is imported or measured."
)


@dataclass(frozen=True, eq=False)
class Feature:
    """``x`` (assets,): 1 and 0, or in standard deviations of a ``number``; NaN where unknown. ``probed``: the property
    with its audits, where a probe says it."""

    x: Floats
    number: bool = False
    probed: Probed | None = None

    @property
    def known(self) -> Floats:
        """What is known of each asset (assets,): its value, or the probe's probability."""
        return self.x if self.probed is None else self.probed.probability

    @property
    def high(self) -> Floats:
        """1 for assets of the upper side, 0 for others (assets,); NaN where unknown."""
        side = self.x if self.probed is None else self.probed.says
        return np.where(np.isnan(side), np.nan, side > (0.0 if self.number else 0.5))

    @property
    def ends(self) -> tuple[float, float]:
        """Where the effect of another feature is told: the two classes, or one standard deviation on either side."""
        return (1.0, -1.0) if self.number else (1.0, 0.0)


@dataclass(frozen=True)
class Depends:
    """``difference`` of the effect, a log ratio of two rate ratios: for the other feature's first class over its
    second, or per standard deviation of it. ``high`` and ``low``: the effect at either end of the other."""

    difference: Effect
    high: Effect
    low: Effect
    audits: int | None


@dataclass(frozen=True)
class Held:
    """The effect ``alone`` and with the other feature ``held`` the same, of the same rows."""

    alone: Effect
    held: Effect
    audits: int | None


def depends(rows: Parts, one: Feature, other: Feature, seed: int = 0, least_titles: int = LEAST_TITLES) -> Depends:
    """How the effect of ``one`` within titles depends on ``other``, which may be the same for all images of a title.

    Raises NotEnoughLabels where fewer than ``least_titles`` titles have images that differ in ``one`` at either end of
    ``other``, below ``LEAST_AUDITS`` audits, where both are probed, and where no effect fits.
    """
    if one.probed and other.probed:
        raise NotEnoughLabels(BOTH_PROBED)
    rows = told_rows(rows, np.isfinite(one.known) & np.isfinite(other.known))
    titles = _fewest(rows, one, other)
    if titles < least_titles:
        raise NotEnoughLabels(
            f"At one end of the other feature, only {plural(titles, 'title')} can be compared. At least {least_titles} "
            "are needed at each end. Add more data."
        )
    p, audits = _probabilities(rows, one, other, seed)
    whole = round(_differing(rows, one))
    columns = 3 if _varies(rows, other) else 2
    at_ends = []
    for end in other.ends:
        on, off = _states(one, other, end)
        found = Solved.of(TwoStates.of(rows, p, on[:, :columns], off[:, :columns], one.probed or other.probed, whole))
        at_ends.append((found.effect(0), found.effect(1)))
    (difference, high), (_, low) = at_ends
    return Depends(difference, high, low, audits)


def holding(rows: Parts, one: Feature, other: Feature, seed: int = 0, least_titles: int = LEAST_TITLES) -> Held:
    """The effect of ``one`` within titles, alone and with ``other`` held.

    Raises NotEnoughLabels where ``other`` is the same for all images of each title, and as ``depends`` does.
    """
    rows = told_rows(rows, np.isfinite(one.known) & np.isfinite(other.known))
    if not _varies(rows, other):
        raise NotEnoughLabels("All images of a title have the same value of it, so it is held already.")
    if one.probed and other.probed:
        alone, held = (corrected_jointly(rows, each, seed, least_titles)[0]
                       for each in ([one.probed], [one.probed, other.probed]))  # fmt: skip
        return Held(alone.effect, held.effect, held.audits)
    titles = round(_differing(rows, one))
    if titles < least_titles:
        raise NotEnoughLabels(
            f"Only {plural(titles, 'title')} can be compared, with a known value of the other feature. At least "
            f"{least_titles} are needed. Add more data."
        )
    p, audits = _probabilities(rows, one, other, seed)
    on, off = _states(one, other, 0.0)
    given = one.probed or other.probed
    first, both = (
        Solved.of(TwoStates.of(rows, p, on[:, columns], off[:, columns], given, titles)).effect(0)
        for columns in ([1], [1, 2])
    )
    return Held(first, both, audits)


def _states(one: Feature, other: Feature, end: float) -> tuple[Floats, Floats]:
    """Product, ``one`` and ``other`` (assets, 3) of images that have the probed property, and that do not; where
    nothing is probed, all have it. The effect of ``one`` is then that where ``other`` is at ``end``."""

    def columns(first: Floats, second: Floats) -> Floats:
        return np.nan_to_num(np.stack([first * (second - end), first, second], axis=1))

    ones, zeros = np.ones(len(one.x)), np.zeros(len(one.x))
    if one.probed:
        return columns(ones, other.x), columns(zeros, other.x)
    if other.probed:
        return columns(one.x, ones), columns(one.x, zeros)
    return columns(one.x, other.x), np.zeros((len(one.x), 3))


def _probabilities(rows: Parts, one: Feature, other: Feature, seed: int) -> tuple[Floats, int | None]:
    """Of the probed property (assets,), calibrated, with its audits; 1 where nothing is probed."""
    given = one.probed or other.probed
    if given is None:
        return np.ones(len(one.x)), None
    audits = int(seen(rows, len(given.probability))[given.audited].sum())
    if audits < LEAST_AUDITS:
        raise NotEnoughLabels(
            f"Only {audits} audited images have performance and both features. At least {LEAST_AUDITS} are needed to "
            "correct the feature's errors. Request more audit answers."
        )
    known = Popularity.of(rows, len(given.probability))
    beside = other.x if one.probed else one.x
    return cross_fitted(given, known.title, known.popularity, known.performance, seed, beside), audits


def _varies(rows: Parts, feature: Feature) -> bool:
    return _differing(rows, feature) >= 1


def _differing(rows: Parts, feature: Feature) -> float:
    """The number of titles with images that differ in a feature on some canvas; of a probed one, the expected."""
    if feature.probed:
        return sum(differ(cells, feature.known[cells.rows.asset]) for cells in blocks(rows))
    titles = 0
    for part in rows.parts():
        starts, x = part.cell_starts(), feature.x[part.asset]
        apart = np.maximum.reduceat(x, starts) > np.minimum.reduceat(x, starts)
        titles += len(np.unique(part.title[starts[apart]]))
    return titles


def _fewest(rows: Parts, one: Feature, other: Feature) -> int:
    """Titles with images that differ in ``one`` at that end of ``other`` where they are fewer."""
    high: Bools = other.high == 1

    def of_side(upper: bool) -> Parts:
        def kept(part: Outcomes) -> Bools:
            return np.equal(high[part.asset], upper)

        return told_rows(rows.chosen(kept))

    return min(round(_differing(of_side(upper), one)) for upper in (True, False))


@dataclass(frozen=True, eq=False)
class TwoStates(Score):
    """Images that have a property with probability ``by_asset`` (assets, 1), and then the columns ``on`` (assets, k),
    else ``off`` (assets, k)."""

    on: Floats
    off: Floats

    @classmethod
    def of(  # type: ignore[override]
        cls, rows: Parts, p: Floats, on: Floats, off: Floats, given: Probed | None, titles: int
    ) -> TwoStates:
        """``titles`` differ in the feature whose effect is asked."""
        audited, k = [given] if given else [], on.shape[1]
        one = np.where(np.isfinite(p), p, 0.0)[:, None]
        known, alone = degrees(one, audited), np.zeros_like(one)  # one property shares nothing
        return cls(
            rows, one, errors(one, audited), noise(one, audited), alone, [titles] * k, [False] * k, known, on, off
        )

    def at(self, effect: Floats) -> Iterator[tuple[Cells, Expected, Floats]]:
        """As ``Score.at``."""
        for cells in blocks(self.rows):
            asset = cells.rows.asset
            told = _expected(cells, self.by_asset[asset, 0], self.on[asset], self.off[asset], effect)
            yield cells, told, told.by_row[:, 0] * self.wrong[asset]

    def weights(self, information: Floats, bread: Floats) -> Floats:
        """Each cell's information of an effect beside the others, (c, k)."""
        beside = bread / np.diag(bread)
        return np.asarray(np.maximum(np.einsum("ckl,kj,lj->cj", information, beside, beside), 0.0))


def _expected(cells: Cells, p: Floats, on: Floats, off: Floats, effect: Floats) -> Expected:
    """As ``expected_score``, where each image has columns of its own in either state."""
    rows, takes = cells.rows, cells.taken[:, None]
    lift_on, lift_off = np.exp(on @ effect), np.exp(off @ effect)
    each = p * lift_on + (1 - p) * lift_off
    weight = rows.impressions * each
    share = weight / cells.sums(weight)[cells.cell]
    among = (p * lift_on / each)[:, None]  # of a take, the chance that its image has the property
    odds = among * on + (1 - among) * off
    mean = cells.sums(share[:, None] * odds)
    apart, moved = (
        ((lift_on - lift_off) / each)[:, None],
        (lift_on[:, None] * on - lift_off[:, None] * off) / each[:, None],
    )
    unsure = (share**2 * p * (1 - p))[:, None]
    second = mean * cells.sums(unsure * apart**2) - cells.sums(unsure * apart * moved)
    score = cells.sums((p[:, None] * on + (1 - p)[:, None] * off) * rows.takes[:, None]) - takes * (mean + second)
    by_row = rows.takes[:, None] * (on - off)
    by_row -= (cells.taken[cells.cell] * share)[:, None] * (moved - mean[cells.cell] * apart)
    products = (
        among[:, :, None] * on[:, :, None] * on[:, None] + (1 - among)[:, :, None] * off[:, :, None] * off[:, None]
    )
    inner = cells.sums(share[:, None, None] * products) - mean[:, :, None] * mean[:, None]
    spread = (share**2)[:, None, None] * (products - odds[:, :, None] * odds[:, None])
    return Expected(score, by_row[:, None], takes[:, :, None] * (inner - cells.sums(spread)))
