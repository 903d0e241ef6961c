"""The clusters that Explore shows: the newest clustering of the whole pool by the encoder's own vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from attune.labeler.assets.by_key import by_key
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members
from attune.labeler.spaces.clusterings import KIND, MOST, USUAL, Saved
from attune.models.errors import DataError
from attune.models.spaces.matching import LOOSE

__all__ = ["KIND", "LOOSE", "MOST", "USUAL", "Clusters", "Part", "load", "names_of", "part", "parts_of"]
TYPICAL = 10  # of each cluster, from which a page chooses what its viewer may see


@dataclass(frozen=True)
class Part:
    """One cluster: how many assets it held when it was made, and the ids of its most typical ones, in that order, where
    several are shown."""

    number: int
    size: int
    asset_ids: Sequence[str]
    name: str = ""
    stability: float | None = None

    @property
    def loose(self) -> bool:
        """Whether other samples of the pool make another cluster of it."""
        return self.stability is not None and self.stability < LOOSE


@dataclass(frozen=True)
class Clusters:
    """All clusters of one making, largest first; ``changes`` since the one before (`labeler.records.schema`)."""

    parts: Sequence[Part]
    assets: int
    k: int
    made_at: datetime
    clustering: int
    changes: Mapping[str, Any]


def load(settings: Settings) -> Clusters | None:
    """The newest clusters with their most typical images, None where none were made yet."""
    with reading(settings) as session:
        saved = clusterings.latest(session)
        if saved is None:
            return None
    row = saved.row
    return Clusters(parts_of(settings, saved), row.assets, row.k, row.made_at, row.id, row.changes)


def parts_of(settings: Settings, saved: Saved) -> list[Part]:
    """The clusters of any clustering, each with its most typical images."""
    typical = members.load(settings, saved.row.file).most_typical(TYPICAL, len(saved.clusters))
    with reading(settings) as session:
        names = names_of(session, [int(key) for keys in typical for key in keys])
    return [
        Part(one.number, one.size, _in_order(names, typical[one.place]), one.name, one.stability)
        for one in saved.clusters
    ]


def part(settings: Settings, number: int, run: int | None = None) -> tuple[Part, npt.NDArray[np.int64]]:
    """Cluster ``number`` of clustering ``run``, or of the newest, and the keys (n,) of its images, the most typical
    first and those that were removed since among them: a page reads the ids of what it shows.

    Raises DataError where there is none.
    """
    with reading(settings) as session:
        saved = clusterings.find(session, run) if run is not None else clusterings.latest(session)
        if saved is None:
            raise DataError("There are no clusters yet. The page Clusters makes them.")
        one = saved.cluster(number)
        keys = members.load(settings, saved.row.file).of(one.place)
    return Part(one.number, one.size, (), one.name, one.stability), keys


def names_of(session: Session, keys: Sequence[int]) -> dict[int, str]:
    """The asset ids of ``keys``, of assets that are still there."""
    return by_key(session, keys, Asset.asset_id, Asset.removed_at.is_(None))


def _in_order(names: Mapping[int, str], keys: npt.NDArray[Any]) -> list[str]:
    return [names[key] for key in keys.tolist() if key in names]
