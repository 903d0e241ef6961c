"""Effects of properties that a probe says, corrected for its errors by audits.

A probe's errors bias an effect, and no number of impressions helps. Audits were drawn with known probabilities pi, so
their errors stand for all errors (Horvitz and Thompson 1952). With calibrated probabilities m, answers a, and h_i, what
image i's property adds to the score of conditional Poisson regression (``expected_score``), the corrected score is

    sum of the expected score at m over all images + sum over audits of (a_i - m_i) h_i(effect) / pi_i,

and its root is the corrected effect. It is the estimator of design-based supervised learning (Egami, Hinck, Stewart and
Wei 2023) and of prediction-powered inference with imputed covariates (Kluger, Lu, Zrnic, Wang and Bates 2025), for
titles as clusters. Its error has the titles' luck, from each title's part of the first sum, and the audits', summed
over all images (``audit_errors``). m are cross-fitted by title (``cross_fit``) and know the performance, so errors
that follow it are expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attune.models.errors import NotEnoughLabels
from attune.models.insights.audit_errors import follow
from attune.models.insights.cross_fit import cross_fitted
from attune.models.insights.expected_score import blocks
from attune.models.insights.outcomes import Bools, Outcomes
from attune.models.insights.popularity import Popularity
from attune.models.insights.probed import Probed
from attune.models.insights.row_parts import Parts, Valued, seen
from attune.models.insights.solved import Score, Solved
from attune.models.insights.states import exclusive, independent, together
from attune.models.insights.within_title import LEAST_TITLES, Effect, effect_within

LEAST_AUDITS = 60  # with outcomes: below, the audits' own luck is not known well enough for an interval


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


def corrected(outcomes: Parts, attribute: Probed, seed: int = 0, least_titles: int = LEAST_TITLES) -> Corrected:
    """The log rate ratio of images with the property over images without it, within titles and canvases.

    ``attribute`` is about the assets that ``outcomes`` numbers. Titles, assets, impressions and takes count cells where
    the property may differ; titles are an expected number. Raises NotEnoughLabels below ``least_titles`` titles or
    ``LEAST_AUDITS`` audits, and where no effect fits.
    """
    return corrected_jointly(outcomes, [attribute], seed, least_titles)[0]


def corrected_jointly(
    outcomes: Parts,
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
    rows = told_rows(outcomes, np.all([np.isfinite(one.probability) for one in attributes], axis=0))
    known = Popularity.of(outcomes, len(attributes[0].probability))
    fitted = [cross_fitted(one, known.title, known.popularity, known.performance, seed) for one in attributes]
    here = seen(rows, len(attributes[0].probability))
    audits = [int(here[one.audited].sum()) for one in attributes]
    if min(audits) < LEAST_AUDITS:
        raise NotEnoughLabels(
            f"Only {min(audits)} audited images have performance. At least {LEAST_AUDITS} are needed to correct "
            "the feature's errors. Request more audit answers."
        )
    p, says = np.stack(fitted, axis=1), np.stack([one.says for one in attributes], axis=1)
    states, said = (exclusive(p), exclusive(says)) if classes else (together(p, known.title), independent(says))
    found = Solved.of(Score.of(rows, states, attributes, len(attributes), least_titles, classes))
    plain = Solved.of(Score.of(rows, said, (), len(attributes), least_titles, classes))
    result = []
    for k, attribute in enumerate(attributes):
        if found.score.rare[k]:
            continue
        alone = cross_fitted(attribute, known.title, known.popularity, None, seed)
        estimate = effect_within(Valued(rows, alone), least_titles).estimate
        related = follow(blocks(rows), attribute, alone, estimate)
        result.append(Corrected(found.effect(k), plain.effect(k), audits[k], related))
    return result


def told_rows(rows: Parts, known: Bools | None = None) -> Parts:
    """The rows of assets that are ``known`` (assets,), in cells with two or more images that were taken at all."""

    def kept(part: Outcomes) -> Bools:
        shown = part.impressions > 0
        return shown if known is None else shown & known[part.asset]

    return rows.chosen(kept).chosen(_told)


def _told(rows: Outcomes) -> Bools:
    """Which rows (n,) are of cells with two or more images that were taken at all."""
    if not len(rows):
        return np.zeros(0, dtype=bool)
    starts = rows.cell_starts()
    sizes = np.diff(np.r_[starts, len(rows)])
    found: Bools = np.repeat((sizes > 1) & (np.add.reduceat(rows.takes, starts) > 0), sizes)
    return found
