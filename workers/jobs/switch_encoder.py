"""The job `encoder`: give every asset a vector of another encoder, then let the pool be of that one.

Rounds go on with the vectors of before until the last one is there. Killed at any instant and asked again it goes on
with what is on disk.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from filelock import FileLock
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.answers import ingest
from attune.labeler.assets.active_encoder import activate, active_fingerprint, load
from attune.labeler.attributes import revise_attribute
from attune.labeler.jobs.jobs import Report
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import embed

log = logging.getLogger("attune.switch")


def run(settings: Settings, report: Report, encoder: str, pretrained: str, resize_mode: str) -> dict[str, Any]:
    """Embed what lacks a vector of the encoder, make it the active one and have every attribute learned again.

    Returns the result of ``workers.jobs.embed.run`` with ``encoder`` and the names of the ``attributes``. An image that
    cannot be read any more is left out by name and stops nothing. Raises UnknownEncoder, WeightsUnavailable.
    """
    target = replace(settings, encoder=encoder, pretrained=pretrained, resize_mode=resize_mode)
    loaded = load(target)
    _drop_older_readings(settings, loaded.fingerprint)
    result = embed.fill(target, loaded, report)
    # No one adds assets while the last ones are embedded and the pool changes hands.
    with FileLock(settings.workspace / "assets.lock", timeout=300):
        late = embed.fill(target, loaded)
        names: list[str] = []
        with writing(settings) as session:
            before = active_fingerprint(session)
            if before is None or before.digest != loaded.fingerprint.digest:
                activate(session, loaded.fingerprint)
                names = revise_attribute.note_encoder(session, str(before) if before else None, str(loaded.fingerprint))
        reader.keep_settings(settings.workspace, encoder=encoder, pretrained=pretrained, resize_mode=resize_mode)
    with reading(settings) as session:
        assert active_fingerprint(session) == loaded.fingerprint
    for name in names:
        ingest.ask_to_learn(settings, name)
    log.info("the pool is of %s now", loaded.fingerprint)
    counts = {key: result[key] + late[key] for key in ("embedded", "copied")}
    return {**counts, "left_out": late["left_out"], "encoder": str(loaded.fingerprint), "attributes": names}


def _drop_older_readings(settings: Settings, coming: Fingerprint) -> int:
    """Delete the vectors that an encoder which comes back has of images that look different since; how many.

    They were made while another encoder was in use, so no one embedded them again; `embed.fill` does so now.
    """
    with reading(settings) as session:
        if active_fingerprint(session) == coming:
            return 0
        moved = list(session.scalars(select(Asset.asset_id).where(Asset.moved_at.is_not(None))))
    return VectorStore(settings.vectors).remove(moved, [coming]) if moved else 0
