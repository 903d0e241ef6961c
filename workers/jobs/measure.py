"""The job `measure`: the measured features of every image that has none yet, a batch at a time; objects by words, too.

Each batch is on disk before the next, so a job that is killed goes on at the image where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import select

from attune.labeler.assets.engine_batches import in_batches
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.measured import measure_objects
from attune.labeler.measured.values import values_of
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import EmptyPool
from attune.models.measured.measures import Measurer, measurer_of
from attune.models.measured.objects import phrased
from attune.workers.jobs.embed import places

log = logging.getLogger("attune.measure")
BATCH = 64  # images between two writes: some seconds of work


def run(settings: Settings, report: Report = quiet, objects: Sequence[str] = ()) -> dict[str, Any]:
    """Measure every object by text prompts on the images that came since, and then the images of the pool that this
    version of the measures has no values of; or only the ``objects`` that are named, each as
    `attune.models.measured.objects.phrased` reads it.

    Returns ``{"measured", "left_out": [{"item", "reason", "message"}], "version", "objects"}``; ``measured`` counts
    images, those of equal bytes once each. Raises EmptyPool, EncoderError where the weights of the faces' detector are
    missing or a machine of Ray's measures otherwise, and of ``objects`` what `measure_objects.measure` raises.
    """
    if objects:
        done = measure_objects.measure(settings, phrased(objects), report)
        return {"measured": 0, "left_out": [], "version": None, "objects": [one.as_json() for one in done]}
    again = measure_objects.measure_again(settings)  # first: they need no weights of faces
    return _images(settings, report) | {"objects": [one.as_json() for one in again]}


def _images(settings: Settings, report: Report) -> dict[str, Any]:
    measurer = Measurer()
    values = values_of(settings, measurer)
    with reading(settings) as session:
        every = session.scalars(select(Asset).where(Asset.removed_at.is_(None)).order_by(Asset.id)).all()
    if not every:
        raise EmptyPool("The pool is empty. Add images first: `attune assets add PATH`")
    known = values.known()
    waiting = [asset for asset in every if known.get(asset.asset_id) != asset.digest]
    alike: dict[str, list[str]] = {}
    for asset in waiting:
        alike.setdefault(asset.digest, []).append(asset.asset_id)
    first = {asset.asset_id: asset for asset in waiting if alike[asset.digest][0] == asset.asset_id}
    result: dict[str, Any] = {"measured": 0, "left_out": [], "version": values.digest}
    make = partial(measurer_of, values.digest)
    for batch in in_batches(settings, measurer, make, places(list(first.values())), BATCH):
        twins = [alike[first[id_].digest] for id_ in batch.ids]
        rows = np.repeat(batch.vectors, [len(ids) for ids in twins], axis=0)
        contents = [first[id_].digest for id_, ids in zip(batch.ids, twins, strict=True) for _ in ids]
        values.append([id_ for ids in twins for id_ in ids], contents, rows)
        result["measured"] += len(rows)
        result["left_out"] += batch.left_out
        report(batch.done, len(first))
    for item in result["left_out"]:
        log.warning("left out: %s", item["message"])
    return result
