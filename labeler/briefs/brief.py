"""What is known for a title's next artwork: each insight beside the title's own images, with its grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets.title_names import title_name
from attune.labeler.briefs import order
from attune.labeler.briefs.in_this_film import against
from attune.labeler.briefs.line import Line, Shown
from attune.labeler.briefs.own import Own, own
from attune.labeler.briefs.tastes import Tastes, tastes
from attune.labeler.insights import features, insights
from attune.labeler.insights.examples import images_in, unused
from attune.labeler.insights.features import pair
from attune.labeler.insights.insights import RETIRED, Told
from attune.labeler.insights.known import Known
from attune.labeler.insights.people_asked import PeopleAsked, waiting_images
from attune.labeler.insights.words import sides_of, words
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import UnknownAsset
from attune.models.text import plural

EXAMPLES = 3  # other titles whose images are shown for a line


@dataclass(frozen=True)
class Brief:
    """``images`` of the title; ``lines``, the strongest evidence first; ``own``: how its images did; ``films``: what
    people call the title of each image that is shown, by asset id, where they call it anything."""

    title_id: str
    images: Sequence[Asset]
    lines: Sequence[Line]
    tastes: Tastes
    made_at: datetime
    own: Own = field(default_factory=Own)
    films: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call the title, or its id."""
        return next((name for one in self.images if (name := title_name(one.columns or {}))), self.title_id)

    @property
    def made_up(self) -> bool:
        """Whether a line, what is said of its own images, or for whom, rests on what was made up."""
        return any(self._simulated)

    @property
    def mixed(self) -> bool:
        """Whether others were measured."""
        return len(set(self._simulated)) > 1

    @property
    def _simulated(self) -> list[bool]:
        own = [self.own.simulated] if self.own.images else []
        whom = [self.tastes.simulated] if self.tastes.groups or self.tastes.forecast else []
        return [*(one.one.simulated for one in self.lines), *own, *whom]

    @property
    def missing(self) -> list[Line]:
        """The lines of which the title has no image."""
        return [one for one in self.lines if one.missing]

    @property
    def summary(self) -> str:
        """The brief in one sentence."""
        if not self.lines:
            return "No insight is sure enough yet, so nobody knows what works."
        kinds = [one for one in self.lines if not one.numbers]
        if not kinds:
            return "What is known to work is a matter of more or less: see which of its images have more."
        if all(one.has for one in kinds):
            return f"Its {plural(len(self.images), 'image')} show each kind that is taken more often elsewhere."
        told = {
            "Taken more often elsewhere, and missing here": self.missing,
            "None here, and nobody knows whether it matters": [
                one for one in kinds if one.known and not one.has and not one.missing
            ],
            "Nobody knows yet whether it has": [one for one in kinds if not one.known],
        }
        said = [f"{head}: {_listed([one.use for one in lines])}." for head, lines in told.items() if lines]
        if self.missing and self.missing[0].here:  # behind the kind that it is about
            said.insert(1, self.missing[0].here)
        return " ".join(said)

    def asset_ids(self) -> list[str]:
        """All images that are shown, each once."""
        found = [one.asset_id for one in self.images]
        for line in self.lines:
            found += [one.asset_id for one in (*line.worked, *line.avoid)]
        for taste in self.tastes.groups:
            found += [*taste.liked, *taste.elsewhere]
        return list(dict.fromkeys(found))


