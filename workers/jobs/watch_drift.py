"""The job `drift`: hold the assets that came since publication against those that the champion was published on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import func, select

from attune.labeler.attributes import attributes
from attune.labeler.catalog.promote import publish
from attune.labeler.jobs.jobs import Report
from attune.labeler.records.schema import Alias, Asset, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import CHAMPION
from attune.models.catalog.probe_files import FILE_NAME, read_probe
from attune.models.clock import iso, now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import UnknownProbe
from attune.models.evaluation.score_drift import RULE, Sketch, compare, enough, histogram
from attune.workers.jobs import drift_baseline, score_pool


def run(settings: Settings, report: Report, attribute: str, look: bool = False) -> dict[str, Any]:
    """How far the scores of the champion have moved on new assets; what ``Version.scores["drift"]`` keeps.

    ``look`` is the schedule's own: it is counted, may raise the alarm, and is taken only when the new assets have grown
    enough since the last. Without it the figures are shown and no alarm changes. Raises UnknownAttribute, UnknownProbe
    where there is no champion, CatalogUnreachable.
    """
    report(0, 3)
    version, held, published = _champion(settings, attribute)
    manifest = publish(settings, attribute, version)
    pool = score_pool.open_pool(settings, Fingerprint.from_dict(dict(manifest.encoder)))
    probe = read_probe(Catalog(settings.catalog_address).read(manifest, FILE_NAME))
    report(1, 3)
    first = held.get("baseline") or _late_baseline(settings, pool, probe, manifest.classes, published)
    rows = np.flatnonzero(pool.keys > first["last_key"])
    logits, titles = drift_baseline.scores_of(pool, probe, rows)
    told: dict[str, Any] = {
        "attribute": attribute,
        "version": version,
        "at": iso(now()),
        "published_on": next((one["n"] for one in first["classes"].values()), 0),
        "n": len(rows),
        "titles": len(set(titles)),
        "rule": vars(RULE),
    }
    report(2, 3)
    told["enough"] = bool(first["classes"]) and enough(len(rows), told["titles"])
    told["shifts"] = _shifts(first, logits, titles, manifest.classes, version) if told["enough"] else []
    kept = _record(settings, attribute, version, told, first, look)
    report(3, 3)
    return kept


def _champion(settings: Settings, attribute: str) -> tuple[int, dict[str, Any], datetime]:
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        row = session.scalar(
            select(Version)
            .join(Alias, (Alias.attribute_id == Version.attribute_id) & (Alias.version == Version.version))
            .where(Version.attribute_id == found.id, Alias.alias == CHAMPION)
        )
    if row is None:
        raise UnknownProbe(
            f"{attribute} has no champion, so there is no drift to measure. Publish one: `attune probes promote "
            f"{attribute} latest --reason R`"
        )
    return row.version, dict(row.scores), row.scored_at or row.created_at


def _late_baseline(settings: Settings, pool: Any, probe: Any, classes: Any, published: datetime) -> dict[str, Any]:
    """The baseline of a version that was scored before baselines were kept: the assets that were there then."""
    with reading(settings) as session:
        until = drift_baseline.added_until(session, published)
    if not ((pool.keys >= 0) & (pool.keys <= until)).any():
        return {"at": iso(published), "last_key": until, "classes": {}}
    return drift_baseline.sketches(pool, probe, classes, until)


def _shifts(first: dict[str, Any], logits: Any, titles: list[str], classes: Any, version: int) -> list[dict[str, Any]]:
    found = []
    for i, name in enumerate(drift_baseline.named(classes)):
        sketch = Sketch.from_dict(first["classes"][name])
        shift = compare(name, sketch, logits[:, i], titles, np.random.default_rng([version, i, len(logits)]))
        found.append(shift.to_dict() | {"histogram": histogram(sketch, logits[:, i])})
    return found


def _record(
    settings: Settings, attribute: str, version: int, told: dict[str, Any], first: dict[str, Any], look: bool
) -> dict[str, Any]:
    """Keep the newest figures and, for a look that was due, count it and raise the alarm where the rule says so."""
    with writing(settings) as session:
        row = drift_baseline.version_row(session, attribute, version, lock=True)
        before = dict(row.scores.get("drift") or {})
        looks, looked_at = int(before.get("looks", 0)), int(before.get("looked_at", 0))
        alarm = before.get("alarm")
        due = look and told["n"] >= RULE.next_look(looked_at)
        if due and told["enough"]:
            looks, looked_at = looks + 1, told["n"]
            level = RULE.level(looks, len(told["shifts"]))
            moved = [shift["name"] for shift in told["shifts"] if _alarming(shift, level)]
            if moved and not alarm:
                alarm = {"at": told["at"], "classes": moved, "look": looks, "n": told["n"], "level": level}
        # Also those without a vector, or a look that finds too few would be asked for at every beat.
        added = session.scalar(select(func.count(Asset.id)).where(Asset.id > first["last_key"])) or 0
        seen = added if look else int(before.get("seen", 0))
        kept = told | {"looks": looks, "looked_at": looked_at, "alarm": alarm, "seen": seen}
        row.scores = row.scores | {"drift": kept, "baseline": row.scores.get("baseline") or first}
    return kept


def _alarming(shift: dict[str, Any], level: float) -> bool:
    return bool(shift["psi"] - shift["psi_by_chance"] > RULE.psi and shift["p_value"] < level)
