"""`assets add` from end to end: find, look, record, import vectors, have the rest embedded. Safe to run again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import select

from attune.labeler.assets import active_encoder, image_uris
from attune.labeler.assets.asset_table import read_manifest
from attune.labeler.assets.duplicates import copy_from_duplicates
from attune.labeler.assets.pool_size import pool_size
from attune.labeler.assets.proposed import Candidate, VectorNames, from_files
from attune.labeler.assets.reach import Reach
from attune.labeler.assets.register import inspect_candidates, known_digests, register
from attune.labeler.assets.scan import scan
from attune.labeler.assets.summary import Summary
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import migrate, reading, writing
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, UnreadableItem
from attune.models.vectors.vector_files import VectorFile, read_vectors
from attune.models.vectors.vector_store import VectorStore

CHUNK = 256  # images in one transaction
EMBED_CHUNK = 512  # images in one job: enough that loading the encoder does not count
NEW_VECTORS = (
    "If one encoder made both, name the fingerprint that the workspace keeps: --fingerprint {kept}. If not, "
    "use another workspace (--workspace)."
)


@dataclass(frozen=True)
class Request:
    """What `assets add` was asked for."""

    paths: Sequence[str]
    manifest: Path | None = None
    vectors: Path | None = None
    fingerprint: Path | None = None
    restore: bool = False
    wait: bool = True
    reach: Reach | None = None  # where the PATHs and the rows of the manifest may lead; None: what settings allow


def add(settings: Settings, request: Request, reading_bar: Report = quiet, embedding_bar: Report = quiet) -> Summary:
    """Take images into the pool and return what became of each.

    Raises UnreadableItem for a manifest or vector file that cannot be used as a whole, EncoderMismatch for vectors of
    another encoder, WeightsUnavailable where images need an encoder that is not here. In each case nothing was added.
    """
    migrate(settings)
    summary = Summary()
    vector_file = _given_vectors(settings, request)
    candidates = _candidates(settings, request, summary)
    if vector_file is None and candidates:
        _check_encoder(settings)
    if vector_file is not None:
        _check_match(settings, vector_file, candidates)
    adding = _Adding(settings, request, summary, vector_file, VectorStore(settings.vectors))
    keys = adding.run(candidates, reading_bar)
    adding.embed(keys, embedding_bar)
    _count_pool(settings, summary)
    return summary


@dataclass
class _Adding:
    settings: Settings
    request: Request
    summary: Summary
    given: VectorFile | None
    store: VectorStore

    def run(self, candidates: Sequence[Candidate], report: Report) -> list[int]:
        """Record the candidates chunk by chunk, import their vectors; the primary keys of those still without one."""
        job_list: list[dict[str, int]] = []
        refused: list[Candidate] = []
        for start in range(0, len(candidates), CHUNK):
            chunk = candidates[start : start + CHUNK]
            assets = self._record(chunk)
            job_list.append({asset.asset_id: asset.id for asset in assets.values()})
            refused += [candidate for candidate in chunk if candidate not in assets]
            report(min(start + CHUNK, len(candidates)), len(candidates))
        # Only now is it known which images there are: an id of the file may mean one of a later chunk, or none.
        names = None if self.given is None else VectorNames(self.given.ids, _images(self.settings, refused))
        keys: list[int] = []
        used: set[int] = set()
        for some in job_list:
            assets_of_it = _assets(self.settings, list(some.values()))
            used |= self._import(assets_of_it, names)
            missing = self._without_vector(assets_of_it)
            self._unclear([asset for asset in assets_of_it if asset.id in set(missing)], names)
            keys += missing
        if self.given is not None:
            self.summary.vectors_without_image = len(self.given.ids) - len(used) - len(self.summary.vectors_unclear)
            self.summary.vectors_left_out = self.given.left_out
        return keys

    def _record(self, chunk: Sequence[Candidate]) -> dict[Candidate, Asset]:
        with reading(self.settings) as session:
            known_assets = known_digests(session, chunk)
        inspected = []
        for candidate, outcome in zip(chunk, inspect_candidates(self.settings, chunk, known_assets), strict=True):
            if isinstance(outcome, UnreadableItem):
                self.summary.refuse(candidate.name, outcome)
            else:
                inspected.append(outcome)
        with FileLock(self.settings.workspace / "assets.lock", timeout=300), writing(self.settings) as session:
            registered = register(session, inspected, self.request.restore, self.summary, Reach.of(self.settings))
            if self.given is not None and registered and active_encoder.active_fingerprint(session) is None:
                active_encoder.activate(session, self.given.fingerprint)
        return registered

    def _import(self, assets: Sequence[Asset], names: VectorNames | None) -> set[int]:
        if self.given is None or names is None:
            return set()
        rows_by_id = {asset.asset_id: names.row(asset.asset_id, image_uris.file_name(asset.uri)) for asset in assets}
        rows = {asset_id: row for asset_id, row in rows_by_id.items() if row is not None}
        vectors = self.given.vectors[list(rows.values())]
        self.summary.vectors_imported += self.store.append(self.given.fingerprint, list(rows), vectors)
        return set(rows.values())

    def _unclear(self, assets: Sequence[Asset], names: VectorNames | None) -> None:
        """Name the ids of the file that these images without a vector share with others."""
        for asset in assets if names is not None else ():
            shared = names.unclear(asset.asset_id, image_uris.file_name(asset.uri)) if names else None
            if shared is not None:
                self.summary.vectors_unclear[shared[0]] = sorted(shared[1])

    def _without_vector(self, assets: Sequence[Asset]) -> list[int]:
        with reading(self.settings) as session:
            active = active_encoder.active_fingerprint(session)
            if active is None:
                return [asset.id for asset in assets]
            missing = set(self.store.missing(active, [asset.asset_id for asset in assets]))
            waiting = [asset for asset in assets if asset.asset_id in missing]
            if waiting:
                self.summary.vectors_copied += copy_from_duplicates(session, self.store, active, waiting)
                missing = set(self.store.missing(active, sorted(missing)))
        return [asset.id for asset in waiting if asset.asset_id in missing]

    def embed(self, keys: list[int], report: Report) -> None:
        """Have the images without a vector embedded, by the workers where they live; name those that cannot be."""
        with reading(self.settings) as session:
            active = active_encoder.active_fingerprint(session)
            if active is not None and active.is_external:
                self.summary.without_vector = _asset_ids(self.settings, keys)
                keys = []
        if keys and not jobs.workers_alive(self.settings, "embed"):
            self._note(jobs.run_here(self.settings, "embed", report, batch=keys))
        elif keys:
            chunks = [keys[start : start + EMBED_CHUNK] for start in range(0, len(keys), EMBED_CHUNK)]
            self.summary.jobs = [jobs.enqueue(self.settings, "embed", batch=chunk) for chunk in chunks]
            for number, job in enumerate(self.summary.jobs if self.request.wait else ()):
                self._note(jobs.follow(self.settings, job, _shifted(report, number * EMBED_CHUNK, len(keys))))

    def _note(self, result: dict[str, Any]) -> None:
        self.summary.embedded += result["embedded"]
        self.summary.vectors_copied += result["copied"]
        for item in result["left_out"]:
            self.summary.refuse(item["item"], UnreadableItem(item["message"], item["reason"]))
            self.summary.without_vector.append(item["item"])


def _shifted(report: Report, before: int, total: int) -> Report:
    return lambda done, _: report(before + done, total)


def _given_vectors(settings: Settings, request: Request) -> VectorFile | None:
    if request.vectors is None:
        if request.fingerprint is not None:
            raise DataError(
                "--fingerprint describes the encoder of --vectors FILE, but --vectors is missing. Give both or neither."
            )
        return None
    fingerprint = None if request.fingerprint is None else Fingerprint.from_file(request.fingerprint)
    vector_file = read_vectors(request.vectors, fingerprint)
    with reading(settings) as session:
        active = active_encoder.active_fingerprint(session)
    if active is not None:
        fingerprint_path = settings.vectors / active.digest / "fingerprint.json"
        active.require(vector_file.fingerprint, "The pool's encoder", NEW_VECTORS.format(kept=fingerprint_path))
    return vector_file


def _check_encoder(settings: Settings) -> None:
    """Weights that are unavailable stop the command before anything is added."""
    with reading(settings) as session:
        active = active_encoder.active_fingerprint(session)
    if active is None or not active.is_external:
        active_encoder.check_settings(settings, active)


def _candidates(settings: Settings, request: Request, summary: Summary) -> list[Candidate]:
    reach = request.reach or Reach.of(settings)
    if request.manifest is not None:
        manifest = read_manifest(request.manifest, request.paths, lambda uris: _known_uris(settings, uris), reach)
        summary.repeated = manifest.repeated
        for item, error in manifest.refused:
            summary.refuse(item, error)
        listed_uris = {candidate.uri for candidate in manifest.candidates}
        scanned = scan(request.paths, reach)
        summary.not_in_manifest = sum(file.uri not in listed_uris for file in scanned.files)
        for item, error in scanned.refused:
            summary.refuse(item, error)
        return manifest.candidates
    scanned = scan(request.paths, reach)
    summary.passed_over = scanned.passed_over
    for note, file in scanned.notes:
        summary.note([note], file)
    candidates, unnamed = from_files(scanned.files, _known_uris(settings, {file.uri for file in scanned.files}))
    for item, error in [*scanned.refused, *unnamed]:
        summary.refuse(item, error)
    return candidates


def _known_uris(settings: Settings, uris: set[str]) -> dict[str, str]:
    with reading(settings) as session:
        rows: Iterator[Any] = iter(session.execute(select(Asset.uri, Asset.asset_id).execution_options(yield_per=5000)))
        return {now: asset_id for uri, asset_id in rows if (now := image_uris.as_now(uri)) in uris}


def _images(settings: Settings, refused: Sequence[Candidate]) -> Iterator[tuple[str, str]]:
    """asset_id and file name of the whole pool; of images that were refused, which may be meant too, uri and name."""
    with reading(settings) as session:
        query = select(Asset.asset_id, Asset.uri).where(Asset.removed_at.is_(None))
        for asset_id, uri in session.execute(query.execution_options(yield_per=5000)):
            yield asset_id, image_uris.file_name(uri)
    yield from ((candidate.uri, candidate.name) for candidate in refused)


def _check_match(settings: Settings, vector_file: VectorFile, candidates: Sequence[Candidate]) -> None:
    """Raise DataError where no vector belongs to any image, before the first of them decides the pool's encoder."""
    names = VectorNames(
        vector_file.ids, [(choice, candidate.name) for candidate in candidates for choice in candidate.ids[:1]]
    )
    there = set(vector_file.ids)
    if not candidates or any(
        there.intersection(candidate.ids) or names.row(candidate.ids[0], candidate.name) is not None
        for candidate in candidates
    ):
        return
    unclear = next(
        (unclear_rows for candidate in candidates if (unclear_rows := names.unclear(candidate.ids[0], candidate.name))),
        None,
    )
    with reading(settings) as session:
        if unclear and active_encoder.active_fingerprint(session) is not None:
            return
    why = f" {unclear[0]!r} fits {' and '.join(unclear[1][:3])}." if unclear else ""
    raise DataError(
        f"None of the {len(vector_file.ids):,} vectors belongs to one of the {len(candidates):,} images.{why} The "
        f"vectors have the ids {_some(vector_file.ids)}; the images have "
        f"{_some([item.ids[0] for item in candidates])}. An id must be the asset_id, or the file's name with or "
        "without its suffix. To give images other ids, add an asset table: --manifest FILE"
    )


def _some(ids: Sequence[str]) -> str:
    return ", ".join(repr(id_) for id_ in ids[:3]) + (", …" if len(ids) > 3 else "")


def _assets(settings: Settings, keys: Sequence[int]) -> list[Asset]:
    with reading(settings) as session:
        return list(session.scalars(select(Asset).where(Asset.id.in_(keys)).order_by(Asset.id)))


def _asset_ids(settings: Settings, keys: Sequence[int]) -> list[str]:
    asset_ids: list[str] = []
    with reading(settings) as session:
        for start in range(0, len(keys), 500):
            query = select(Asset.asset_id).where(Asset.id.in_(keys[start : start + 500])).order_by(Asset.id)
            asset_ids += session.scalars(query)
    return asset_ids


def _count_pool(settings: Settings, summary: Summary) -> None:
    with reading(settings) as session:
        summary.pool = pool_size(session)
        active = active_encoder.active_fingerprint(session)
    summary.encoder = None if active is None else active.digest
