"""Near duplicates and outliers of the pool, as the last search found them: one file in the workspace's cache.

What was removed or decided since is left out when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from attune.labeler.assets.by_key import by_key
from attune.labeler.explore.look_alikes import Decided, decided
from attune.labeler.records.schema import Asset
from attune.labeler.settings import Settings
from attune.models.clock import iso
from attune.models.files.atomic import write_json

KIND = "duplicates"  # of the job
LEAST = 0.985  # cosine of the encoder's vectors: two images are taken for the same picture
OUTLIERS = 50  # at most

Near = tuple[int, float]  # an asset's key, and its cosine


@dataclass(frozen=True)
class Found:
    """What a search found in ``assets`` images, the newest with the key ``until``.

    ``groups``: images of keys and cosines to the first, nearest first; ``outliers``: the loneliest first.
    """

    made_at: datetime
    encoder: str
    assets: int
    until: int
    groups: Sequence[Sequence[Near]]
    outliers: Sequence[Near]


@dataclass(frozen=True)
class Left:
    """What is left to decide; ``titles`` by key, of all images in it."""

    groups: Sequence[Sequence[Near]]
    outliers: Sequence[Near]
    titles: dict[int, str]


def save(settings: Settings, found: Found) -> None:
    """Keep what a search found in place of what an earlier one did."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(found) | {"made_at": iso(found.made_at)})


def load(settings: Settings) -> Found | None:
    """What the last search found; None where nobody searched yet, or the file was cleared away or is damaged."""
    try:
        held: dict[str, Any] = json.loads(_path(settings).read_bytes())
        groups = [[(int(key), float(near)) for key, near in group] for group in held["groups"]]
        outliers = [(int(key), float(near)) for key, near in held["outliers"]]
        made_at = datetime.fromisoformat(held["made_at"])
        return Found(made_at, held["encoder"], held["assets"], held["until"], groups, outliers)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def left(session: Session, found: Found) -> Left:
    """The groups and outliers that are still in the pool and undecided; groups across titles come first.

    Of one title twice is one picture too many; of two titles one picture may be trained on and measured on.
    """
    known = decided(session)
    keys = {key for group in found.groups for key, _ in group} | {key for key, _ in found.outliers}
    titles = by_key(session, sorted(keys), Asset.title_id, Asset.removed_at.is_(None))
    groups = [some for group in found.groups if len(some := _undecided(group, titles, known)) > 1]
    groups.sort(key=lambda group: (len({titles[key] for key, _ in group}) == 1, -group[1][1]))
    outliers = [(key, near) for key, near in found.outliers if key in titles and key not in known.belong]
    return Left(groups, outliers, titles)


def _undecided(group: Sequence[Near], titles: dict[int, str], known: Decided) -> list[Near]:
    """The images of a group that are there, without those that were decided about beside the first of them."""
    there = [one for one in group if one[0] in titles]
    first = there[0][0] if there else 0
    return there[:1] + [one for one in there[1:] if (min(first, one[0]), max(first, one[0])) not in known.pairs]


def ids_of(session: Session, keys: Sequence[int]) -> dict[int, str]:
    """The asset ids of ``keys``."""
    return by_key(session, keys, Asset.asset_id)


def _path(settings: Settings) -> Path:
    return settings.workspace / "cache" / "duplicates.json"
