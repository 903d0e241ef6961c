"""The query: how the next questions are shared out over sources, and which images each source gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.evaluation.audit_design import AuditDesign
from attune.models.labels.answers import AUDIT, SECOND_OPINION
from attune.models.query.candidates import Source, sources
from attune.models.query.context import Situation
from attune.models.vectors.pool import IntArray, Pool

RECENT = 40  # last asked images whose near duplicates wait
APART = 2  # images between two of one title: more would starve a pool in which one title holds many
NEAR_DUPLICATE = 0.97  # cosine above which two images count as one
AUDIT_REASON = "Drawn to measure how good the probe is; never used to train it."


@dataclass(frozen=True)
class Ask:
    """An image to ask about: its pool index and id, why (for people, shown after the answer), and how urgent.

    ``purpose``: one of ``labels.answers.PURPOSES``; ``utility`` in [0, 1], higher means sooner; ``inclusion`` the
    probability of being drawn, for audits only.
    """

    index: int
    asset_id: str
    purpose: str
    utility: float
    reason: str
    inclusion: float | None = None


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
    """Audits at random places among the others, so that no one can tell them by their position."""
    places = set(situation.rng.choice(len(ordered) + len(audits), size=len(audits), replace=False).tolist())
    first, second = iter(audits), iter(ordered)
    return [next(first) if i in places else next(second) for i in range(len(ordered) + len(audits))]


def _audits(situation: Situation, audit: AuditDesign, due: int) -> list[Ask]:
    every = np.arange(len(situation.pool), dtype=np.intp)
    mine = every[situation.reserved(every) & ~situation.hidden_rows]
    return draw_audits(situation.pool, mine, situation.logits[mine].astype(np.float64), audit, due)


def draw_audits(
    pool: Pool,
    mine: IntArray,
    logits: npt.NDArray[np.float64] | None,
    audit: AuditDesign,
    due: int,
    weights: npt.NDArray[np.float64] | None = None,
) -> list[Ask]:
    """Up to ``due`` further audits among the rows ``mine`` (m,) of audit titles that may be shown, ``logits`` (m, k)
    or ``weights`` (m,) as in ``AuditDesign.extend``: all that are left where there are fewer. ``audit`` remembers
    them."""
    ids = pool.asset_ids[mine]
    due = min(due, int((~audit.drawn(ids)).sum()))
    if due <= 0:
        return []
    draws = audit.extend(ids, pool.title_ids[mine], logits, due, weights)
    return [Ask(int(mine[i]), str(pool.asset_ids[mine[i]]), AUDIT, 1.0, AUDIT_REASON, float(p)) for i, p in draws]


def _second_opinion(situation: Situation, index: int) -> Ask:
    reason = "Another expert already answered this image. A second answer makes the label more certain."
    return Ask(int(index), str(situation.pool.asset_ids[index]), SECOND_OPINION, 1.0, reason)


def _learning(situation: Situation, n: int, strategy_name: str) -> list[Ask]:
    if n <= 0:
        return []
    return pick_from_sources(situation, n, sources(situation, n, strategy_name))


def pick_from_sources(
    situation: Situation, n: int, weighted_sources: list[tuple[float, Source]], apart: int = APART
) -> list[Ask]:
    """Take from the sources in proportion to their shares; a title met at most ``apart`` images ago waits for its turn,
    near duplicates until nothing else is left.
    """
    selection = _Selection(situation, apart)
    resting: list[tuple[int, Ask]] = []
    copies: list[Ask] = []
    owed = np.zeros(len(weighted_sources))
    shares = np.array([share for share, _ in weighted_sources])
    alive = np.ones(len(weighted_sources), dtype=bool)
    asks: list[Ask] = []
    while len(asks) < n and alive.any():
        live = shares * alive
        owed += live / live.sum() if live.sum() else alive / alive.sum()
        rested = next((i for i, (_, ask) in enumerate(resting) if not selection.title_is_recent(ask.index)), None)
        if rested is not None:
            turn, ask = resting.pop(rested)
        else:
            turn = int(np.where(alive, owed, -np.inf).argmax())
            candidate = next(weighted_sources[turn][1], None)
            if candidate is None:
                alive[turn] = False
                continue
            ask = Ask(candidate[0], str(situation.pool.asset_ids[candidate[0]]), *candidate[1:])
        if selection.has(ask.index):
            continue
        if selection.title_is_recent(ask.index):
            resting.append((turn, ask))
        elif selection.is_near_duplicate(ask.index):
            copies.append(ask)
        else:
            owed[turn] -= 1
            selection.add(ask.index)
            asks.append(ask)
    # A pool of few titles, or of copies, must still give work.
    return asks + selection.take_first([ask for _, ask in resting] + copies, n - len(asks))


class _Selection:
    """What this plan has taken and what was asked just before: their titles and near duplicates must wait."""

    def __init__(self, situation: Situation, apart: int) -> None:
        self.pool, self.apart = situation.pool, apart
        recent = situation.asked[-RECENT:]
        self.titles: list[str] = self.pool.title_ids[recent].tolist()
        self.rows = list(self.pool.rows(recent))
        self.indices: set[int] = set()

    def has(self, index: int) -> bool:
        return index in self.indices

    def add(self, index: int) -> None:
        self.indices.add(index)
        self.titles.append(str(self.pool.title_ids[index]))
        self.rows.append(self.pool.rows([index])[0])

    def take_first(self, asks: list[Ask], n: int) -> list[Ask]:
        """Take the first ``n`` of ``asks`` that were not taken yet."""
        result: list[Ask] = []
        for ask in asks:
            if len(result) < n and not self.has(ask.index):
                self.add(ask.index)
                result.append(ask)
        return result

    def title_is_recent(self, index: int) -> bool:
        """Whether its title was met too short a while ago."""
        return str(self.pool.title_ids[index]) in self.titles[len(self.titles) - self.apart :]

    def is_near_duplicate(self, index: int) -> bool:
        """Whether it is nearly the same image as one met of late."""
        if not self.rows:
            return False
        return float(np.max(np.stack(self.rows) @ self.pool.rows([index])[0])) > NEAR_DUPLICATE
