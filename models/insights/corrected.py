"""Effects of properties that a probe says, corrected for its errors by audits.

A probe's errors bias an effect, and no number of impressions helps. Audits were drawn with known probabilities pi, so
their errors stand for all errors (Horvitz and Thompson 1952). With calibrated probabilities m, answers a, and h_i, what
image i's property adds to the score of conditional Poisson regression (``expected_score``), the corrected score is

    sum of the expected score at m over all images + sum over audits of (a_i - m_i) h_i(effect) / pi_i,

and its root is the corrected effect. It is the estimator of design-based supervised learning (Egami, Hinck, Stewart and
Wei 2023) and of prediction-powered inference with imputed covariates (Kluger, Lu, Zrnic, Wang and Bates 2025), for
titles as clusters. Its error comes from each title's whole part of that score, so it has both the titles' luck and the
audits'. m are cross-fitted by title (``cross_fit``) and know the performance, so errors that follow it are expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from attune.models.errors import NotEnoughLabels
from attune.models.insights.audit_errors import errors, follow, noise, unsure
from attune.models.insights.cross_fit import cross_fitted
from attune.models.insights.expected_score import Cells, Expected, expected_score
from attune.models.insights.outcomes import Floats, Ints, Outcomes
from attune.models.insights.popularity import Popularity
from attune.models.insights.probed import Probed
from attune.models.insights.states import exclusive, independent, sets, together
from attune.models.insights.within_title import (
    LEAST_TITLES,
    LEVEL,
    Effect,
    share_other_way,
    spread,
    too_few_titles,
    within_title,
)

LEAST_AUDITS = 60  # with outcomes: below, the audits' own luck is not known well enough for an interval
STEPS, EXACT, LARGEST_STEP = 100, 1e-10, 1.0
NOTHING = 1e-9  # of information: less is rounding
FARTHEST = 5.0  # a rate ratio of 150: no effect of artwork
LARGEST_SE = 2.0  # an interval of a fiftieth to fifty times says nothing: the information is next to singular
UNFIT = (
    "No effect fits these takes and audits: one side of the comparison has too few takes, or the audits are too few. "
    "Add more impressions or request more audit answers."
)
# Of a class that is held and is on few titles: its log rate ratio over the class that is compared has this standard
# deviation around 0, and its few audits do not correct it, so that it does not keep the others from being told.
RARE_SD = 0.5


@dataclass(frozen=True)
class Corrected:
    """``effect`` after the correction, ``uncorrected`` with the thresholded class, both with intervals by titles.

    ``audits`` counts those of images with outcomes. ``follow`` is the p value of the probe's errors being unrelated to
    performance: small, and the uncorrected figure is wrong even for calibrated probabilities.
    """

    effect: Effect
    uncorrected: Effect
    audits: int
    follow: float


def corrected(outcomes: Outcomes, attribute: Probed, seed: int = 0, least_titles: int = LEAST_TITLES) -> Corrected:
    """The log rate ratio of images with the property over images without it, within titles and canvases.

    ``attribute`` is about the assets that ``outcomes`` numbers. Titles, assets, impressions and takes count cells where
    the property may differ; titles are an expected number. Raises NotEnoughLabels below ``least_titles`` titles or
    ``LEAST_AUDITS`` audits, and where no effect fits.
    """
    return corrected_jointly(outcomes, [attribute], seed, least_titles)[0]


def corrected_jointly(
    outcomes: Outcomes,
    attributes: Sequence[Probed],
    seed: int = 0,
    least_titles: int = LEAST_TITLES,
    classes: bool = False,
) -> list[Corrected]:
    """The effect of each property, the other properties held, as ``corrected``.

    ``classes``: an image has at most one of the properties, the classes of one attribute: for A, B and C, of A and C
    the effects over B. A class after the first on fewer than ``least_titles`` titles is held near the class without
    effect (``RARE_SD``), and has no figure of its own: the list is without it. Other properties are free, and their
    probes are assumed to err independently on one image (``states.together``).
    """
    scored = np.all([np.isfinite(one.probability[outcomes.asset]) for one in attributes], axis=0)
    rows = _told(outcomes.where(scored & (outcomes.impressions > 0)))
    known = Popularity.of(outcomes, len(attributes[0].probability))
    fitted = [cross_fitted(one, known.title, known.popularity, known.performance, seed) for one in attributes]
    audits = [int(np.isin(one.audited, rows.asset).sum()) for one in attributes]
    if min(audits) < LEAST_AUDITS:
        raise NotEnoughLabels(
            f"Only {min(audits)} audited images have performance. At least {LEAST_AUDITS} are needed to correct for "
            "the probe's errors. Request more audit answers."
        )
    cells = Cells.of(rows)
    p, says = np.stack(fitted, axis=1), np.stack([one.says for one in attributes], axis=1)
    states, said = (exclusive(p), exclusive(says)) if classes else (together(p, known.title), independent(says))
    found = _Solved.of(cells, states, attributes, len(attributes), least_titles, classes)
    plain = _Solved.of(cells, said, (), len(attributes), least_titles, classes)
    result = []
    for k, attribute in enumerate(attributes):
        if found.rare[k]:
            continue
        alone = cross_fitted(attribute, known.title, known.popularity, None, seed)
        related = follow(cells, attribute, alone, within_title(rows, alone[rows.asset], least_titles).estimate)
        result.append(Corrected(found.effect(k), plain.effect(k), audits[k], related))
    return result


@dataclass(frozen=True, eq=False)
class _Solved:
    """The root ``at`` (k,), what each title adds to it by probabilities, ``own`` (t, k), and by audits, ``audit``; what
    the squares of ``audit`` should be if the calibration is right, ``unsure`` (t, k); the ``bread`` (k, k); ``titles``
    (k,) that differ in each property, and whether it is ``rare``."""

    cells: Cells
    at: Floats
    expected: Expected
    bread: Floats
    own: Floats
    audit: Floats
    unsure: Floats
    title: Ints
    titles: list[int]
    rare: list[bool]

    @classmethod
    def of(
        cls, cells: Cells, by_asset: Floats, audited: Sequence[Probed], properties: int, least_titles: int,
        classes: bool,
    ) -> _Solved:  # fmt: skip
        """Of images that are in the states ``by_asset`` (assets, s)."""
        states = by_asset[cells.rows.asset]
        p = by_asset @ sets(by_asset.shape[1], properties)
        title = np.unique(cells.titles(), return_inverse=True)[1].reshape(-1)
        titles = [round(_differ(cells, title, column)) for column in p[cells.rows.asset].T]
        rare = [classes and k > 0 and count < least_titles for k, count in enumerate(titles)]
        fewest = min(count for count, held in zip(titles, rare, strict=True) if not held)
        if fewest < least_titles:
            raise NotEnoughLabels(too_few_titles(fewest, least_titles))
        known, told_by = np.diag(np.where(rare, RARE_SD**-2, 0.0)), ~np.array(rare)
        wrong = (errors(p, audited) * told_by)[cells.rows.asset]
        at = _root(cells, states, wrong, known)
        told = expected_score(cells, states, at)
        bread = _bread(told.information.sum(axis=0) + known)
        audit = cells.sums(_added(told, wrong))
        influence = told.by_row @ bread
        should = unsure(cells.rows, influence, noise(p, audited) * told_by, title[cells.cell])
        own, audit = (_by_title(title, one) @ bread for one in (told.score, audit))
        return cls(cells, at, told, bread, own, audit, should, title, titles, rare)

    def effect(self, k: int) -> Effect:
        """The effect of property k as ``within_title`` reports effects."""
        weight: Floats = np.bincount(self.title, self.expected.information[:, k, k]).astype(np.float64)
        estimate, told = float(self.at[k]), weight > NOTHING
        variance, degrees = self._variance(k, weight)
        se = float(np.sqrt(variance))
        half = float(stdtrit(degrees, (1 + LEVEL) / 2)) * se
        score = (self.own[:, k] / self.bread[k, k])[told]
        tau = spread(score, weight[told])
        rows = self.cells.rows.where((self.expected.information[:, k, k] > NOTHING)[self.cells.cell])
        return Effect(
            estimate=estimate, se=se, ci=(estimate - half, estimate + half),
            p=float(2 * stdtr(degrees, -abs(estimate) / se)) if se else 1.0, degrees=degrees, titles=self.titles[k],
            assets=len(np.unique(rows.asset)), impressions=int(rows.impressions.sum()), takes=float(rows.takes.sum()),
            tau=tau, share_other_way=share_other_way(estimate, score, weight[told], tau),
            model_se=float(np.sqrt(self.bread[k, k])),
        )  # fmt: skip

    def _variance(self, k: int, weight: Floats) -> tuple[float, float]:
        """Variance of the effect and its degrees of freedom, from titles and audits (Welch and Satterthwaite).

        A few audits with large weights decide their squares, so these are averaged with what they should be (the
        moderated variance of Smyth 2004), which doubles their degrees.
        """
        titles = max(1.0, float(weight.sum() ** 2 / (weight**2).sum()) - 1)
        of_titles = float((self.own[:, k] ** 2).sum()) * self.titles[k] / max(self.titles[k] - 1, 1)
        should = float(self.unsure[:, k].sum())
        of_audits = (float((self.audit[:, k] ** 2).sum()) + should) / 2
        if not should:
            return of_titles, titles
        audits = max(1.0, 2 * should**2 / float((self.unsure[:, k] ** 2).sum()) - 1)
        both = of_titles + of_audits
        return both, both**2 / (of_titles**2 / titles + of_audits**2 / audits)


def _told(rows: Outcomes) -> Outcomes:
    """Rows of cells with two or more images that were taken at all."""
    if not len(rows):
        return rows
    cells = Cells.of(rows)
    sizes = np.diff(np.r_[cells.starts, len(rows)])
    return rows.where(((sizes > 1) & (cells.taken > 0))[cells.cell])


def _root(cells: Cells, states: Floats, wrong: Floats, known: Floats) -> Floats:
    """The root of the corrected score, of effects with the precision ``known`` (k, k) around 0."""
    at: Floats = np.zeros(wrong.shape[1])
    for _ in range(STEPS):
        told = expected_score(cells, states, at)
        score = told.score.sum(axis=0) + _added(told, wrong).sum(axis=0) - known @ at
        step = np.linalg.lstsq(told.information.sum(axis=0) + known, score, rcond=None)[0]
        at += np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        if np.abs(step).max() < EXACT * max(1.0, float(np.abs(at).max())):
            return at
        if np.abs(at).max() > FARTHEST:
            break
    raise NotEnoughLabels(UNFIT)


def _added(told: Expected, wrong: Floats) -> Floats:
    """What the errors ``wrong`` (n, k) add to the scores, (n, k)."""
    return np.asarray(np.einsum("nkl,nk->nl", told.by_row, wrong), dtype=np.float64)


def _bread(information: Floats) -> Floats:
    """The inverse. Raises NotEnoughLabels where there is none, or next to none."""
    try:
        bread = np.asarray(np.linalg.inv(information), dtype=np.float64)
    except np.linalg.LinAlgError as error:
        raise NotEnoughLabels(UNFIT) from error
    if not (np.linalg.eigvalsh(information).min() > NOTHING and np.diag(bread).max() < LARGEST_SE**2):
        raise NotEnoughLabels(UNFIT)
    return bread


def _differ(cells: Cells, title: Ints, p: Floats) -> float:
    """The expected number of titles with images that differ in a property that each has with probability ``p``."""
    same: Floats = np.multiply.reduceat(p, cells.starts) + np.multiply.reduceat(1 - p, cells.starts)
    most: Floats = np.zeros(int(title.max()) + 1)
    np.maximum.at(most, title, 1 - same)
    return float(most.sum())


def _by_title(title: Ints, values: Floats) -> Floats:
    sums: Floats = np.stack([np.bincount(title, column).astype(np.float64) for column in values.T], axis=1)
    return sums
