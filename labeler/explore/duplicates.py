"""Near duplicates and outliers of the pool, as the last search found them: one file in the workspace's cache.

What was removed or decided since is left out when it is read, and groups are made of what is left: where the first
image of a group is gone, the others are compared with each other.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from attune.labeler.assets.by_key import by_key
from attune.labeler.explore.look_alikes import decided
from attune.labeler.records.schema import Asset
from attune.labeler.settings import Settings
from attune.models.clock import iso
from attune.models.files.atomic import write_json
from attune.models.vectors.near_groups import groups_of

KIND = "duplicates"  # of the job
LEAST = 0.985  # cosine of the encoder's vectors: two images are taken for the same picture
OUTLIERS = 50  # at most

FIRST, IDENTICAL, SAME, ALIKE = "first", "identical", "same", "alike"  # how like the first of its group an image is
DEGREES = (FIRST, IDENTICAL, SAME, ALIKE)

Near = tuple[int, float]  # an asset's key, and its cosine


@dataclass(frozen=True)
class Found:
    """What a search found in ``assets`` images, the newest with the key ``until``.

    ``pairs``: two keys, their cosine, and whether they are one picture; ``equal``: the first key with a vector, another
    with the same one, and whether they are one picture. Of equal vectors only the first is in ``pairs``.
    ``outliers``: the loneliest first.
    """

    made_at: datetime
    encoder: str
    assets: int
    until: int
    pairs: Sequence[tuple[int, int, float, bool]]
    equal: Sequence[tuple[int, int, bool]]
    outliers: Sequence[Near]


@dataclass(frozen=True)
class Alike:
    """An image of a group. ``likeness`` to the first one: IDENTICAL is one file, SAME is one picture saved again, of
    ALIKE nothing but the ``cosine`` of their vectors is known."""

    key: int
    cosine: float
    likeness: str


@dataclass(frozen=True)
class Left:
    """What is left to decide; ``titles`` by key, of all images in it."""

    groups: Sequence[Sequence[Alike]]
    outliers: Sequence[Near]
    titles: dict[int, str]


def save(settings: Settings, found: Found) -> None:
    """Keep what a search found in place of what an earlier one did."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(found) | {"made_at": iso(found.made_at)})


def load(settings: Settings) -> Found | None:
    """What the last search found; None where nobody searched yet, or the file was cleared away, is old or damaged."""
    try:
        held: dict[str, Any] = json.loads(_path(settings).read_bytes())
        pairs = [(int(a), int(b), float(near), bool(same)) for a, b, near, same in held["pairs"]]
        equal = [(int(a), int(b), bool(same)) for a, b, same in held["equal"]]
        outliers = [(int(key), float(near)) for key, near in held["outliers"]]
        made_at = datetime.fromisoformat(held["made_at"])
        return Found(made_at, held["encoder"], held["assets"], held["until"], pairs, equal, outliers)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def left(session: Session, found: Found) -> Left:
    """The groups and outliers of what is still in the pool and undecided.

    Groups across titles come first: of one title twice is one picture too many; of two titles one picture may be
    trained on and measured on.
    """
    known = decided(session)
    keys = {key for a, b, *_ in found.pairs for key in (a, b)} | {key for a, b, _ in found.equal for key in (a, b)}
    keys |= {key for key, _ in found.outliers}
    titles = by_key(session, sorted(keys), Asset.title_id, Asset.removed_at.is_(None))
    digests = by_key(session, sorted(titles), Asset.digest)
    pairs, equal = [row[:3] for row in found.pairs], [row[:2] for row in found.equal]
    same = _SamePictures.of(found)
    groups = [
        [Alike(key, near, same.likeness(group[0][0], key, digests)) for key, near in group]
        for group in groups_of(pairs, equal, titles, known.pairs)
    ]
    groups.sort(key=lambda group: (len({titles[one.key] for one in group}) == 1, -group[1].cosine))
    outliers = [(key, near) for key, near in found.outliers if key in titles and key not in known.belong]
    return Left(groups, outliers, titles)


@dataclass(frozen=True)
class _SamePictures:
    """``node``: of each image with an equal vector the first one; the others as `Found` has them where they are one
    picture."""

    node: dict[int, int]
    pairs: Collection[tuple[int, int]]
    equal: Collection[int]

    @classmethod
    def of(cls, found: Found) -> _SamePictures:
        node = {other: first for first, other, _ in found.equal}
        pairs = {(min(a, b), max(a, b)) for a, b, _, same in found.pairs if same}
        return cls(node, pairs, {other for _, other, same in found.equal if same})

    def likeness(self, first: int, key: int, digests: dict[int, str]) -> str:
        if key == first:
            return FIRST
        if digests.get(key) == digests.get(first):
            return IDENTICAL
        a, b = sorted((self.node.get(first, first), self.node.get(key, key)))
        alone = all(one not in self.node or one in self.equal for one in (first, key))
        return SAME if alone and (a == b or (a, b) in self.pairs) else ALIKE


def ids_of(session: Session, keys: Sequence[int]) -> dict[int, str]:
    """The asset ids of ``keys``."""
    return by_key(session, keys, Asset.asset_id)


def _path(settings: Settings) -> Path:
    return settings.workspace / "cache" / "duplicates.json"
