"""The embed job: give assets their vectors, a batch at a time, so that it can be killed and asked again at any time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_fingerprint, loaded_encoder, prompt_vectors
from attune.labeler.assets.duplicates import copy_from_duplicates
from attune.labeler.assets.engine_batches import encoded_in_batches, read_place
from attune.labeler.assets.reach import Reach
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.encoders.embedding import ImageToEmbed
from attune.models.engines.embedding import Place
from attune.models.vectors.vector_store import VectorStore

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder

__all__ = ["prompt_vectors", "run"]
log = logging.getLogger("attune.embed")
KEYS_AT_ONCE = 500


def run(settings: Settings, report: Report = quiet, batch: list[int] | None = None) -> dict[str, Any]:
    """Embed the assets with the primary keys ``batch``, or all, that have no vector of the active encoder yet.

    Returns ``{"embedded", "copied", "left_out": [{"item", "reason", "message"}]}``. Images that vanished or changed are
    left out by name. Ready-made vectors have no encoder: then there is nothing to do. Raises what loading it raises.
    """
    result: dict[str, Any] = {"embedded": 0, "copied": 0, "left_out": []}
    with reading(settings) as session:
        active = active_fingerprint(session)
        waiting = _assets(session, batch)
    if not waiting or (active is not None and active.is_external):
        return result
    store = VectorStore(settings.vectors)
    if active is not None:
        waiting, result["copied"] = _without_vector(settings, store, active, waiting)
    if waiting:
        _embed(settings, loaded_encoder(settings), waiting, result, report)
    return result


def fill(settings: Settings, encoder: OpenClipEncoder, report: Report = quiet) -> dict[str, Any]:
    """Embed all assets that have no vector of ``encoder``, active or not; the result as of ``run``."""
    result: dict[str, Any] = {"embedded": 0, "copied": 0, "left_out": []}
    with reading(settings) as session:
        waiting = _assets(session, None)
    if waiting:
        store = VectorStore(settings.vectors)
        waiting, result["copied"] = _without_vector(settings, store, encoder.fingerprint, waiting)
    if waiting:
        _embed(settings, encoder, waiting, result, report)
    return result


def _embed(
    settings: Settings, encoder: OpenClipEncoder, waiting: list[Asset], result: dict[str, Any], report: Report
) -> None:
    """Embed ``waiting`` batch by batch, each on disk before the next; adds to ``result``."""
    store = VectorStore(settings.vectors)
    first, twins = _one_of_each(waiting)
    for batch in encoded_in_batches(settings, encoder, places(first)):
        result["embedded"] += store.append(encoder.fingerprint, batch.ids, batch.vectors)
        result["left_out"] += batch.left_out
        report(batch.done, len(first))
    with reading(settings) as session:
        result["copied"] += copy_from_duplicates(session, store, encoder.fingerprint, twins)
    for item in result["left_out"]:
        log.warning("left out: %s", item["message"])


def _assets(session: Session, batch: Sequence[int] | None) -> list[Asset]:
    alive = select(Asset).where(Asset.removed_at.is_(None)).order_by(Asset.id)
    if batch is None:
        return list(session.scalars(alive))
    chunks = (batch[start : start + KEYS_AT_ONCE] for start in range(0, len(batch), KEYS_AT_ONCE))
    return [asset for chunk in chunks for asset in session.scalars(alive.where(Asset.id.in_(chunk)))]


def _without_vector(
    settings: Settings, store: VectorStore, fingerprint: Any, assets: list[Asset]
) -> tuple[list[Asset], int]:
    """Those still without a vector after copying from the same image under another id, and how many were copied."""
    missing = set(store.missing(fingerprint, [asset.asset_id for asset in assets]))
    waiting = [asset for asset in assets if asset.asset_id in missing]
    copied = 0
    with reading(settings) as session:
        for start in range(0, len(waiting), KEYS_AT_ONCE):
            copied += copy_from_duplicates(session, store, fingerprint, waiting[start : start + KEYS_AT_ONCE])
    if copied:
        missing = set(store.missing(fingerprint, sorted(missing)))
    return [asset for asset in waiting if asset.asset_id in missing], copied


def _one_of_each(assets: Sequence[Asset]) -> tuple[list[Asset], list[Asset]]:
    """One asset of each content, and the others."""
    first: dict[str, Asset] = {}
    others = [asset for asset in assets if first.setdefault(asset.digest, asset) is not asset]
    return list(first.values()), others


def pictures(settings: Settings, assets: Sequence[Asset]) -> list[ImageToEmbed]:
    """Assets as what is embedded."""
    return [ImageToEmbed(asset.asset_id, partial(read_asset, settings, asset), settings.max_pixels) for asset in assets]


def read_asset(settings: Settings, asset: Asset) -> bytes:
    """The bytes of an asset's image.

    Raises UnreadableItem where it vanished, is another than was added, or lies where images may not come from now.
    """
    return read_place(Reach.of(settings), asset.asset_id, asset.uri, asset.digest)


def places(assets: Sequence[Asset]) -> list[Place]:
    """Where the images of assets lie, for whatever engine reads them."""
    return [Place(asset.asset_id, asset.uri, asset.digest) for asset in assets]
