"""Where questions come from: likely, borderline, near-miss and spread candidates, and who decides between them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from attune.models.probes.priors import Prompts, text_prior
from attune.models.query.context import Situation
from attune.models.query.strategies import strategy
from attune.models.query.strategies.variance import Space
from attune.models.vectors.axes import leading_axes
from attune.models.vectors.pool import IntArray

SHORTLIST = 300  # candidates a source looks at, besides 15 for every image wanted
CANDIDATES = 200  # that each source puts up where one measure decides between them
REFERENCE = 500  # assets on which the predictions' variance is measured
TOP_SHARE = 0.2  # of the pool by score: half of the reference lies there, where an average precision is decided
FIRST_FEW = 3  # labels of a class below which half of the questions look for it
SPARE = 10  # picks besides those wanted, for titles and near duplicates that must wait

Source = Iterator[tuple[int, str, float, str]]
"""(pool index, purpose, utility in [0, 1], reason), best first."""

REASONS = {
    "borderline": "The probe is undecided. Your answer helps with many similar images.",
    "likely": "It is probably {name}. Your answer helps with many similar images.",
    "near-miss": "It is similar to a near miss. Your answer makes the difference clearer.",
    "spread": "It is typical of a region of the pool without answers.",
    "seed": "It is similar to the prompts or examples of {name}. There were no answers yet.",
}


def sources(situation: Situation, n: int, name: str) -> list[tuple[float, Source]]:
    """The sources with the shares of the questions that each gives, by how much is known."""
    if name != "attune":
        return [(1.0, strategy_source(situation, n, name)), (0.0, spread(situation, n))]
    if not situation.counts.sum():
        return initial_sources(situation, n)
    informative = (1.0, by_variance(situation, n))
    rare = int(situation.counts.argmin())
    dry = (0.0, spread(situation, n))  # has its turn when the others have nothing left
    if situation.counts[rare] < FIRST_FEW:
        return [(1.0, likely(situation, n, rare)), informative, dry]
    return [informative, dry]


def initial_sources(situation: Situation, n: int) -> list[tuple[float, Source]]:
    """Before any answer: close to the prompts or examples, close to the near misses, and a spread over the pool."""
    if situation.prompts is None or not np.abs(situation.probe.weight_).sum():
        return [(1.0, spread(situation, n))]
    classes = len(situation.probe.classes_)
    positions = range(1) if classes == 2 else range(classes)
    seeds = [(0.4 / len(positions), likely(situation, n, c, "seed")) for c in positions]
    near = near_misses(situation, _size(n))
    miss = [(0.2, _by_descending_utility(near, "near-miss", REASONS["near-miss"]))] if len(near) else []
    return [*seeds, *miss, (0.4, spread(situation, n))]


def likely(situation: Situation, n: int, position: int, purpose: str = "likely") -> Source:
    """The likeliest of one class, best first."""
    reason = REASONS[purpose].format(name=situation.probe.classes_[position])
    yield from _by_descending_utility(situation.top(situation.class_score(position), _size(n)), purpose, reason)


def near_misses(situation: Situation, size: int) -> IntArray:
    """The open assets closest to the near-miss prompts, closest first; none where there are no such prompts."""
    prompts = situation.prompts
    if prompts is None or prompts.negative is None or len(situation.probe.classes_) != 2:
        return np.empty(0, dtype=np.intp)
    against = Prompts(positive=prompts.negative)
    prior = text_prior(against, tuple(situation.probe.classes_), situation.pool, situation.rng)
    if prior is None:
        return np.empty(0, dtype=np.intp)
    return situation.top(situation.pool.logits(prior.weight, prior.bias)[:, 0], size)


def spread(situation: Situation, n: int) -> Source:
    """Typical assets of the parts of the pool that labels do not cover, then the rest of a sample at random."""
    index = situation.askable(situation.pool.sample(2000, situation.rng))
    if not len(index):
        return
    candidates = min(len(index), n + 2 * SPARE)
    # 200 labels of context keep the number of clusters small.
    picked, utilities = strategy("typical")(
        None, situation.pool.rows(index), candidates, situation.rng, seen=situation.seen[-200:]
    )
    for position, utility in zip(picked, utilities, strict=True):
        yield int(index[position]), "spread", float(utility), REASONS["spread"]
    for position in situation.rng.permutation(np.setdiff1d(np.arange(len(index)), picked)):
        yield int(index[position]), "spread", 0.0, REASONS["spread"]


def by_variance(situation: Situation, n: int) -> Source:
    """All sources put up candidates, and the expected fall of the pool's predictive variance decides between them.

    So the allocation follows the probe: early on typical and likely images win, later those at the border.
    """
    index, purposes = _candidates(situation, n)
    if not len(index):
        return
    picked, gains = strategy("variance_reduction")(
        situation.probe,
        situation.pool.rows(index),
        min(len(index), n + n // 4 + 2),
        seen=situation.seen,
        reference=situation.pool.rows(_reference(situation)),
        space=Space(situation.pool.centre, situation.pool.variance, leading_axes(situation.pool)),
    )
    for position, gain in zip(picked, gains, strict=True):
        purpose = str(purposes[position])
        reason = REASONS[purpose].format(name=situation.probe.classes_[_likeliest(situation, int(index[position]))])
        yield int(index[position]), purpose, float(np.clip(gain / max(gains[0], 1e-12), 0, 1)), reason


def _likeliest(situation: Situation, index: int) -> int:
    row = situation.logits[index]
    return int(row[0] <= 0) if len(row) == 1 else int(row.argmax())


def _candidates(situation: Situation, n: int) -> tuple[IntArray, npt.NDArray[np.str_]]:
    """Candidates of all sources (m,) in pool order, each with the source (m,) in whose list it stands highest."""
    each = CANDIDATES + 2 * n
    classes = len(situation.probe.classes_)
    lists = [("borderline", situation.top(situation.border_closeness(), each))]
    for position in range(1) if classes == 2 else range(classes):
        size = each if classes == 2 else each // classes
        lists.append(("likely", situation.top(situation.class_score(position), size)))
    lists.append(("near-miss", near_misses(situation, each // 4)))
    lists.append(("spread", situation.askable(situation.pool.sample(each, situation.rng))))
    index = np.concatenate([group for _, group in lists])
    # A random sample has no order, so its members are "spread" only where no other list has them.
    rank = np.concatenate([np.full(len(f), np.inf) if p == "spread" else np.arange(len(f)) for p, f in lists])
    purpose = np.concatenate([np.full(len(f), p) for p, f in lists])
    order = np.lexsort((rank, index))
    best_rows = order[np.unique(index[order], return_index=True)[1]]
    return index[best_rows], purpose[best_rows]


def _reference(situation: Situation) -> IntArray:
    """Where the predictions should get surer (r,): half anywhere, half among the highest scores of each class."""
    sample = situation.pool.sample(20_000, situation.rng)
    classes = len(situation.probe.classes_)
    positions = range(1) if classes == 2 else range(classes)
    parts = [_random_subset(sample, REFERENCE // 2, situation.rng)]
    for position in positions:
        scores = situation.class_score(position)[sample]
        top = sample[np.argsort(-scores, kind="stable")[: max(1, int(TOP_SHARE * len(sample)))]]
        parts.append(_random_subset(top, REFERENCE // 2 // len(positions), situation.rng))
    return np.concatenate(parts)


def _random_subset(index: IntArray, size: int, rng: np.random.Generator) -> IntArray:
    return index if size >= len(index) else rng.choice(index, size, replace=False)


def strategy_source(situation: Situation, n: int, name: str) -> Source:
    """Another strategy over a shortlist of the pool: its borderline, its likely and a random part."""
    size = _size(n)
    parts = [situation.top(situation.border_closeness(), size), situation.top(situation.class_score(0), size)]
    parts.append(situation.askable(situation.pool.sample(3 * size, situation.rng)))
    index = np.unique(np.concatenate(parts))
    if not len(index):
        return
    candidates = min(len(index), 2 * n + SPARE)
    classes = situation.shares.argmax(axis=1) if len(situation.shares) else np.empty(0)
    picked, utilities = strategy(name)(
        situation.probe,
        situation.pool.rows(index),
        candidates,
        situation.rng,
        seen=situation.seen,
        seen_classes=classes,
    )
    low, high = float(np.min(utilities)), float(np.max(utilities))
    for position, utility in zip(picked, utilities, strict=True):
        scaled = (float(utility) - low) / (high - low) if high > low else 1.0
        yield int(index[position]), "borderline", scaled, f"Chosen by the strategy {name}."


def _by_descending_utility(index: IntArray, purpose: str, reason: str) -> Source:
    for position, asset in enumerate(index.tolist()):
        yield asset, purpose, 1 - position / len(index), reason


def _size(n: int) -> int:
    return SHORTLIST + 15 * n
