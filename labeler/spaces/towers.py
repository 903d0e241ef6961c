"""Versions of a learned space that have an image tower of their own: their vectors are made from the images again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_fingerprint, loaded_encoder
from attune.labeler.records.schema import Asset, SpaceVersion
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EncoderMismatch
from attune.models.similarity.space_manifest import SpaceManifest, from_dict
from attune.models.vectors.vector_store import VectorStore

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder


KIND = "similar"  # of the job that makes the vectors


def none_yet(row: SpaceVersion) -> str:
    """What to say where no image has a vector of the version's own tower."""
    return (
        f"Version {row.version} of {row.name} has a network of its own, and no image went through it yet. To do this, "
        f"and use the version: `attune spaces promote {row.name} {row.version} --reason R`"
    )


def base_of(manifest: SpaceManifest) -> Fingerprint:
    """The pool's encoder that a version was learned with."""
    network = manifest.facts.network
    return Fingerprint.from_dict(dict(manifest.facts.encoder if network is None else network["base"]))


def vectors_of(manifest: SpaceManifest) -> Fingerprint:
    """What makes the vectors that a version reads: the pool's encoder, or the version's own tower."""
    return Fingerprint.from_dict(dict(manifest.facts.encoder))


def check_base(row: SpaceVersion, active: Fingerprint | None) -> None:
    """Raise EncoderMismatch where the version was learned with another encoder than the pool has now."""
    if active is None or base_of(from_dict(row.manifest)).digest != active.digest:
        raise EncoderMismatch(
            f"Version {row.version} of the space {row.name} was learned from vectors of another encoder than the pool "
            f"has now. Learn it again. {learned.HOW}"
        )


def seen(settings: Settings, row: SpaceVersion) -> int:
    """How many images have a vector that the version reads."""
    return len(VectorStore(settings.vectors).ids(vectors_of(from_dict(row.manifest))))


def check_seen(settings: Settings, row: SpaceVersion) -> None:
    """Raise DataError where the version has its own tower, and no image a vector of it: nothing would be similar."""
    if from_dict(row.manifest).facts.network is not None and not seen(settings, row):
        raise DataError(none_yet(row))


def waiting(settings: Settings, session: Session, row: SpaceVersion) -> list[int]:
    """The keys of the images that have no vector of the version's own tower yet; none where it has no tower.

    Raises EncoderMismatch.
    """
    manifest = from_dict(row.manifest)
    if manifest.facts.network is None:
        return []
    check_base(row, active_fingerprint(session))
    alive = select(Asset.asset_id, Asset.id).where(Asset.removed_at.is_(None)).order_by(Asset.id)
    keys = {asset_id: key for asset_id, key in session.execute(alive)}  # noqa: C416  rows of two
    return [keys[id_] for id_ in VectorStore(settings.vectors).missing(vectors_of(manifest), keys)]


def encoder_of(settings: Settings, row: SpaceVersion) -> OpenClipEncoder:
    """The encoder with the version's own tower. Raises EncoderMismatch, CatalogError, and what loading raises."""
    from attune.models.similarity.network_tower import tuned_encoder

    with reading(settings) as session:
        check_base(row, active_fingerprint(session))
    return tuned_encoder(loaded_encoder(settings), learned.tower_of(settings, from_dict(row.manifest)))
