"""Groups of members by what they watch: k-means on correspondence analysis (Greenacre 1984) of members and titles.

Correspondence analysis takes away how much a member watches and how popular a title is. A group is then a taste, not an
appetite. The number of groups is the one that two halves of the members, who share nobody, agree on best.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from attune.models.errors import NotEnoughLabels
from attune.models.insights.outcomes import Floats, Ints
from attune.models.members.small_cells import FLOOR, in_words
from attune.models.spaces.clustering import find_centres, nearest_centre

CHOICES = tuple(range(2, 13))
FEWEST_TITLES = 3  # that a member watched: of fewer, nobody can tell a taste
FIT = 100_000  # members whose viewing gives the axes and the centres
PAIRS = 3  # of halves of the members that numbers of groups are tried on
CHOICE_MEMBERS = 20_000  # that suffice to compare numbers of groups
NEARLY = 0.02  # of the best agreement: among numbers that hold as well, the larger one says more
LOOSE = 0.5  # agreement below which groups are chance more than taste
UNPLACED = -1
Step = Callable[[], None]


@dataclass(frozen=True, eq=False)
class Groups:
    """``label`` (m,) of each member, largest group 0, ``UNPLACED`` for those who cannot be placed; ``count`` groups.

    ``agreement``: for each number of groups that was tried, how far two halves agree (adjusted Rand index: 0 is
    chance, 1 the same groups); ``asked`` is the number before groups below the floor were dissolved.
    """

    label: Ints
    count: int
    agreement: Mapping[int, float]
    asked: int

    @property
    def stability(self) -> float:
        """The agreement at the number of groups that was made."""
        return self.agreement[self.asked]


def viewing_groups(views: csr_array, clusters: int | None = None, seed: int = 0, step: Step = lambda: None) -> Groups:
    """Groups of members by ``views`` (m, t), weights of 0 or more; ``clusters``: how many, None: the most stable.

    Titles that fewer than ``FLOOR`` members watched and members with fewer than ``FEWEST_TITLES`` of the others have no
    say. Raises NotEnoughLabels where fewer than two groups of ``FLOOR`` members can be made.
    """
    watched = np.flatnonzero((views > 0).sum(axis=0) >= FLOOR)
    views = csr_array(views[:, watched])
    placed = np.flatnonzero((views > 0).sum(axis=1) >= FEWEST_TITLES)
    choices = [k for k in CHOICES if 2 * k * FLOOR <= len(placed)] if clusters is None else [clusters]
    if not choices or max(choices) > min(len(placed) // FLOOR, len(watched) - 1):
        raise NotEnoughLabels(
            f"{in_words(len(placed))} watched {FEWEST_TITLES} titles or more of the {len(watched):,} that at least "
            f"{FLOOR} members watched. {clusters or 'Two'} groups need {FLOOR * (clusters or 4):,} members, and more "
            "such titles than groups. Add more viewing."
        )
    among, axes = csr_array(views[placed]), max(choices) - 1
    agreement = _agreement(among, choices, axes, seed, step)
    chosen = number_of_groups(agreement)
    sample = _sample(len(placed), seed)
    mine = _place(among, _axes(csr_array(among[sample]), axes, seed))[:, : chosen - 1]
    found, count = with_floor(mine, find_centres(mine[sample], chosen))
    check_several(count)
    label = np.full(views.shape[0], UNPLACED, dtype=np.intp)
    label[placed] = found
    return Groups(label, count, agreement, chosen)


def number_of_groups(agreement: Mapping[int, float]) -> int:
    """The largest number of groups whose agreement is within ``NEARLY`` of the best."""
    best = max(agreement.values())
    return max(k for k, value in agreement.items() if value >= best - NEARLY)


def with_floor(rows: npt.NDArray[np.float32], centres: npt.NDArray[np.float32]) -> tuple[Ints, int]:
    """The group (m,) of each of ``rows`` (m, d), largest first, and how many; groups below the floor are dissolved."""
    while True:
        label = nearest_centre(rows, centres)
        sizes = np.bincount(label, minlength=len(centres))
        if sizes.min() >= FLOOR or len(centres) == 1:
            return by_size(label), len(centres)
        centres = np.delete(centres, int(sizes.argmin()), axis=0)


def check_several(count: int) -> None:
    """Raise NotEnoughLabels where fewer than two groups are left."""
    if count < 2:
        raise NotEnoughLabels(
            f"Only one group has {FLOOR} members or more, so there is nothing to compare. Add more rows, or ask for "
            "fewer groups: --clusters 2"
        )


def by_size(label: Ints) -> Ints:
    """Groups with new numbers: the largest is 0."""
    order = np.argsort(-np.bincount(label), kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[label]


def agreement_of(first: Sequence[Ints], second: Sequence[Ints]) -> float:
    """The mean adjusted Rand index of pairs of groupings of the same members."""
    return float(np.mean([adjusted_rand_score(one, other) for one, other in zip(first, second, strict=True)]))


def halves(count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Two halves of ``count`` members that share nobody, at random."""
    order = rng.permutation(count)
    return np.sort(order[: count // 2]).astype(np.intp), np.sort(order[count // 2 :]).astype(np.intp)


def _agreement(views: csr_array, choices: Sequence[int], axes: int, seed: int, step: Step) -> dict[int, float]:
    """For each number of groups: how alike the groups are that two halves of the members give to all of them.

    Each half finds its own axes. With axes that all members gave, or halves that overlap, groups of pure chance agree
    to .93.
    """
    rng = np.random.default_rng([seed, 2])
    some = views[np.sort(rng.permutation(views.shape[0])[:CHOICE_MEMBERS])]
    placed = [[_half(csr_array(some), half, axes, seed) for half in halves(some.shape[0], rng)] for _ in range(PAIRS)]
    found = {}
    for k in choices:
        labels = [[_labels(one, k) for one in pair] for pair in placed]
        found[k] = agreement_of([pair[0] for pair in labels], [pair[1] for pair in labels])
        step()
    return found


def _half(views: csr_array, half: Ints, axes: int, seed: int) -> tuple[npt.NDArray[np.float32], Ints]:
    return _place(views, _axes(csr_array(views[half]), axes, seed)), half


def _labels(placed: tuple[npt.NDArray[np.float32], Ints], k: int) -> Ints:
    rows, half = placed[0][:, : k - 1], placed[1]
    return nearest_centre(rows, find_centres(rows[half], k))


def _sample(count: int, seed: int) -> Ints:
    if count <= FIT:
        return np.arange(count, dtype=np.intp)
    return np.sort(np.random.default_rng([seed, 1]).choice(count, FIT, replace=False)).astype(np.intp)


def _axes(views: csr_array, axes: int, seed: int) -> Floats:
    """Where each title (t, axes) is on the axes that ``views`` (m, t) has."""
    mass = np.asarray(views.sum(axis=0), dtype=np.float64)
    own = np.asarray(views.sum(axis=1), dtype=np.float64)
    scale = 1 / np.sqrt(np.where(mass > 0, mass, np.inf))
    scaled = _scaled(views, 1 / np.sqrt(own), scale)
    with threadpool_limits(1):  # the order in which threads add up would change the last bits
        _, _, found = randomized_svd(scaled, n_components=axes + 1, random_state=seed)
    # The first axis is the popularity that all members share.
    return np.asarray((found[1:] * scale).T * np.sqrt(mass.sum()), dtype=np.float64)


def _place(views: csr_array, titles: Floats) -> npt.NDArray[np.float32]:
    """Where each member (m, axes) is: the mean of the titles that they watched."""
    own = np.asarray(views.sum(axis=1), dtype=np.float64)
    return np.asarray(_scaled(views, 1 / own, np.ones(views.shape[1])) @ titles, dtype=np.float32)


def _scaled(values: csr_array, rows: Floats, columns: Floats) -> csr_array:
    data = values.data * np.repeat(rows, np.diff(values.indptr)) * columns[values.indices]
    return csr_array((data, values.indices, values.indptr), shape=values.shape)


def weights(minutes: npt.ArrayLike) -> Floats:
    """What a view counts (n,): more minutes count more, with a falling return; unknown minutes count as the median."""
    known = np.asarray(minutes, dtype=np.float64)
    measured = known[np.isfinite(known)]
    usual = float(np.median(measured)) if len(measured) else 1.0
    weight = np.log1p(np.where(np.isfinite(known), known, usual)) / max(float(np.log1p(usual)), 1e-9)
    return np.asarray(weight, dtype=np.float64)


def choices_tried(clusters: int | None) -> Sequence[int]:
    """The numbers of groups that are tried, for a progress bar."""
    return CHOICES if clusters is None else (clusters,)
