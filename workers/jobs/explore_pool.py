"""The job `explore`: rank the pool by a text or an image.

It runs inside the worker itself and not in a process of its own, so that the encoder stays loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from attune.labeler.assets.active_encoder import loaded_encoder, prompt_vectors
from attune.labeler.assets.active_pool import PoolView, open_pool
from attune.labeler.explore import search
from attune.labeler.explore.search import TOP, Query
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import EncoderError, UnknownAsset
from attune.models.images.decode import decode
from attune.models.vectors.neighbours import nearest
from attune.models.vectors.products import FloatArray

STEPS = 3  # encoder, vector, ranking


def run(
    settings: Settings,
    report: Report = quiet,
    top: int = TOP,
    encoder: str = "",
    assets: int = 0,
    embedding: int = 0,
    name_columns: Sequence[str] = (),
    **filters: str,
) -> dict[str, Any]:
    """Rank the pool; ``{"hits": [[asset_id, cosine], …], "of": assets searched}``, nearest first, at most ``top``.

    ``filters`` and ``name_columns`` are the fields of ``Query``; ``encoder``, ``assets`` and ``embedding`` only tell
    one search from another. Raises EmptyPool, EncoderError where the vectors came ready-made, UnknownAsset, and what
    loading an encoder raises.
    """
    query = Query(name_columns=tuple(name_columns), **filters)
    report(0, STEPS)
    with _parent_stays_single():
        vector = None if query.like else _encoded(settings, query)
        report(1, STEPS)
        with reading(settings) as session:
            view = open_pool(settings, session)
            among = _among(session, view, query)
        if vector is None:
            vector = _of_asset(view, query.like)
        report(2, STEPS)
        index, cosines = nearest(view.pool, vector, top, among)
    report(STEPS, STEPS)
    ids = view.pool.asset_ids[index].tolist()
    hits = [[asset, round(float(cosine), 4)] for asset, cosine in zip(ids, cosines, strict=True)]
    return {"hits": hits, "of": int(among.sum())}


def _encoded(settings: Settings, query: Query) -> FloatArray:
    with reading(settings) as session:
        if why := search.why_unread(session):
            raise EncoderError(why)
    if query.text:
        vectors = prompt_vectors(settings, [query.text])
        assert vectors is not None  # only ready-made vectors have no text tower
        first: FloatArray = vectors[0]
        return first
    picture = decode(search.take_upload(settings, query.image), "the uploaded image", settings.max_pixels)
    vector: FloatArray = loaded_encoder(settings).encode_images([picture])[0]
    return vector


def _of_asset(view: PoolView, asset_id: str) -> FloatArray:
    row = int(view.pool.positions([asset_id])[0])
    if row < 0 or view.keys[row] < 0:
        raise UnknownAsset(
            f"{asset_id!r} has no vector: it was removed, or the workers have not embedded it yet. To list the "
            "assets: `attune assets list`"
        )
    vector: FloatArray = view.pool.rows([row])[0]
    return vector


def _among(session: Any, view: PoolView, query: Query) -> npt.NDArray[np.bool_]:
    """Which rows may be found, bool (N,): there, and let through by the filter."""
    there = view.keys >= 0
    if query.filters:
        keys = np.fromiter(session.scalars(select(Asset.id).where(search.allowed_by(query))), dtype=np.int64)
        there &= np.isin(view.keys, keys)
    return np.asarray(there, dtype=np.bool_)


@contextmanager
def _parent_stays_single() -> Iterator[None]:
    """One torch thread while this runs: jobs that are forked later could not use a pool of threads begun here."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