def brief(settings: Settings, title: str, viewer: Viewer | None = None) -> Brief:
    """The brief of ``title``, without what a probe says of images that wait for an answer of ``viewer``.

    Raises UnknownAsset where no image of it is in the pool.
    """
    known = features.known(settings)
    with reading(settings) as session:
        images, asked = images_of(session, title), PeopleAsked.of(session, known)
        hidden = waiting_images(session, viewer) if viewer else frozenset[str]()
    if not images:
        raise UnknownAsset(
            f"No image of the title {title[:80]!r} is in the pool. To see which titles there are: `attune assets list`"
        )
    told = [one for one in insights.listed(settings) if one.enough and one.row.state != RETIRED]
    ids = [one.asset_id for one in images]
    used: set[frozenset[str]] = set()
    lines = [  # the strongest first, so that it has the clearest pairs
        _line(settings, one, known.get(name), images, hidden if asked.about(name) else frozenset(), used)
        for one in sorted(told, key=order.strength)
        for name in [one.question.feature]
    ]
    did = own(settings, title)
    lines = [
        replace(line, here=against(did, (line.has, line.lacks), (line.use, line.less)))
        if line.one.figures["within"] else line
        for line in lines
    ]  # fmt: skip
    made = Brief(title, images, lines, tastes(settings, title, ids), now(), did)
    return replace(made, films=films(settings, made.asset_ids()))


def films(settings: Settings, asset_ids: Sequence[str]) -> dict[str, str]:
    """What people call the title of each of ``asset_ids`` that is in the pool, where they call it anything."""
    wanted = select(Asset.asset_id, Asset.columns).where(Asset.asset_id.in_(asset_ids), Asset.removed_at.is_(None))
    with reading(settings) as session:
        return {id_: name for id_, columns in session.execute(wanted) if (name := title_name(columns or {}))}


def images_of(session: Session, title: str) -> list[Asset]:
    """The images of a title that are in the pool."""
    wanted = select(Asset).where(Asset.title_id == title, Asset.removed_at.is_(None)).order_by(Asset.asset_id)
    return list(session.scalars(wanted))


def _line(
    settings: Settings, one: Told, feature: Known | None, images: Sequence[Asset], hidden: frozenset[str],
    used: set[frozenset[str]],
) -> Line:  # fmt: skip
    title, ids = images[0].title_id, [row.asset_id for row in images if row.asset_id not in hidden]
    more = one.figures["shrunk"]["estimate"] > 0
    first, second = sides_of(one.question.feature, one.question.contrast)
    sides = _sides(settings, one, feature, ids)
    has, lacks = ([name for name, side in sides.items() if side is wanted] for wanted in (more, not more))
    pairs = [pair for pair in (one.figures.get("examples") or {}).get("same", ()) if pair["title_id"] != title]
    pairs = unused([pair for pair in pairs if not hidden & images_in(pair)], used)[:EXAMPLES]
    used.update(images_in(pair) for pair in pairs)
    good, bad = ("first", "second") if more else ("second", "first")
    use, less = (first, second) if more else (second, first)
    worked, avoid = ([_shown(pair, side) for pair in pairs] for side in (good, bad))
    return Line(one, words(one), use, less, has, lacks, worked, avoid)


def _sides(settings: Settings, one: Told, feature: Known | None, ids: Sequence[str]) -> dict[str, bool]:
    """For each of ``ids`` with a known value: whether it is of the question's first side.

    Of a guess, people's answers alone count, and only where they answered of all: nothing is missing among a few.
    """
    if feature is None:
        return {}
    asked = np.array(ids, dtype=object)
    two = pair(feature, one.question.contrast)
    if two is not None:
        values = features.single(settings, feature, asked)
        if feature.guessed and not all(values):
            return {}
        return {name: value == two[0] for name, value in zip(ids, values, strict=True) if value in two}
    if feature.classes:
        return {}
    numbers = features.values(settings, feature, asked).astype(np.float64)
    known = numbers[np.isfinite(numbers)]
    # Beside the title's own middle, as the insight compares; what equals it is of neither side.
    middle = np.median(known) if len(known) else np.nan
    two_sides = zip(ids, numbers, strict=True)
    return {name: bool(value > middle) for name, value in two_sides if np.isfinite(value) and value != middle}


def _shown(pair: Mapping[str, Any], side: str) -> Shown:
    one = pair[side]
    rate = 100 * one["takes"] / max(one["impressions"], 1)
    return Shown(one["asset_id"], pair["title_id"], f"taken in {rate:.1f}\N{NO-BREAK SPACE}% of the times shown")


def _listed(found: Sequence[str]) -> str:
    texts = [f"images {one}" for one in found]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
