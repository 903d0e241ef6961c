"""The query: how the next questions are shared out over sources, and which images each source gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.audit import AuditDesign
from models.pool import IntArray, Pool
from models.priors import Prompts, text_prior
from models.probe import Probe
from models.products import FloatArray
from models.reserve import reserved_in
from models.strategies import strategy

SHORTLIST = 300  # candidates a source looks at, besides 15 for every image wanted
RECENT = 40  # last asked images whose titles and near duplicates wait
NEAR_DUPLICATE = 0.97  # cosine above which two images count as one
FEW = 10  # labels of the rarest class below which half of the questions look for it


@dataclass(frozen=True)
class Ask:
    """An image to ask about: its pool index and id, why (for people, shown after the answer), and how urgent.

    ``purpose``: seed, spread, borderline, likely, near-miss, second-opinion or audit; ``utility`` in [0, 1], higher
    means sooner; ``inclusion`` the probability of being drawn, for audits only.
    """

    index: int
    asset_id: str
    purpose: str
    utility: float
    reason: str
    inclusion: float | None = None


@dataclass(frozen=True, eq=False)
class Situation:
    """All that a plan depends on: the pool, the probe, what was asked (in order) and what was learned of it."""

    pool: Pool
    probe: Probe
    asked: IntArray
    labelled: IntArray
    shares: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    prompts: Prompts | None
    reserved_share: float
    seed: int
    given_reserved: npt.NDArray[np.bool_] | None = None

    @cached_property
    def rng(self) -> np.random.Generator:
        """This round's randomness: the same for the same attribute and the same number of questions."""
        return np.random.default_rng([self.seed, 2, len(self.asked)])

    @cached_property
    def logits(self) -> FloatArray:
        """The probe's logits of the whole pool (N, k)."""
        return self.pool.logits(self.probe.weight_, self.probe.bias_)

    @cached_property
    def counts(self) -> npt.NDArray[np.float64]:
        """The labels of each class (c,), soft ones by their share."""
        return self.weights @ self.shares if len(self.weights) else np.zeros(len(self.probe.classes_))

    @cached_property
    def seen(self) -> FloatArray:
        """The labelled vectors (m, d)."""
        return self.pool.rows(self.labelled)

    @cached_property
    def audits_asked(self) -> int:
        """How many of the asked belong to audit titles."""
        return int(self.reserved(self.asked).sum())

    def reserved(self, index: IntArray) -> npt.NDArray[np.bool_]:
        """Which of ``index`` belong to audit titles."""
        return reserved_in(self.pool, index, self.reserved_share, self.seed, self.given_reserved)

    @cached_property
    def _taken(self) -> npt.NDArray[np.bool_]:
        taken = np.zeros(len(self.pool), dtype=bool)
        taken[self.asked] = True
        return taken

    def open(self, index: IntArray) -> IntArray:
        """Those of ``index`` that may be asked for training: not asked yet, of no audit title."""
        free = index[~self._taken[index]]
        return free[~self.reserved(free)]

    def top(self, scores: FloatArray, size: int) -> IntArray:
        """Indices of about the ``size`` highest scores that are open, highest first."""
        wanted = min(len(scores), int(2 * size + len(self.asked) + 50))
        found = self.open(_highest(scores, wanted, self.rng))
        while len(found) < size and wanted < len(scores):
            wanted = min(len(scores), 4 * wanted)
            found = self.open(_highest(scores, wanted, self.rng))
        return found[:size]


def _highest(scores: FloatArray, size: int, rng: np.random.Generator) -> IntArray:
    """The ``size`` highest of N scores, highest first: a sampled threshold first, so that few are ever sorted."""
    n = len(scores)
    candidates = np.arange(n)
    if n > 50_000 and size < n // 20:
        sample = scores[rng.integers(n, size=20_000)]
        cut = np.partition(sample, -max(1, int(3 * 20_000 * size / n) + 20))[-max(1, int(3 * 20_000 * size / n) + 20)]
        above = np.flatnonzero(scores >= cut)
        candidates = above if len(above) >= size else candidates
    values = scores[candidates]
    if size < len(values):
        kept = np.argpartition(-values, size - 1)[:size]
        candidates, values = candidates[kept], values[kept]
    order = np.argsort(-values, kind="stable")
    return candidates[order].astype(np.intp)


