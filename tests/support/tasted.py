"""Versions of a taste space that nobody had to learn: the first numbers of a vector count, as many as a test says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attune.labeler.assets.active_encoder import active_fingerprint
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, space_moves
from attune.models.similarity.space_files import LearnedSpace
from attune.models.similarity.space_manifest import SpaceFacts


def register(settings: Settings, counted: Sequence[int], column: str = "genre", raw: float = 0.0) -> int:
    """A version that sees the numbers ``counted`` of a vector alone, and the share ``raw`` of how it looks; its
    number. It is in use afterwards."""
    with reading(settings) as session:
        active = active_fingerprint(session)
    assert active is not None
    eye = np.eye(active.dimension)
    space = LearnedSpace(np.zeros(active.dimension), eye, eye[list(counted)], [raw, 0])

    def facts(version: int, at: str) -> SpaceFacts:
        labels = ("a", "b")
        return SpaceFacts(active.to_dict(), column, labels, 30, 0, {}, name="taste", version=version, created_at=at)

    data = f"{column} {list(counted)} {raw}"
    row = learned.register(settings, space, facts, "taste", data, "olga")
    space_moves.promote(settings, "taste", str(row.version), "a test", "olga")
    return row.version
