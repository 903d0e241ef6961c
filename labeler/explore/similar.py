"""Images similar to one of the pool, in a space that a person chooses: how it looks, its taste, its colours.

Exact: one product with every vector. What is prepared for a pool of one moment stays in this process, so that a page
needs no worker. A title's own artwork and near duplicates are no finds: they are kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.labeler.explore import space_index
from attune.labeler.explore.duplicates import LEAST
from attune.labeler.explore.search import TOP
from attune.labeler.explore.space_index import SpaceIndex
from attune.labeler.settings import Settings
from attune.labeler.spaces.learned import TASTE
from attune.labeler.spaces.spaces import COLOUR, FINAL
from attune.models.errors import DataError, NotPrepared, UnknownAsset
from attune.models.files.cell_ids import normalise
from attune.models.query.context import highest

SPACES = {FINAL: "Looks like", TASTE: "Same taste", COLOUR: "Same colours"}  # the switch
TWIN = LEAST
APART = 24  # of own artwork, and of near duplicates


@dataclass(frozen=True)
class Similar:
    """``hits`` (asset_id, similarity), nearest first, of ``of`` images that were compared.

    ``own`` are other images of its title, ``twins`` near duplicates under other titles; neither is among the hits.
    ``older``: among the images of a moment ago, because a worker still prepares the newest.
    """

    hits: Sequence[tuple[str, float]]
    own: Sequence[str]
    twins: Sequence[str]
    of: int
    older: bool = False


def similar(
    settings: Settings, like: str, space: str = FINAL, other: str = "", top: int = TOP, patient: bool = True
) -> Similar:
    """The ``top`` images most similar to ``like`` in ``space``; with ``other`` only those that share no value with it
    in that column.

    Raises UnknownAsset, UnknownProbe without a champion of taste, EmptyPool for a space without vectors,
    EncoderMismatch, DataError where ``like`` has no value in the column, and NotPrepared where not ``patient`` and a
    worker is to prepare the pool first.
    """
    index = space_index.opened(settings, space, patient)
    row = int(index.view.positions([normalise(like)])[0])
    if row < 0:
        _check_new(index, normalise(like))
        raise UnknownAsset(
            f"{like[:60]!r} has no vector in the space {space}: it is no image of the pool, or a worker has not read "
            "it yet. To list the images: `attune assets list`"
        )
    allowed = np.asarray(index.view.keys >= 0, dtype=np.bool_)
    own = allowed & (index.titles == index.titles[row])
    raw = index.cosines(row) if index.of_encoder else None
    near = index.nearness(row, raw)
    looks = index if index.of_encoder else space_index.opened(settings, FINAL, patient)
    same = _same_picture(index, looks, row) if raw is None else raw >= TWIN
    twins = allowed & ~own & same
    allowed &= ~own & ~twins
    if other:
        allowed &= _shares_nothing(settings, index, row, other)
    near[~allowed] = -np.inf
    found = highest(near, min(top, int(allowed.sum())), np.random.default_rng(0))
    ids = index.view.pool.asset_ids
    own[row] = False
    hits = [(str(ids[one]), round(float(near[one]), 4)) for one in found]
    return Similar(
        hits, ids[own][:APART].tolist(), ids[twins][:APART].tolist(), int(allowed.sum()), index.older or looks.older
    )


def _check_new(index: SpaceIndex, like: str) -> None:
    """Raise NotPrepared for an image that came after the index was prepared: its title is not known there."""
    row = int(index.view.pool.positions([like])[0])
    if index.older and row >= 0 and index.titles[row] < 0:
        raise NotPrepared(f"{like[:60]!r} is new. A worker is preparing it for this. Try again in half a minute.")


def _same_picture(index: SpaceIndex, looks: SpaceIndex, row: int) -> npt.NDArray[np.bool_]:
    """Which rows of ``index`` hold nearly the same picture as its ``row``, by the encoder's vectors in ``looks``."""
    there = int(looks.view.positions([str(index.view.pool.asset_ids[row])])[0])
    if there < 0:
        return np.zeros(len(index.titles), dtype=np.bool_)
    same = looks.view.keys[np.flatnonzero(looks.nearness(there) >= TWIN)]
    return np.isin(index.view.keys, same[same >= 0])


def _shares_nothing(settings: Settings, index: SpaceIndex, row: int, column: str) -> npt.NDArray[np.bool_]:
    """Rows with a value in the column, and none of those of ``row``. Raises DataError where ``row`` has none."""
    rows, values = index.values(settings, column)
    mine = values[rows == row]
    if not len(mine):
        raise DataError(
            f"{index.view.pool.asset_ids[row]!r} has no value in the column {column[:60]!r}, so nothing can be said to "
            "differ from it. Choose another column, or leave it out."
        )
    others = np.zeros(len(index.titles), dtype=np.bool_)
    others[rows] = True
    others[rows[np.isin(values, mine)]] = False
    return others
