"""What is known for a title's next artwork: each insight beside the title's own images, with its grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets.title_names import title_name
from attune.labeler.briefs.tastes import Tastes, tastes
from attune.labeler.insights import features, insights
from attune.labeler.insights.features import pair
from attune.labeler.insights.insights import PUBLISHED, RETIRED, Told
from attune.labeler.insights.known import Known
from attune.labeler.insights.words import Words, sides_of, words
from attune.labeler.performance.simulated import is_simulated
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import UnknownAsset
from attune.models.text import plural

EXAMPLES = 3  # other titles whose images are shown for a line


@dataclass(frozen=True)
class Shown:
    """An image of another title, and how often it was taken."""

    asset_id: str
    title_id: str
    said: str


@dataclass(frozen=True)
class Line:
    """An insight for the title. ``use`` and ``less`` name the side that is taken more and less often; ``has`` and
    ``lacks`` are the title's images of either, ``worked`` and ``avoid`` those of other titles."""

    one: Told
    words: Words
    use: str
    less: str
    has: Sequence[str]
    lacks: Sequence[str]
    worked: Sequence[Shown]
    avoid: Sequence[Shown]

    @property
    def grade(self) -> str:
        """A to D."""
        return self.one.newest.grade

    @property
    def state(self) -> str:
        """Whether anybody stands for it."""
        row, version = self.one.row, self.one.newest.version
        return "published" if row.state == PUBLISHED and row.published == version else "proposed, not published yet"

    @property
    def missing(self) -> bool:
        """Whether the title has no image of the side that is taken more often within titles, and some of the other."""
        return bool(self.one.figures["within"]) and not self.has and bool(self.lacks)

    @property
    def covers(self) -> str:
        """What the title has of it, in words."""
        known = len(self.has) + len(self.lacks)
        if not known:
            return "Nobody knows yet which images of this title have it."
        if self.missing:
            return f"Missing: no image {self.use} yet."
        begin = "Covered" if self.has else "Here"
        return f"{begin}: {len(self.has)} of {plural(known, 'image')} {self.use}."


@dataclass(frozen=True)
class Brief:
    """``images`` of the title; ``lines`` with what is missing first; ``made_up``: performance is simulated."""

    title_id: str
    images: Sequence[Asset]
    lines: Sequence[Line]
    tastes: Tastes
    made_up: bool
    made_at: datetime

    @property
    def name(self) -> str:
        """What people call the title, or its id."""
        return next((name for one in self.images if (name := title_name(one.columns or {}))), self.title_id)

    @property
    def missing(self) -> list[Line]:
        """The lines of which the title has no image."""
        return [one for one in self.lines if one.missing]

    @property
    def summary(self) -> str:
        """The brief in one sentence."""
        if not self.lines:
            return "No insight is sure enough yet, so nobody knows what works."
        if not self.missing:
            return f"Its {plural(len(self.images), 'image')} cover all that is known to work."
        return f"Taken more often elsewhere, and missing here: {_listed([one.use for one in self.missing])}."

    def asset_ids(self) -> list[str]:
        """All images that are shown, each once."""
        found = [one.asset_id for one in self.images]
        for line in self.lines:
            found += [one.asset_id for one in (*line.worked, *line.avoid)]
        for taste in self.tastes.groups:
            found += [*taste.liked, *taste.elsewhere]
        return list(dict.fromkeys(found))


def brief(settings: Settings, title: str) -> Brief:
    """The brief of ``title``. Raises UnknownAsset where no image of it is in the pool."""
    with reading(settings) as session:
        images = images_of(session, title)
        made_up = is_simulated(session)
    if not images:
        raise UnknownAsset(
            f"No image of the title {title[:80]!r} is in the pool. To see which titles there are: `attune assets list`"
        )
    known = features.known(settings)
    told = [one for one in insights.listed(settings) if one.enough and one.row.state != RETIRED]
    ids = [one.asset_id for one in images]
    lines = [_line(settings, one, known.get(one.question.feature), title, ids) for one in told]
    lines.sort(key=lambda line: not line.missing)  # the surest first, of those that are missing and of the others
    return Brief(title, images, lines, tastes(settings, title, ids), made_up, now())


def images_of(session: Session, title: str) -> list[Asset]:
    """The images of a title that are in the pool."""
    wanted = select(Asset).where(Asset.title_id == title, Asset.removed_at.is_(None)).order_by(Asset.asset_id)
    return list(session.scalars(wanted))


def _line(settings: Settings, one: Told, feature: Known | None, title: str, ids: Sequence[str]) -> Line:
    more = one.figures["shrunk"]["estimate"] > 0
    first, second = sides_of(one.question.feature, one.question.contrast)
    sides = _sides(settings, one, feature, ids)
    has, lacks = ([name for name, side in sides.items() if side is wanted] for wanted in (more, not more))
    pairs = [pair for pair in (one.figures.get("examples") or {}).get("same", ()) if pair["title_id"] != title]
    good, bad = ("first", "second") if more else ("second", "first")
    use, less = (first, second) if more else (second, first)
    worked, avoid = ([_shown(pair, side) for pair in pairs[:EXAMPLES]] for side in (good, bad))
    return Line(one, words(one), use, less, has, lacks, worked, avoid)


def _sides(settings: Settings, one: Told, feature: Known | None, ids: Sequence[str]) -> dict[str, bool]:
    """For each of ``ids`` with a known value: whether it is of the question's first side."""
    if feature is None:
        return {}
    asked = np.array(ids, dtype=object)
    two = pair(feature, one.question.contrast)
    if two is not None:
        values = features.values(settings, feature, asked)
        return {name: value == two[0] for name, value in zip(ids, values, strict=True) if value in two}
    if feature.classes:
        return {}
    with reading(settings) as session:
        pool = list(session.scalars(select(Asset.asset_id).where(Asset.removed_at.is_(None))))
    numbers = features.values(settings, feature, np.array([*ids, *pool], dtype=object)).astype(np.float64)
    middle = np.nanmedian(numbers) if np.isfinite(numbers).any() else np.nan
    return {name: bool(value > middle) for name, value in zip(ids, numbers, strict=False) if np.isfinite(value)}


def _shown(pair: Mapping[str, Any], side: str) -> Shown:
    one = pair[side]
    rate = 100 * one["takes"] / max(one["impressions"], 1)
    return Shown(one["asset_id"], pair["title_id"], f"taken by {rate:.1f}\N{NO-BREAK SPACE}%")


def _listed(found: Sequence[str]) -> str:
    texts = [f"images {one}" for one in found]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