def allocate(
    situation: Situation, n: int, strategy_name: str, audit: AuditDesign | None, audits: int, contested: Sequence[int]
) -> list[Ask]:
    """The next ``n`` questions: audits and second opinions that are due, the rest from the sources."""
    if n <= 0 or not len(situation.pool):
        return []
    fixed = _audits(situation, audit, audits) if audit is not None and audits else []
    again = [_second_opinion(situation, index) for index in list(contested)[: max(0, (n - len(fixed)) // 4)]]
    learning = _learning(situation, n - len(fixed) - len(again), strategy_name)
    return _mixed(situation, again + learning, fixed)


def _mixed(situation: Situation, ordered: list[Ask], audits: list[Ask]) -> list[Ask]:
    """Audits at random places among the others, so that nobody can tell them by their position."""
    places = set(situation.rng.choice(len(ordered) + len(audits), size=len(audits), replace=False).tolist())
    first, second = iter(audits), iter(ordered)
    return [next(first) if i in places else next(second) for i in range(len(ordered) + len(audits))]


def _audits(situation: Situation, audit: AuditDesign, due: int) -> list[Ask]:
    pool = situation.pool
    every = np.arange(len(pool), dtype=np.intp)
    mine = every[situation.reserved(every)]
    drawn = audit.drawn(pool.asset_ids[mine].tolist())
    due = min(due, int((~drawn).sum()))
    if not due:
        return []
    found = audit.extend(
        pool.asset_ids[mine].tolist(), pool.title_ids[mine].tolist(), situation.logits[mine].astype(np.float64), due
    )
    reason = "Drawn to measure how good the probe is; never used to train it."
    return [Ask(int(mine[i]), str(pool.asset_ids[mine[i]]), "audit", 1.0, reason, float(p)) for i, p in found]


def _second_opinion(situation: Situation, index: int) -> Ask:
    reason = "Earlier answers about this image disagree; another pair of eyes settles it."
    return Ask(int(index), str(situation.pool.asset_ids[index]), "second-opinion", 1.0, reason)


def _learning(situation: Situation, n: int, strategy_name: str) -> list[Ask]:
    if n <= 0:
        return []
    if strategy_name == "attune":
        sources = _sources(situation, n)
    else:
        sources = [(1.0, _by_strategy(situation, n, strategy_name))]
    return _picked(situation, n, sources)


Source = Iterator[tuple[int, str, float, str]]


def _picked(situation: Situation, n: int, sources: list[tuple[float, Source]]) -> list[Ask]:
    """Take from the sources in proportion to their shares, skipping titles and near duplicates met just now."""
    chosen, later = _Chosen(situation), []
    owed = np.zeros(len(sources))
    shares = np.array([share for share, _ in sources])
    alive = np.ones(len(sources), dtype=bool)
    asks: list[Ask] = []
    while len(asks) < n and alive.any():
        live = shares * alive
        owed += live / live.sum() if live.sum() else alive / alive.sum()
        turn = int(np.where(alive, owed, -np.inf).argmax())
        candidate = next(sources[turn][1], None)
        if candidate is None:
            alive[turn] = False
            continue
        ask = Ask(candidate[0], str(situation.pool.asset_ids[candidate[0]]), *candidate[1:])
        if chosen.accepts(ask.index):
            owed[turn] -= 1
            asks.append(ask)
        elif not chosen.has(ask.index):
            later.append(ask)
    for ask in later:  # a pool of few titles, or of copies, must still give work
        if len(asks) >= n:
            break
        if not chosen.has(ask.index):
            chosen.add(ask.index)
            asks.append(ask)
    return asks


class _Chosen:
    """What this plan has taken and what was asked just before: their titles and near duplicates must wait."""

    def __init__(self, situation: Situation) -> None:
        self.pool = situation.pool
        recent = situation.asked[-RECENT:]
        self.titles = set(self.pool.title_ids[recent].tolist())
        self.rows = list(self.pool.rows(recent))
        self.indices: set[int] = set()

    def has(self, index: int) -> bool:
        return index in self.indices

    def add(self, index: int) -> None:
        self.indices.add(index)
        self.titles.add(str(self.pool.title_ids[index]))
        self.rows.append(self.pool.rows([index])[0])

    def accepts(self, index: int) -> bool:
        """Take the index unless it, its title or a near duplicate was taken."""
        if index in self.indices or str(self.pool.title_ids[index]) in self.titles:
            return False
        row = self.pool.rows([index])[0]
        if self.rows and float(np.max(np.stack(self.rows) @ row)) > NEAR_DUPLICATE:
            return False
        self.add(index)
        return True


def _sources(situation: Situation, n: int) -> list[tuple[float, Source]]:
    """The sources with their shares of the questions, by how much is known."""
    if not situation.counts.sum():
        return _first_sources(situation, n)
    rare = int(situation.counts.argmin())
    if situation.counts[rare] < FEW:
        return [(0.5, _likely(situation, n, rare)), (0.4, _borderline(situation, n)), (0.1, _spread(situation, n, 0.1))]
    return [(0.95, _borderline(situation, n)), (0.05, _spread(situation, n, 0.05))]


def _first_sources(situation: Situation, n: int) -> list[tuple[float, Source]]:
    """Before any answer: close to the phrases or examples, close to the near misses, and a spread over the pool."""
    if situation.prompts is None or not np.abs(situation.probe.weight_).sum():
        return [(1.0, _spread(situation, n))]
    classes = len(situation.probe.classes_)
    wanted = range(1) if classes == 2 else range(classes)
    seeds = [(0.4 / len(wanted), _likely(situation, n, c, "seed")) for c in wanted]
    near = _near_miss(situation, n)
    return [*seeds, *([(0.2, near)] if near is not None else []), (0.4, _spread(situation, n))]


def _likely(situation: Situation, n: int, position: int, purpose: str = "likely") -> Source:
    name = situation.probe.classes_[position]
    column = situation.logits[:, 0] * (1 if position == 0 else -1)
    if situation.logits.shape[1] > 1:
        others = np.delete(situation.logits, position, axis=1).max(axis=1)
        column = situation.logits[:, position] - others
    shortlist = situation.top(column, _size(n))
    reason = {
        "seed": f"Close to what was given as {name}, before anybody had answered.",
        "likely": f"Looks like {name}, of which few have been found so far.",
    }[purpose]
    for index, utility in zip(shortlist, _falling(len(shortlist)), strict=True):
        yield int(index), purpose, utility, reason


def _near_miss(situation: Situation, n: int) -> Source | None:
    prompts = situation.prompts
    if prompts is None or prompts.negative is None or len(situation.probe.classes_) != 2:
        return None
    against = Prompts(positive=prompts.negative)
    prior = text_prior(against, tuple(situation.probe.classes_), situation.pool, situation.rng)
    if prior is None:
        return None
    shortlist = situation.top(situation.pool.logits(prior.weight, prior.bias)[:, 0], _size(n))
    reason = "Close to a phrase that was given as a near miss: an answer here sharpens the border."
    return (
        (int(index), "near-miss", utility, reason)
        for index, utility in zip(shortlist, _falling(len(shortlist)), strict=True)
    )


def _borderline(situation: Situation, n: int) -> Source:
    logits = situation.logits
    if logits.shape[1] == 1:
        closeness = -np.abs(logits[:, 0])
    else:
        top = np.partition(logits, -2, axis=1)[:, -2:]
        closeness = -np.abs(top[:, 1] - top[:, 0])
    shortlist = situation.top(closeness, _size(n))
    for index, utility in zip(shortlist, np.exp(closeness[shortlist]), strict=True):
        yield int(index), "borderline", float(utility), "The probe cannot tell yet: an answer here moves it most."


def _spread(situation: Situation, n: int, share: float = 1.0) -> Source:
    index = situation.open(situation.pool.sample(2000, situation.rng))
    if not len(index):
        return
    rows = situation.pool.rows(index)
    wanted = min(len(index), int(np.ceil(share * n)) + 20)
    # Clusters that labels cover wait; 200 labels of context keep the number of clusters small.
    seen = situation.seen[-200:]
    picked, utilities = strategy("typical")(None, rows, wanted, situation.rng, seen=seen)
    for position, utility in zip(picked, utilities, strict=True):
        reason = "Typical of a part of the pool where nobody has looked yet."
        yield int(index[position]), "spread", float(utility), reason
    for position in situation.rng.permutation(np.setdiff1d(np.arange(len(index)), picked)):  # the other sources ran dry
        yield int(index[position]), "spread", 0.0, reason


def _by_strategy(situation: Situation, n: int, name: str) -> Source:
    """Another strategy over a shortlist of the pool: its borderline, its likely and a random part."""
    size = _size(n)
    closeness = -np.abs(situation.logits).min(axis=1)
    parts = [situation.top(closeness, size), situation.top(situation.logits[:, 0], size)]
    parts.append(situation.open(situation.pool.sample(3 * size, situation.rng)))
    index = np.unique(np.concatenate(parts))
    if not len(index):
        return
    wanted = min(len(index), 2 * n + 10)
    classes = situation.shares.argmax(axis=1) if len(situation.shares) else np.empty(0)
    picked, utilities = strategy(name)(
        situation.probe, situation.pool.rows(index), wanted, situation.rng, seen=situation.seen, seen_classes=classes
    )
    low, high = float(np.min(utilities)), float(np.max(utilities))
    for position, utility in zip(picked, utilities, strict=True):
        scaled = (float(utility) - low) / (high - low) if high > low else 1.0
        yield int(index[position]), "borderline", scaled, f"Chosen by the strategy {name}."


def _size(n: int) -> int:
    return SHORTLIST + 15 * n


def _falling(size: int) -> list[float]:
    return [1 - position / max(size, 1) for position in range(size)]
