"""The scores that a round leaves for the pages: every image of the pool under the newest run's probe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import select

from attune.labeler.explore import pool_scores
from attune.labeler.explore.pool_scores import RankedRight
from attune.labeler.people.viewer import TOLD_EVERY
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Run
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import ProbeWeights, read_probe
from attune.models.evaluation.holdout import class_share
from attune.models.probes.calibration import apply
from attune.workers.rounds import round_figures
from attune.workers.rounds.snapshot import Snapshot

AT_ONCE = 65_536  # images
# Of so many audit images, so many of the highest ranked: half at most, or it would count how common the class is.
STEPS = ((40, 20), (20, 10))


def leave(settings: Settings, snapshot: Snapshot, number: int) -> bool:
    """Score the pool with the probe of run ``number`` and keep the scores; False where they are kept already."""
    there = np.flatnonzero(snapshot.view.keys >= 0)
    keys, kept = snapshot.view.keys[there], pool_scores.load(settings, snapshot.attribute)
    # Their number alone would miss an image that was added where another was removed.
    if kept is not None and kept.summary.run == number and np.array_equal(kept.keys, np.sort(keys)):
        return False
    with reading(settings) as session:
        mine = (Run.attribute_id == snapshot.attribute.id, Run.number == number)
        asked = Run.answers - Run.chosen
        content, told, answers = session.execute(select(Run.probe, Run.advice, asked).where(*mine)).one()
    weights = read_probe(content)
    raw = snapshot.view.pool.logits(weights.weight, weights.bias)
    p = np.empty((len(there), len(snapshot.attribute.classes)), dtype=np.float32)
    for start in range(0, len(there), AT_ONCE):
        some = raw[there[start : start + AT_ONCE]].astype(np.float64)
        p[start : start + AT_ONCE] = apply(weights.calibration, some)
    pool_scores.save(
        settings,
        snapshot.attribute,
        number,
        keys,
        p,
        RunAdvice.from_dict(told).thresholds or {},
        ranked_right(snapshot, weights),
        max(0, answers) // TOLD_EVERY,
    )
    return True


def ranked_right(snapshot: Snapshot, weights: ProbeWeights) -> dict[str, RankedRight]:
    """By class how many of the highest ranked audit images are of it: images that the probe has not learned from."""
    audited, inclusion = round_figures.audit_answers(snapshot)
    decided = np.flatnonzero(audited.decided()) if len(audited) else np.empty(0, dtype=np.intp)
    n, classes = len(decided), snapshot.attribute.classes
    of = next((of for least, of in STEPS if n >= least), 0)
    if not of:
        return {name: RankedRight(n) for name in classes}
    names: Sequence[str] = [audited.asset_ids[i] for i in decided]
    raw = snapshot.view.pool.logits_at(snapshot.view.pool.positions(names), weights.weight, weights.bias)
    p, truth = apply(weights.calibration, raw.astype(np.float64)), audited.majority()[decided]
    found, chances = {}, inclusion[decided]
    even = bool(np.allclose(chances, chances[0]))
    titles = [audited.title_ids[i] for i in decided]
    for i, name in enumerate(classes):
        highest = np.argsort(-p[:, i], kind="stable")[:of]
        chance = of * float((truth == i).mean())
        share = class_share(truth == i, titles, chances, snapshot.seed)
        right = int((truth[highest] == i).sum())
        found[name] = RankedRight(n, of, right, round(chance, 4), share.value, share.lo, share.hi, even)
    return found
