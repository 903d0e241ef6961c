"""The groups that a round leaves for scoping: similar images that the decision line of its probe cuts through."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from attune.labeler.answers import own_errors
from attune.labeler.explore import pool_scores
from attune.labeler.explore.pool_scores import PoolScores
from attune.labeler.people.viewer import TOLD_EVERY
from attune.labeler.records.schema import Run, ScopeDecision
from attune.labeler.records.session import reading
from attune.labeler.scope import groups
from attune.labeler.scope.groups import MOST, Groups
from attune.labeler.settings import Settings, secrets
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.scope.cut_groups import cut_groups, from_line, near_line
from attune.models.scope.group_settings import GroupSettings
from attune.workers.rounds.queue_plan import asked_rows
from attune.workers.rounds.snapshot import Snapshot

Floats = npt.NDArray[np.float64]
AT_ONCE = 50_000  # titles


def leave(settings: Settings, snapshot: Snapshot, number: int) -> bool:
    """Keep groups by the scores of run ``number``; False where those of before still hold, or there are no scores."""
    attribute = snapshot.attribute
    with reading(settings) as session:
        mine = (Run.attribute_id == attribute.id, Run.number == number)
        asked = session.scalar(select(Run.answers - Run.chosen).where(*mine)) or 0
        there = (ScopeDecision.attribute_id == attribute.id, ScopeDecision.undone_at.is_(None))
        decided = [[int(key) for key in shown] for shown in session.scalars(select(ScopeDecision.shown).where(*there))]
        kept = groups.load(session, attribute)
    steps = max(0, asked) // TOLD_EVERY
    scores = pool_scores.load(settings, attribute)
    if scores is None or (kept is not None and kept.holds(attribute.revision, steps)):
        return False
    found = find(snapshot, scores, decided, secrets.load(settings.secrets).audit_key)
    groups.save(settings, attribute.id, Groups(number, attribute.revision, steps, found))
    return True


def find(snapshot: Snapshot, scores: PoolScores, decided: Sequence[Sequence[int]], secret: str) -> list[list[int]]:
    """Keys of the images of each group, the best group first; ``decided`` are those of the groups of before.

    No image of a title that is reserved for audits is in them, and none that somebody answered or was asked about as
    an audit: what is decided of a group becomes answers that are trained on. Nor of a random half of the titles, which
    ``secret`` draws: whatever is missing would else be reserved.
    """
    pool, keys = snapshot.view.pool, snapshot.view.keys
    place = scores.rows(keys)
    allowed = (place >= 0) & (keys >= 0)
    allowed[asked_rows(snapshot)] = False
    allowed &= ~np.isin(keys, [key for shown in decided for key in shown])
    rows = np.flatnonzero(allowed)
    allowed[rows] = ~pool_reserved_mask(pool, rows, snapshot.learner.reserved_share, snapshot.seed)
    rows = np.flatnonzero(allowed)
    allowed[rows] = _half(pool.title_ids[rows], snapshot.attribute.id, secret)
    chosen = GroupSettings()
    margins = from_line(np.where(place >= 0, _margins(scores)[place], 0.0), allowed, chosen.side)
    band = near_line(margins, allowed, chosen.band)
    before = [np.flatnonzero(np.isin(keys, shown)) for shown in decided]
    means = [pool.rows(rows).mean(axis=0) for rows in before if len(rows)]
    found = cut_groups(pool.rows(band), margins[band], pool.title_ids[band], means, MOST, chosen)
    return [_shuffled(keys[band[one.rows]].tolist()) for one in found]


def _half(titles: npt.NDArray[Any], attribute_id: int, secret: str) -> npt.NDArray[np.bool_]:
    """Which of ``titles`` (n,) are in the half that groups are made of, bool (n,)."""
    drawn = np.empty(len(titles), dtype=bool)
    for start in range(0, len(titles), AT_ONCE):  # sorted all at once they would be there five times
        each, place = np.unique(titles[start : start + AT_ONCE], return_inverse=True)
        mine = [own_errors.in_half(secret, f"scope:{attribute_id}:{title}") for title in each]
        drawn[start : start + AT_ONCE] = np.array(mine, dtype=bool)[place]
    return drawn


def _margins(scores: PoolScores) -> Floats:
    """How far each scored image lies on the first class's side, (N,): above 0 it is of that class."""
    summary = scores.summary
    if len(summary.classes) == 2:
        return np.asarray(scores.columns[0].astype(np.float64) - summary.thresholds.get(summary.classes[0], 0.5))
    p = scores.probabilities.astype(np.float64)
    return np.asarray(p[:, 0] - p[:, 1:].max(axis=1), dtype=np.float64)


def _shuffled(keys: Sequence[int]) -> list[int]:
    """In an order that is the same each time and says nothing of the scores."""
    return sorted(keys, key=lambda key: hashlib.sha256(str(key).encode()).hexdigest())
