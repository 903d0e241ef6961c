"""What a round has no time for: how varied the answers are, where no one has looked, the probe beside a person.

Worked out every few answers after the queues are in order, and kept in the newest run's advice for the pages to read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.labeler.records.run_advice import Outlook, PoolRegion, RunAdvice
from attune.labeler.records.schema import Run
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.labels.agreement import panel_parity
from attune.models.labels.agreement_sample import comparable
from attune.models.labels.answers import AUDIT
from attune.models.labels.panel import Panel
from attune.models.probes.priors import Prompts
from attune.models.query.diversity import Region, coverage, diversity_score
from attune.workers.rounds.second_opinions import out_of_sample
from attune.workers.rounds.snapshot import Snapshot

# Answers between two, and of many a share of them: ten more fits of 12,000 labels take 30 s.
SLOW_EVERY, SLOW_SHARE = 10, 0.01
REGIONS, SHOWN, EXAMPLES = 24, 6, 6


def due(snapshot: Snapshot) -> bool:
    """Whether enough was answered, or excluded, since the last one."""
    before = snapshot.advice.outlook
    answers = -SLOW_EVERY if before is None or before.answers is None else before.answers
    return bool(snapshot.count) and not 0 <= snapshot.count - answers < max(SLOW_EVERY, SLOW_SHARE * snapshot.count)


def are_many(snapshot: Snapshot) -> bool:
    """Whether the answers are so many that these figures wait for a share of them."""
    return SLOW_SHARE * snapshot.count > SLOW_EVERY


def record_forecast(settings: Settings, snapshot: Snapshot, number: int, prompts: Prompts | None) -> None:
    """Work the outlook out and add it to run ``number`` of the attribute."""
    found = forecast(snapshot, prompts)
    with writing(settings) as session:
        run = session.query(Run).filter_by(attribute_id=snapshot.attribute.id, number=number).one()
        run.advice = replace(RunAdvice.from_dict(run.advice), outlook=found).to_dict()


def forecast(snapshot: Snapshot, prompts: Prompts | None) -> Outlook:
    """Diversity in [0, 1], the regions of the pool least looked at, panel parity."""
    labels, pool = snapshot.training, snapshot.view.pool
    rows = pool.positions(labels.asset_ids)
    positions = np.flatnonzero(rows >= 0)
    rows, positive = rows[positions], labels.shares[positions, 0]
    return Outlook(
        answers=snapshot.count,
        diversity=round(diversity_score(pool.rows(rows), positive > 0.5, snapshot.seed), 4) if len(rows) else 0.0,
        regions=tuple(_region_with_examples(snapshot, region) for region in regions(snapshot, rows, positive)[:SHOWN]),
        parity=parity(snapshot, prompts),
    )


def regions(snapshot: Snapshot, rows: npt.NDArray[np.intp], positive: npt.NDArray[np.float64]) -> list[Region]:
    """The pool's regions, those least looked at first; one for each 25 images, at most ``REGIONS``."""
    wanted = int(np.clip(len(snapshot.view.pool) // 25, 1, REGIONS))
    return coverage(snapshot.view.pool, rows, positive, snapshot.seed, wanted, 4 * EXAMPLES)


def _region_with_examples(snapshot: Snapshot, region: Region) -> PoolRegion:
    """A region with typical images that anyone may see and that no audit is drawn from."""
    rows = snapshot.view.pool.positions(region.examples)
    apart = pool_reserved_mask(snapshot.view.pool, rows, snapshot.learner.reserved_share, snapshot.seed) | (
        snapshot.view.keys[rows] < 0
    )
    examples = [asset for asset, hidden in zip(region.examples, apart.tolist(), strict=True) if not hidden]
    return PoolRegion(round(region.share, 4), region.labels, round(region.positive, 2), examples[:EXAMPLES])


def parity(snapshot: Snapshot, prompts: Prompts | None) -> dict[str, Any]:
    """How well an expert predicts the others and how well the probe does, on the answers that it may learn from.

    The probe's side is cross-fitted by title: it never learned from the title that it is asked about, but for what
    all answers together say of how far to rely on whom.
    """
    learned = set(snapshot.training.asset_ids)  # not what a person chose or imported of an audit title
    # On images asked again out of doubt everyone looks worse, on those that one chose oneself better.
    shared = comparable(snapshot.answers, snapshot.own, snapshot.seed)
    told_of = [answer for answer in shared if answer.purpose != AUDIT and answer.asset_id in learned]
    panel = Panel.of(told_of, snapshot.attribute.classes)
    result = panel_parity(panel, out_of_sample(snapshot, panel, prompts), snapshot.seed)
    return {
        "expert": result.expert.to_dict(),
        "probe": result.probe.to_dict(),
        "difference": result.difference.to_dict(),
    }
