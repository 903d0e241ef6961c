"""The clusters of the pool as they were last made, kept in the workspace for browsing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from attune.labeler.assets.active_encoder import active_encoder
from attune.labeler.assets.active_pool import PoolView
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import iso, now, parse
from attune.models.errors import DataError
from attune.models.files.atomic import write_json

if TYPE_CHECKING:
    from attune.models.vectors.neighbours import Cluster

KIND = "clusters"
USUAL, MOST = 24, 60
MEMBERS = 600  # of each cluster, so many can be browsed: those nearest to its centre


@dataclass(frozen=True)
class Part:
    """One cluster: how many assets it held when it was made, and the ids of its most typical ones, in that order."""

    number: int
    size: int
    asset_ids: Sequence[str]


@dataclass(frozen=True)
class Clusters:
    """All clusters of one making, largest first."""

    parts: Sequence[Part]
    assets: int
    k: int
    made_at: datetime

    def part(self, number: int) -> Part:
        """Cluster ``number``, counted from 1. Raises DataError where there is none."""
        if not 1 <= number <= len(self.parts):
            raise DataError(f"Cluster {number} does not exist. The clusters are 1 to {len(self.parts)}.")
        return self.parts[number - 1]


def save(settings: Settings, view: PoolView, found_clusters: Sequence[Cluster], k: int) -> None:
    """Keep the clusters of the pool ``view``, in place of those made before."""
    ids = view.pool.asset_ids
    content = {
        "k": k,
        "assets": int((view.keys >= 0).sum()),
        "made_at": iso(now()),
        "clusters": [{"size": one.size, "asset_ids": ids[one.members].tolist()} for one in found_clusters],
    }
    write_json(_place(settings, view.fingerprint.digest), content)


def load(settings: Settings) -> Clusters | None:
    """The clusters of the active encoder's pool, None where none were made yet."""
    with reading(settings) as session:
        encoder = active_encoder(session)
    if encoder is None:
        return None
    try:
        content = json.loads(_place(settings, encoder.digest).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    parts = [Part(number, one["size"], one["asset_ids"]) for number, one in enumerate(content["clusters"], 1)]
    return Clusters(parts, content["assets"], content["k"], parse(content["made_at"]))


def _place(settings: Settings, encoder: str) -> Path:
    return settings.workspace / "cache" / "clusters" / f"{encoder}.json"
