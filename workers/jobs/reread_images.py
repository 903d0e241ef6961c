"""The job `reread`: after a newer version of the reading, look at each older image once and embed what it shows again.

Vectors come first and the records after them, so that a job killed between the two does the same again. The encoder
stays what it is: its fingerprint, and the probes made with it, hold. Experts saw the image in their browser as the
newer reading has it, so their answers hold too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from attune.labeler.answers import change
from attune.labeler.assets.active_encoder import active_fingerprint, loaded_encoder
from attune.labeler.assets.media import drop_thumbnails
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import Alias, Asset, Attribute, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import CHAMPION
from attune.models.clock import now
from attune.models.encoders.embedding import READERS, embed_in_batches
from attune.models.errors import ServiceDown, UnreadableItem
from attune.models.images.decode import READING, ImageInfo, inspect
from attune.models.images.reading_changes import looks_different
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs.embed import pictures, read_asset
from attune.workers.jobs.pool_parts import PART

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder

log = logging.getLogger("attune.reread")
AT_ONCE = 512  # assets looked at before what they show is kept: replacing a vector writes the shard it stands in


@dataclass(frozen=True)
class _Look:
    different: bool
    info: ImageInfo


def run(settings: Settings, report: Report = quiet) -> dict[str, Any]:
    """Look at every asset of an older reading; embed again those that show something else now.

    Returns ``{"looked_at", "moved", "left_out": [{"item", "reason", "message"}]}``. What cannot be read is left out by
    name and waits for the next time. So does what is to be embedded again where the encoder cannot be loaded; all else
    is kept, and then this raises what loading it raised.
    """
    result: dict[str, Any] = {"looked_at": 0, "moved": 0, "left_out": []}
    tower = _Tower(settings)
    moved: list[int] = []
    with reading(settings) as session:
        older = (Asset.reading < READING, Asset.removed_at.is_(None))
        total = session.scalar(select(func.count(Asset.id)).where(*older)) or 0
    last = 0
    while True:
        with reading(settings) as session:
            assets = list(
                session.scalars(select(Asset).where(*older, Asset.id > last).order_by(Asset.id).limit(AT_ONCE))
            )
        if not assets:
            break
        last = assets[-1].id
        moved += _one_batch(settings, tower, assets, result)
        report(min(result["looked_at"] + len(result["left_out"]) + tower.waiting, total), total)
    if moved:
        _ask_for_what_follows(settings, moved)
    for item in result["left_out"]:
        # For the worker's log; the command that asked prints the messages itself, so this must not reach a screen.
        log.info("left out: %s", item["message"])
    if tower.error is not None:
        log.warning("%d images look different and wait: the encoder could not be loaded", tower.waiting)
        raise tower.error
    return result


class _Tower:
    """The encoder, loaded when first needed; where that fails it is not tried again, and what needs it waits."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.error: Exception | None = None
        self.waiting = 0

    def loaded(self, needed: int) -> OpenClipEncoder | None:
        """The encoder for ``needed`` images; None where it cannot be loaded."""
        if self.error is None:
            try:
                return loaded_encoder(self.settings)
            except Exception as error:  # weights that vanished, a library, the device's memory: `run` raises it
                self.error = error
        self.waiting += needed
        return None


def _one_batch(settings: Settings, tower: _Tower, assets: Sequence[Asset], result: dict[str, Any]) -> list[int]:
    """Keep what a batch shows now; the keys of those that show something else."""
    looks = _look(settings, assets, result["left_out"])
    different = [asset for asset in assets if asset.id in looks and looks[asset.id].different]
    failed = _embed(settings, tower, different, result["left_out"])
    for digest in {asset.digest for asset in different}:
        drop_thumbnails(settings, digest)
    moved = [asset.id for asset in different if asset.id not in failed]
    at = now()
    with writing(settings) as session:
        for asset in assets:
            look = looks.get(asset.id)
            row = session.get(Asset, asset.id)
            if look is None or row is None or asset.id in failed or row.digest != asset.digest:
                continue
            row.reading, row.width, row.height = READING, look.info.width, look.info.height
            if look.different:
                row.moved_at = at
        if moved:
            change.count(session, *session.scalars(select(Attribute.id).where(Attribute.retired_at.is_(None))))
    result["looked_at"] += len(looks) - len(failed)
    result["moved"] += len(moved)
    return moved


def _look(settings: Settings, assets: Sequence[Asset], left_out: list[dict[str, str]]) -> dict[int, _Look]:
    def one(asset: Asset) -> _Look | UnreadableItem:
        try:
            content = read_asset(settings, asset)
            different = looks_different(content, asset.asset_id, asset.reading, settings.max_pixels)
            return _Look(different, inspect(content, asset.asset_id, settings.max_pixels, whole=False))
        except UnreadableItem as error:
            return error

    with ThreadPoolExecutor(READERS) as pool:
        outcomes = list(zip(assets, pool.map(one, assets), strict=True))
    left_out += [
        {"item": asset.asset_id, "reason": outcome.reason, "message": str(outcome)}
        for asset, outcome in outcomes
        if isinstance(outcome, UnreadableItem)
    ]
    return {asset.id: outcome for asset, outcome in outcomes if isinstance(outcome, _Look)}


def _embed(settings: Settings, tower: _Tower, assets: Sequence[Asset], left_out: list[dict[str, str]]) -> set[int]:
    """Put new vectors in the place of the old; the keys of those that could not be embedded.

    Ready-made vectors stay: they came from elsewhere. So do those of encoders that are not in use any more, for the
    versions that were published with them; `attune.workers.jobs.switch_encoder` makes them again where one comes back.
    """
    with reading(settings) as session:
        active = active_fingerprint(session)
    store = VectorStore(settings.vectors)
    # What other spaces hold is of the old picture; the job `layers` computes it again.
    views = [fingerprint for fingerprint in store.fingerprints() if "view" in fingerprint.preprocessing]
    if assets and views:
        store.remove([asset.asset_id for asset in assets], of=views)
    if not assets or active is None or active.is_external:
        return set()
    encoder = tower.loaded(len(assets))
    if encoder is None:
        return {asset.id for asset in assets}
    before = len(left_out)
    ids: list[str] = []
    vectors = []
    for batch in embed_in_batches(encoder, pictures(settings, assets), settings.embed_batch):
        left_out += batch.left_out
        if batch.ids:
            ids += batch.ids
            vectors.append(batch.vectors)
    if ids:
        store.replace(encoder.fingerprint, ids, np.concatenate(vectors))
    failed = {item["item"] for item in left_out[before:]}
    return {asset.id for asset in assets if asset.asset_id in failed}


def _ask_for_what_follows(settings: Settings, keys: Sequence[int]) -> None:
    """Have the champions' feature values of these assets made again; without Redis the next scoring does it."""
    with reading(settings) as session:
        champions = session.execute(
            select(Attribute.name, Version.version)
            .join(Version, Version.attribute_id == Attribute.id)
            .join(Alias, (Alias.attribute_id == Version.attribute_id) & (Alias.version == Version.version))
            .where(Alias.alias == CHAMPION, Attribute.retired_at.is_(None), Version.scored_at.is_not(None))
        ).all()
    with suppress(ServiceDown):
        for name, version in champions:
            for part in sorted({key // PART for key in keys}):
                jobs.enqueue(settings, "score", attribute=name, version=version, part=part)
