"""Groups of members by which artwork they take: a mixture fitted by EM (Dempster, Laird and Rubin 1977).

Each member sees an image a few times and takes it or not. Takes are rare, so the binomial is taken as a Poisson with
the mean impressions * rate of the image * the member's own appetite * the group's liking. Appetite and popularity are
set apart, and within each title the liking of a group averages 1: a group is who takes *this* image of a title rather
than its others, never who takes more titles, or other titles. It holds for images that were shown at random only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import logsumexp

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats, Ints
from attune.models.members.small_cells import FLOOR, in_words
from attune.models.members.viewing_groups import (
    PAIRS,
    UNPLACED,
    Groups,
    agreement_of,
    by_size,
    check_several,
    halves,
    number_of_groups,
)

CHOICES = tuple(range(2, 9))
STARTS, STEPS, EXACT = 4, 60, 1e-5
PRIOR = 2.0  # takes that are added to each figure, at the rate of all members
FEWEST_IMAGES = 5  # that a member was shown: of fewer, nobody can tell a liking
CHANCE = 0.2  # agreement below which there are no groups
Step = Callable[[], None]


@dataclass(frozen=True, eq=False)
class Responses:
    """``impressions`` and ``takes`` (m, a) of members and images; ``title`` (a,) numbers of the images' titles."""

    impressions: csr_array
    takes: csr_array
    title: Ints

    def of(self, members: Ints) -> Responses:
        """Those of some members."""
        return Responses(csr_array(self.impressions[members]), csr_array(self.takes[members]), self.title)


@dataclass(frozen=True, eq=False)
class _Mixture:
    rate: Floats  # (a,) of all members
    liking: Floats  # (k, a)
    share: Floats  # (k,)


def response_groups(
    responses: Responses, clusters: int | None = None, seed: int = 0, step: Step = lambda: None
) -> Groups:
    """Groups by ``responses``; ``clusters``: how many, None: as many as other halves of the members agree on best.

    Raises NotEnoughLabels where fewer than two groups of ``FLOOR`` members can be made, and, unless a number was asked
    for, where no number of groups agrees beyond chance.
    """
    shown = np.asarray((responses.impressions > 0).sum(axis=1))
    placed = np.flatnonzero(shown >= FEWEST_IMAGES)
    choices = [k for k in CHOICES if 4 * k * FLOOR <= len(placed)] if clusters is None else [clusters]
    if not choices or 2 * max(choices) * FLOOR > len(placed):
        raise NotEnoughLabels(
            f"{in_words(len(placed))} were shown {FEWEST_IMAGES} images or more at random. {clusters or 'Two'} groups "
            f"need {2 * FLOOR * (clusters or 4):,} of them. Add more responses."
        )
    among = responses.of(placed)
    agreement = {}
    for k in choices:
        agreement[k] = _agreement(among, k, seed)
        step()
    chosen = number_of_groups(agreement)
    if clusters is None and agreement[chosen] < CHANCE:
        raise NotEnoughLabels(
            "Members do not fall into groups by the artwork they take: two halves of them agree by "
            f"{agreement[chosen]:.2f} (0 is chance, 1 the same groups). Add more responses, or fix a number of groups."
        )
    found, count = _with_floor(_belongs(among, _fit(among, chosen, np.random.default_rng([seed, chosen]))))
    check_several(count)
    label = np.full(len(shown), UNPLACED, dtype=np.intp)
    label[placed] = found
    return Groups(label, count, agreement, chosen)


def _agreement(responses: Responses, k: int, seed: int) -> float:
    """Groups of two halves that share no member, each told of all members: how far they are the same."""
    rng, count = np.random.default_rng([seed, k, 1]), responses.impressions.shape[0]
    pairs = [
        [_belongs(responses, _fit(responses.of(half), k, rng)).argmax(axis=1) for half in halves(count, rng)]
        for _ in range(PAIRS)
    ]
    return agreement_of([pair[0] for pair in pairs], [pair[1] for pair in pairs])


def _with_floor(belongs: Floats) -> tuple[Ints, int]:
    """The likeliest group of each member; groups below the floor are dissolved."""
    while True:
        label = belongs.argmax(axis=1)
        sizes = np.bincount(label, minlength=belongs.shape[1])
        if sizes.min() >= FLOOR or belongs.shape[1] == 1:
            return by_size(label), belongs.shape[1]
        belongs = np.delete(belongs, int(sizes.argmin()), axis=1)


def _expected(responses: Responses, rate: Floats) -> csr_array:
    """Takes (m, a) that are expected of each member with their own appetite, if all groups were alike."""
    shown, takes = responses.impressions, np.asarray(responses.takes.sum(axis=1))
    usual = np.asarray(shown @ rate)
    appetite = (takes + PRIOR) / (usual + PRIOR)
    data = shown.data * np.repeat(appetite, np.diff(shown.indptr)) * rate[shown.indices]
    return csr_array((data, shown.indices, shown.indptr), shape=shown.shape)


def _belongs(responses: Responses, mixture: _Mixture) -> Floats:
    """The log probability (m, k) of each group, up to a constant of the member."""
    expected = _expected(responses, mixture.rate)
    found = responses.takes @ np.log(mixture.liking).T - expected @ mixture.liking.T + np.log(mixture.share)
    return np.asarray(found, dtype=np.float64)


def _fit(responses: Responses, k: int, rng: np.random.Generator) -> _Mixture:
    """The likeliest mixture of ``STARTS`` starts at random."""
    shown = np.asarray(responses.impressions.sum(axis=0), dtype=np.float64)
    taken = np.asarray(responses.takes.sum(axis=0), dtype=np.float64)
    everywhere = taken.sum() / max(shown.sum(), 1.0)
    rate = (taken + PRIOR * everywhere) / (shown + PRIOR)
    expected = _expected(responses, rate)
    starts = [rng.dirichlet(np.ones(k), responses.impressions.shape[0]) for _ in range(STARTS)]
    return max((_climb(responses, expected, rate, start) for start in starts), key=lambda one: one[0])[1]


def _climb(responses: Responses, expected: csr_array, rate: Floats, member: Floats) -> tuple[float, _Mixture]:
    """EM from the probabilities ``member`` (m, k): the log likelihood a member, and the mixture."""
    before, mixture = -np.inf, None
    for _ in range(STEPS):
        raw = (member.T @ responses.takes + PRIOR) / (member.T @ expected + PRIOR)
        liking = _within_title(raw, expected, responses)
        mixture = _Mixture(rate, liking, (member.sum(axis=0) + 1) / (len(member) + member.shape[1]))
        found = responses.takes @ np.log(liking).T - expected @ liking.T + np.log(mixture.share)
        whole = logsumexp(found, axis=1)
        member = np.exp(found - whole[:, None])
        likelihood = float(whole.mean())
        if abs(likelihood - before) < EXACT:
            break
        before = likelihood
    assert mixture is not None
    return likelihood, mixture


def _within_title(liking: Floats, expected: csr_array, responses: Responses) -> Floats:
    """The liking (k, a), with a mean of 1 over each title's images as they were shown."""
    weight = np.asarray(expected.sum(axis=0), dtype=np.float64)
    titles = int(responses.title.max()) + 1
    whole = np.maximum(np.bincount(responses.title, weight, minlength=titles), 1e-12)
    mean = np.stack([np.bincount(responses.title, weight * row, minlength=titles) for row in liking]) / whole
    return np.asarray(liking / np.maximum(mean, 1e-12)[:, responses.title], dtype=np.float64)
