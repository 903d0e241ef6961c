"""The job `drift`: hold the assets that came since publication against those that the champion was published on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import func, select

from attune.labeler.attributes import attributes
from attune.labeler.catalog.promote import publish
from attune.labeler.jobs.jobs import Report
from attune.labeler.records.schema import Alias, Asset, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.records.version_scores import Alarm, Baseline, DriftRecord, VersionScores
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import CHAMPION
from attune.models.catalog.probe_files import FILE_NAME, read_probe
from attune.models.clock import iso, now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import UnknownProbe
from attune.models.evaluation.score_drift import RULE, Sketch, compare, has_enough_assets, histogram
from attune.workers.jobs import drift_baseline
from attune.workers.jobs.pool_parts import open_pool


def run(settings: Settings, report: Report, attribute: str, look: bool = False) -> dict[str, Any]:
    """How far the scores of the champion have moved on new assets; what ``VersionScores.drift`` keeps.

    ``look`` is the schedule's own: it is counted, may raise the alarm, and is taken only when the new assets have grown
    enough since the last. Without it the figures are shown and no alarm changes. Raises UnknownAttribute, UnknownProbe
    where there is no champion, CatalogUnreachable.
    """
    report(0, 3)
    version, version_manifest, published = _champion(settings, attribute)
    manifest = publish(settings, attribute, version)
    pool = open_pool(settings, Fingerprint.from_dict(dict(manifest.encoder)))
    probe = read_probe(Catalog(settings.catalog_address).read(manifest, FILE_NAME))
    report(1, 3)
    first = version_manifest.baseline or _late_baseline(settings, pool, probe, manifest.classes, published)
    rows = np.flatnonzero(pool.keys > first.last_key)
    logits, titles = drift_baseline.scores_of(pool, probe, rows)
    report(2, 3)
    title_count = len(set(titles))
    comparable = bool(first.classes) and has_enough_assets(len(rows), title_count)
    record = DriftRecord(
        attribute=attribute,
        version=version,
        at=iso(now()),
        published_on=first.published_on,
        n=len(rows),
        titles=title_count,
        rule=vars(RULE),
        enough=comparable,
        shifts=_shifts(first, logits, titles, manifest.classes, version) if comparable else [],
    )
    recorded = _record(settings, record, first, look)
    report(3, 3)
    return recorded.to_dict()


def _champion(settings: Settings, attribute: str) -> tuple[int, VersionScores, datetime]:
    with reading(settings) as session:
        attribute_row = attributes.find(session, attribute)
        row = session.scalar(
            select(Version)
            .join(Alias, (Alias.attribute_id == Version.attribute_id) & (Alias.version == Version.version))
            .where(Version.attribute_id == attribute_row.id, Alias.alias == CHAMPION)
        )
    if row is None:
        raise UnknownProbe(
            f"{attribute} has no champion, so there is no drift to measure. Publish one: `attune probes promote "
            f"{attribute} latest --reason R`"
        )
    return row.version, VersionScores.from_dict(row.scores), row.scored_at or row.created_at


def _late_baseline(settings: Settings, pool: Any, probe: Any, classes: Any, published: datetime) -> Baseline:
    """The baseline of a version that was scored before baselines were kept: the assets that were there then."""
    with reading(settings) as session:
        until = drift_baseline.added_until(session, published)
    if not ((pool.keys >= 0) & (pool.keys <= until)).any():
        return Baseline(iso(published), until, {})
    return drift_baseline.sketches(pool, probe, classes, until)


def _shifts(first: Baseline, logits: Any, titles: list[str], classes: Any, version: int) -> list[dict[str, Any]]:
    shifts = []
    for i, name in enumerate(drift_baseline.scored_classes(classes)):
        sketch = Sketch.from_dict(first.classes[name])
        shift = compare(name, sketch, logits[:, i], titles, np.random.default_rng([version, i, len(logits)]))
        shifts.append(shift.to_dict() | {"histogram": histogram(sketch, logits[:, i])})
    return shifts


def _record(settings: Settings, record: DriftRecord, first: Baseline, look: bool) -> DriftRecord:
    """Keep the newest figures and, for a look that was due, count it and raise the alarm where the rule says so."""
    with writing(settings) as session:
        row = drift_baseline.version_row(session, record.attribute, record.version, lock=True)
        scores = VersionScores.from_dict(row.scores)
        before = scores.drift or DriftRecord()
        looks, looked_at, alarm = before.looks, before.looked_at, before.alarm
        if look and record.enough and record.n >= RULE.next_look(looked_at):
            looks, looked_at = looks + 1, record.n
            level = RULE.level(looks, len(record.shifts))
            moved = [shift["name"] for shift in record.shifts if _alarming(shift, level)]
            if moved and not alarm:
                alarm = Alarm(record.at, moved, looks, record.n, level)
        # Also those without a vector, or a look that finds too few would be asked for at every beat.
        added = session.scalar(select(func.count(Asset.id)).where(Asset.id > first.last_key)) or 0
        updated = replace(record, looks=looks, looked_at=looked_at, alarm=alarm, seen=added if look else before.seen)
        row.scores = replace(scores, drift=updated, baseline=scores.baseline or first).to_dict()
    return updated


def _alarming(shift: Mapping[str, Any], level: float) -> bool:
    return bool(shift["psi"] - shift["psi_by_chance"] > RULE.psi and shift["p_value"] < level)
