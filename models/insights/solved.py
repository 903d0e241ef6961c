"""The root of the corrected score, and what each title and its audits add to it, a block of titles at a time.

Ten million rows would need two gigabytes at once; in blocks they need as much as a block does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from attune.models.errors import NotEnoughLabels
from attune.models.insights.audit_errors import degrees, errors, noise, shared, unsure
from attune.models.insights.expected_score import Cells, Expected, blocks, expected_score
from attune.models.insights.outcomes import Floats, Ints, numbered
from attune.models.insights.probed import Probed
from attune.models.insights.row_parts import Parts
from attune.models.insights.states import sets
from attune.models.insights.within_title import LEVEL, Effect, share_other_way, spread, too_few_titles

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


@dataclass(frozen=True, eq=False)
class Score:
    """Images that are in the states ``by_asset`` (assets, s) and have the ``properties``, corrected by ``audited``.

    ``rare`` (k,): those that are held near 0; ``wrong`` and ``noise`` (assets, k): the errors of the probabilities, and
    what each asset adds to the variance of their sum, known with ``degrees`` of freedom; ``shared`` (assets, k): what
    the properties have in common of it.
    """

    rows: Parts
    by_asset: Floats
    wrong: Floats
    noise: Floats
    shared: Floats
    titles: list[int]
    rare: list[bool]
    degrees: float

    @classmethod
    def of(cls, rows: Parts, by_asset: Floats, audited: Sequence[Probed], properties: int, least_titles: int,
           classes: bool) -> Score:  # fmt: skip
        """Raises NotEnoughLabels where a property that must be told differs in fewer than ``least_titles`` titles."""
        p = by_asset @ sets(by_asset.shape[1], properties)
        titles = [round(sum(differ(cells, column[cells.rows.asset]) for cells in blocks(rows))) for column in p.T]
        rare = [classes and k > 0 and count < least_titles for k, count in enumerate(titles)]
        fewest = min(count for count, held in zip(titles, rare, strict=True) if not held)
        if fewest < least_titles:
            raise NotEnoughLabels(too_few_titles(fewest, least_titles))
        told = ~np.array(rare)
        varies = noise(p, audited) * told
        common = shared(p, varies) if classes else np.zeros_like(varies)
        return cls(rows, by_asset, errors(p, audited) * told, varies, common, titles, rare, degrees(p, audited))

    @property
    def known(self) -> Floats:
        """The precision (k, k) that the effects have before any row."""
        return np.diag(np.where(self.rare, RARE_SD**-2, 0.0))

    def at(self, effect: Floats) -> Iterator[tuple[Cells, Expected, Floats]]:
        """For each block its cells, their expected scores at ``effect`` (k,), and what audits add to rows (n, k)."""
        for cells in blocks(self.rows):
            told = expected_score(cells, self.by_asset[cells.rows.asset], effect)
            added = np.einsum("nkl,nk->nl", told.by_row, self.wrong[cells.rows.asset])
            yield cells, told, np.asarray(added, dtype=np.float64)

    def weights(self, information: Floats, bread: Floats) -> Floats:
        """What each cell says of each effect (c, k), by its ``information`` (c, k, k) and the ``bread`` (k, k)."""
        return np.diagonal(information, axis1=1, axis2=2)

    def root(self) -> Floats:
        """The effects (k,). Raises NotEnoughLabels where none fits."""
        at: Floats = np.zeros(len(self.titles))
        for _ in range(STEPS):
            score, information = -self.known @ at, self.known
            for _, told, added in self.at(at):
                score = score + told.score.sum(axis=0) + added.sum(axis=0)
                information = information + told.information.sum(axis=0)
            step = np.linalg.lstsq(information, score, rcond=None)[0]
            at += np.clip(step, -LARGEST_STEP, LARGEST_STEP)
            if np.abs(step).max() < EXACT * max(1.0, float(np.abs(at).max())):
                return at
            if np.abs(at).max() > FARTHEST:
                break
        raise NotEnoughLabels(UNFIT)


@dataclass(frozen=True, eq=False)
class Solved:
    """The root ``at`` (k,), what each title adds to it by probabilities, ``own`` (t, k); the variance that audits add,
    ``unsure`` (t, k); titles' ``information`` (t, k); the ``bread`` (k, k); ``counts`` (k, 3): assets, impressions and
    takes with a say in each."""

    score: Score
    at: Floats
    bread: Floats
    own: Floats
    unsure: Floats
    information: Floats
    counts: Floats

    @classmethod
    def of(cls, score: Score) -> Solved:
        """At the root of ``score``. Raises NotEnoughLabels where there is none, or next to none."""
        at = score.root()
        bread = _bread(score.known + sum(told.information.sum(axis=0) for _, told, _ in score.at(at)))
        parts = [_part(score, bread, *block) for block in score.at(at)]
        own, should, information = (np.concatenate(column) for column in list(zip(*parts, strict=True))[:3])
        return cls(score, at, bread, own, should, information, np.sum([one[3] for one in parts], axis=0))

    def effect(self, k: int) -> Effect:
        """The effect of property k as ``within_title`` reports effects."""
        weight = self.information[:, k]
        estimate, told = float(self.at[k]), weight > NOTHING
        variance, degrees = self._variance(k, weight)
        se = float(np.sqrt(variance))
        half = float(stdtrit(degrees, (1 + LEVEL) / 2)) * se
        score = (self.own[:, k] / self.bread[k, k])[told]
        tau = spread(score, weight[told])
        assets, impressions, takes = self.counts[k]
        return Effect(
            estimate=estimate, se=se, ci=(estimate - half, estimate + half),
            p=float(2 * stdtr(degrees, -abs(estimate) / se)) if se else 1.0, degrees=degrees,
            titles=self.score.titles[k], assets=int(assets), impressions=int(impressions), takes=float(takes),
            tau=tau, share_other_way=share_other_way(estimate, score, weight[told], tau),
            model_se=float(np.sqrt(self.bread[k, k])),
        )  # fmt: skip

    def _variance(self, k: int, weight: Floats) -> tuple[float, float]:
        """Variance of the effect and its degrees of freedom, from titles and audits (Welch and Satterthwaite)."""
        count = self.score.titles[k]
        titles = max(1.0, float(weight.sum() ** 2 / (weight**2).sum()) - 1)
        of_titles = float((self.own[:, k] ** 2).sum()) * count / max(count - 1, 1)
        of_audits = float(self.unsure[:, k].sum())
        if not of_audits:
            return of_titles, titles
        both = of_titles + of_audits
        return both, both**2 / (of_titles**2 / titles + of_audits**2 / self.score.degrees)


def _part(
    score: Score, bread: Floats, cells: Cells, told: Expected, added: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """What a block adds to ``Solved``: own, unsure, information, counts."""
    title = numbered(cells.titles())
    influence = told.by_row @ bread
    should = unsure(cells.rows, influence, score.noise, score.shared, title[cells.cell])
    own = _by_title(title, told.score) @ bread
    information = score.weights(told.information, bread)
    counts = []
    for column in information.T:
        kept = (column > NOTHING)[cells.cell]
        counts.append((
            len(np.unique(cells.rows.asset[kept])), cells.rows.impressions[kept].sum(), cells.rows.takes[kept].sum()
        ))  # fmt: skip
    return own, should, _by_title(title, information), np.array(counts, dtype=np.float64)


def _bread(information: Floats) -> Floats:
    """The inverse. Raises NotEnoughLabels where there is none, or next to none."""
    try:
        bread = np.asarray(np.linalg.inv(information), dtype=np.float64)
    except np.linalg.LinAlgError as error:
        raise NotEnoughLabels(UNFIT) from error
    if not (np.linalg.eigvalsh(information).min() > NOTHING and np.diag(bread).max() < LARGEST_SE**2):
        raise NotEnoughLabels(UNFIT)
    return bread


def differ(cells: Cells, p: Floats) -> float:
    """The expected number of titles with images that differ in a property that each row has with probability ``p``."""
    same: Floats = np.multiply.reduceat(p, cells.starts) + np.multiply.reduceat(1 - p, cells.starts)
    title = numbered(cells.titles())
    most: Floats = np.zeros(int(title[-1]) + 1)
    np.maximum.at(most, title, 1 - same)
    return float(most.sum())


def _by_title(title: Ints, values: Floats) -> Floats:
    sums: Floats = np.stack([np.bincount(title, column).astype(np.float64) for column in values.T], axis=1)
    return sums
