"""The job `score`: a version's feature values of the whole pool, in parts that several workers may do at once."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.catalog.promote import publish
from attune.labeler.catalog.run_facts import find_version
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report
from attune.labeler.records.schema import Asset, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.records.version_scores import Split, VersionScores
from attune.labeler.settings import Settings
from attune.models.catalog import feature_values
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.probe_files import FILE_NAME, read_probe
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.engines.scoring import Scorer, scored
from attune.models.files.atomic import digest_bytes
from attune.workers.jobs import drift_baseline, pool_parts
from attune.workers.jobs.pool_parts import Pool, name_of, open_pool

log = logging.getLogger("attune.score")


def run(
    settings: Settings, report: Report, attribute: str, version: int, part: int | None = None, split: str | None = None
) -> dict[str, Any]:
    """Score the pool with a published version; with ``part`` only those assets. Scoring again replaces the values.

    A pool of several parts is shared among the workers, if any: each part is a job of its own, which names the
    ``split`` that it belongs to, and the last of a split to end records that the version is scored. Values of other
    versions stay. Raises UnknownProbe, CatalogUnreachable.
    """
    manifest = publish(settings, attribute, _version(settings, attribute, version))
    pool = open_pool(settings, Fingerprint.from_dict(dict(manifest.encoder)))
    parts = pool.parts
    if part is None and len(parts) > 1 and jobs.workers_alive(settings, "score"):
        common = {"attribute": attribute, "version": version}
        shared = common | {"split": _split(settings, attribute, version, parts)}
        return common | {"jobs": [jobs.enqueue(settings, "score", part=part_number, **shared) for part_number in parts]}
    if part is None:
        _split(settings, attribute, version, [])  # parts of an earlier one that are still to come decide nothing
    catalog = Catalog(settings.catalog_address, private=settings.catalog_url is None)
    probe = read_probe(catalog.read(manifest, FILE_NAME))
    requested_parts = parts if part is None else [part] if part in parts else []
    if not requested_parts:
        drift_baseline.record_baseline(settings, attribute, version, pool, probe)
    done, total = 0, pool.size(part)
    for part_number in requested_parts:
        scorer = Scorer(manifest, probe, now())
        result = score_part(
            catalog, scorer, pool, part_number, lambda n, base=done: report(base + n, total), settings.engine
        )
        done += result["assets"]
        if _record(settings, attribute, version, part_number, result, parts, split):
            drift_baseline.record_baseline(settings, attribute, version, pool, probe)
            if part is not None and split is not None:
                _drop_others(settings, catalog, attribute, version, pool)
    if part is None:
        _drop_others(settings, catalog, attribute, version, pool)
    log.info("score(%s@%d): %d assets in %d parts", attribute, version, done, len(requested_parts))
    result = {"attribute": attribute, "version": version, "assets": done, "parts": len(requested_parts)}
    return result | {"address": catalog.feature_address(attribute, version)}


def score_part(
    catalog: Catalog, scorer: Scorer, pool: Pool, part: int, report: Any, engine: str = "workers"
) -> dict[str, Any]:
    """Write one part's feature values; how many, and their digest."""
    manifest, assets = scorer.manifest, 0
    each = len(manifest.classes) if len(manifest.classes) > 2 else 1  # rows of an asset
    sink = pa.BufferOutputStream()
    batches = (
        (pa.array(pool.ids[rows].tolist()), pa.array(pool.titles[rows].tolist()), x) for rows, x in pool.steps(part)
    )
    with pq.ParquetWriter(sink, feature_values.schema_of(manifest)) as writer:
        for scores in scored(engine, scorer, batches):
            writer.write_batch(scores)
            assets += scores.num_rows // each
            report(assets)
    content = sink.getvalue().to_pybytes()
    with catalog.writing_part(manifest.attribute, manifest.version, name_of(part)) as file:
        file.write(content)
    return {"assets": assets, "digest": digest_bytes(content)}


def _version(settings: Settings, attribute: str, version: int) -> int:
    with reading(settings) as session:
        return find_version(session, attributes.find(session, attribute), version).version


def _split(settings: Settings, attribute: str, version: int, parts: list[int]) -> str:
    """Note that these parts are to be scored again, each by a job of its own; the split's name."""
    name = secrets.token_hex(8)
    with writing(settings) as session:
        row = session.get_one(Version, _row_id(session, attribute, version), with_for_update=True)
        split = Split(name, [name_of(one) for one in parts])
        row.scores = replace(VersionScores.from_dict(row.scores), split=split).to_dict()
    return name


def _record(
    settings: Settings,
    attribute: str,
    version: int,
    part: int,
    result: dict[str, Any],
    parts: list[int],
    split: str | None,
) -> bool:
    """Note one part in the records; whether every part of the pool is there now, so that the version is scored.

    Where a split continues, the parts of before it do not count: the last of its jobs ends it.
    """
    with writing(settings) as session:
        row = session.get_one(Version, _row_id(session, attribute, version), with_for_update=True)
        scores, name = VersionScores.from_dict(row.scores), name_of(part)
        going_on = scores.split or Split()
        if split == going_on.name:
            going_on = replace(
                going_on, waiting=[part_number for part_number in going_on.waiting if part_number != name]
            )
        scores = replace(
            scores,
            parts={**scores.parts, name: result["digest"]},
            assets={**scores.assets, name: result["assets"]},
            split=going_on if split == going_on.name else scores.split,
        )
        row.scores = scores.to_dict()
        complete = not going_on.waiting and all(name_of(part_number) in scores.parts for part_number in parts)
        if complete:
            row.scored_at = now()
        return complete


def _drop_others(settings: Settings, catalog: Catalog, attribute: str, version: int, pool: Pool) -> None:
    """Take away parts whose assets have all been removed; not those of assets that came since the pool was opened."""
    last = int(pool.keys.max(initial=-1)) // pool_parts.PART
    valid_names = {name_of(one) for one in pool.parts}
    with writing(settings) as session:
        later = select(Asset.id).where(Asset.id >= (last + 1) * pool_parts.PART, Asset.removed_at.is_(None))
        valid_names |= {name_of(key // pool_parts.PART) for key in session.scalars(later)}
        row = session.get_one(Version, _row_id(session, attribute, version), with_for_update=True)
        scores = VersionScores.from_dict(row.scores)
        parts = {name: digest for name, digest in scores.parts.items() if name in valid_names}
        assets = {name: count for name, count in scores.assets.items() if name in valid_names}
        row.scores = replace(scores, parts=parts, assets=assets).to_dict()
    for name in catalog.feature_parts(attribute, version):
        if name not in valid_names:
            catalog.remove_part(attribute, version, name)


def _row_id(session: Any, attribute: str, version: int) -> int:
    return find_version(session, attributes.find(session, attribute), version).id
