"""The distribution of a version's scores over the pool as it was at publication, held against later assets'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from sqlalchemy import func, select

from attune.labeler.attributes import attributes
from attune.labeler.catalog.run_facts import find_version
from attune.labeler.records.schema import Asset, Job, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.records.version_scores import Baseline, VersionScores
from attune.labeler.settings import Settings
from attune.models.catalog.probe_files import ProbeWeights
from attune.models.clock import iso, now
from attune.models.evaluation.score_drift import Sketch
from attune.workers.jobs.pool_parts import STEP, Pool

MOST = 200_000  # assets that a sketch is made of, evenly chosen where there are more


def record_baseline(settings: Settings, attribute: str, version: int, pool: Pool, probe: ProbeWeights) -> None:
    """After a scoring: note how far the pool was scored, and the first time keep the sketches of every class."""
    baseline = None
    with reading(settings) as session:
        version_scores = version_row(session, attribute, version)
        newest, busy = _newest(session)
        classes = list(version_scores.manifest["classes"])
    last_key = int(pool.keys.max()) if len(pool.keys) and pool.keys.max() >= 0 else 0
    if not VersionScores.from_dict(version_scores.scores).baseline and (pool.keys >= 0).any():
        baseline = sketches(pool, probe, classes, until=last_key)
    with writing(settings) as session:
        row = version_row(session, attribute, version, lock=True)
        scores = VersionScores.from_dict(row.scores)
        # While images are being embedded the newest have no vector yet: the next scoring must look at them again.
        until = last_key if busy else max(last_key, newest)
        row.scores = replace(scores, scored_until=until, baseline=scores.baseline or baseline).to_dict()


def sketches(pool: Pool, probe: ProbeWeights, classes: Sequence[str], until: int) -> Baseline:
    """The sketch of each class over the assets with keys up to ``until``."""
    rows = np.flatnonzero((pool.keys >= 0) & (pool.keys <= until))
    logits, titles = scores_of(pool, probe, rows[:: max(1, -(-len(rows) // MOST))])
    sketches_by_class = {
        name: Sketch.of(logits[:, i], titles).to_dict() | {"n": len(rows)}
        for i, name in enumerate(scored_classes(classes))
    }
    return Baseline(iso(now()), until, sketches_by_class)


def scores_of(pool: Pool, probe: ProbeWeights, rows: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Calibrated log-odds of each class, float64 (m, k), of some rows (m,) of the pool, ascending, and their titles."""
    blocks = [log_odds(probe.logits(block).astype(np.float64)) for block in _vectors(pool, rows)]
    found = np.concatenate(blocks) if blocks else np.empty((0, 1 if probe.classes == 2 else probe.classes))
    return found, [str(title) for title in pool.titles[rows]]


def log_odds(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The log-odds of each class against the others (m, k): of two classes the logit itself."""
    if logits.shape[1] == 1:
        return logits
    others = [logsumexp(np.delete(logits, i, axis=1), axis=1) for i in range(logits.shape[1])]
    return np.asarray(logits - np.stack(others, axis=1), dtype=np.float64)


def _vectors(pool: Pool, rows: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.float32]]:
    start = 0
    for block in pool.blocks:
        here = rows[(rows >= start) & (rows < start + len(block))] - start
        for at in range(0, len(here), STEP):
            yield block[here[at : at + STEP]].astype(np.float32)
        start += len(block)


def scored_classes(classes: Sequence[str]) -> Sequence[str]:
    """The classes that have a score of their own: of two only the first."""
    return classes[:1] if len(classes) == 2 else classes


def added_until(session: Any, moment: datetime) -> int:
    """The key of the newest asset that was there at ``moment``; 0 where there was none."""
    return session.scalar(select(func.max(Asset.id)).where(Asset.added_at <= moment)) or 0


def _newest(session: Any) -> tuple[int, bool]:
    """The newest asset's key, and whether images are being embedded."""
    embedding = select(Job.id).where(Job.kind == "embed", Job.state.in_(("queued", "running")))
    return session.scalar(select(func.max(Asset.id))) or 0, session.scalar(embedding.limit(1)) is not None


def version_row(session: Any, attribute: str, version: int, lock: bool = False) -> Version:
    """The published version's row, held until the transaction ends with ``lock``."""
    found = find_version(session, attributes.find(session, attribute), version)
    if lock:
        session.refresh(found, with_for_update=True)
    return found
