"""What a reader of the catalog gets: a version's bytes and a version's feature values, checked, by reference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import select

from attune.labeler.catalog.listing import resolve
from attune.labeler.records.schema import Attribute, Version
from attune.labeler.records.session import reading
from attune.labeler.records.version_scores import VersionScores
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.feature_values import SCHEMA
from attune.models.catalog.manifest import FILE_NAME, Manifest, Reference, check_file, read_manifest
from attune.models.errors import DigestMismatch, UnknownProbe
from attune.models.files.atomic import atomic_writer, digest_bytes, digest_json


@dataclass(frozen=True)
class Content:
    """Bytes, the version they belong to and their sha256."""

    version: int
    digest: str
    content: bytes


def manifest_of(settings: Settings, reference: Reference) -> Content:
    """The manifest of the published version that ``reference`` means.

    Raises UnknownProbe, RetiredVersion, DigestMismatch, CatalogUnreachable.
    """
    version, digest = resolve(settings, reference)
    return Content(version, digest, _manifest(settings.catalog_address, reference.name, version, digest))


def file_of(settings: Settings, reference: Reference, file: str) -> Content:
    """One file of the version that ``reference`` means. Raises as ``manifest_of``."""
    check_file(file)
    manifest_content = manifest_of(settings, reference)
    if file == FILE_NAME:
        return manifest_content
    manifest = read_manifest(manifest_content.content)
    content = Catalog(settings.catalog_address).read(manifest, file)
    return Content(manifest_content.version, manifest.files[file].sha256, content)


@lru_cache(maxsize=256)
def _manifest(address: str, name: str, version: int, digest: str) -> bytes:
    # A digest stands for its bytes for ever, so what was read once is right once and for all.
    content = Catalog(address).manifest_bytes(name, version)
    if digest_bytes(content) != digest:
        raise DigestMismatch(
            f"{FILE_NAME} of {name} version {version} was changed in the catalog at {address}. Restore it: "
            "`attune probes heal`"
        )
    return content


@dataclass(frozen=True)
class FeatureFile:
    """A version's feature values as one local Parquet file; ``digest`` changes when they do."""

    version: int
    digest: str
    path: Path


def features_of(settings: Settings, reference: Reference) -> FeatureFile:
    """The feature values of the version that ``reference`` means. Raises UnknownProbe where the pool was not scored."""
    version, _ = resolve(settings, reference)
    parts = _scored_parts(settings, reference.name, version)
    digest = digest_json(parts)
    catalog = Catalog(settings.catalog_address)
    if catalog.folder is not None and len(parts) == 1:
        return FeatureFile(version, digest, Path(catalog.feature_address(reference.name, version, next(iter(parts)))))
    path = settings.pull_cache / "features" / reference.name / f"{version}-{digest[:16]}.parquet"
    if not path.is_file():
        _merge(catalog, reference.name, version, sorted(parts), path)
    return FeatureFile(version, digest, path)


def feature_digest(settings: Settings, reference: Reference) -> str:
    """The digest of ``features_of``, without reading a file. Raises UnknownProbe where the pool was not scored."""
    version, _ = resolve(settings, reference)
    return digest_json(_scored_parts(settings, reference.name, version))


def _scored_parts(settings: Settings, name: str, version: int) -> dict[str, str]:
    with reading(settings) as session:
        scores = session.scalar(
            select(Version.scores)
            .join(Attribute, Attribute.id == Version.attribute_id)
            .where(Attribute.name == name, Version.version == version)
        )
    parts = dict(VersionScores.from_dict(scores).parts)
    if not parts:
        raise UnknownProbe(
            f"{name} version {version} has no feature values yet. The workers of `attune up` score the pool "
            f"after a promotion. To see when they have: `attune probes list {name}`"
        )
    return parts


def _merge(catalog: Catalog, name: str, version: int, parts: list[str], path: Path) -> None:
    """One Parquet file of several, a row group at a time; readers of older ones keep what they have open.

    Parts that were written before a label could be null say so in their schema, and fit beside the others.
    """
    with atomic_writer(path) as file:
        writer = None
        for part in parts:
            with catalog.reading_part(name, version, part) as opened, pq.ParquetFile(opened) as part_file:
                schema = SCHEMA.with_metadata(part_file.schema_arrow.metadata)
                writer = writer or pq.ParquetWriter(file, schema)
                for group in range(part_file.num_row_groups):
                    writer.write_table(part_file.read_row_group(group).cast(writer.schema))
        if writer is not None:
            writer.close()
    for older in path.parent.glob(f"{version}-*.parquet"):
        if older != path:
            older.unlink(missing_ok=True)


def read(settings: Settings, reference: Reference) -> Manifest:
    """The manifest that ``reference`` means, read. Raises as ``manifest_of``."""
    return read_manifest(manifest_of(settings, reference).content)
