"""Whose taste a title's images meet, and whose is missing: its groups of members, with what they take more often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attune.labeler.members import forecasting, groupings, words
from attune.labeler.records.schema import MemberGrouping
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError, UnknownGrouping
from attune.models.text import plural

ELSEWHERE = 3  # images of other titles that a group takes more often
NO_GROUPS = (
    "This part needs groups of members, and nobody has made any yet. So it is not known which viewers these images "
    "leave out."
)
OLD_GROUPS = (
    "The groups of members were made before Attune counted each member once, so they may tell of fewer than 50 and are "
    "not shown. Until they are made again, it is not known which viewers these images leave out."
)
NO_RESPONSES = (
    "This part needs what members did when they saw artwork, and nobody has brought that yet. So it is not known which "
    "viewers these images leave out."
)


@dataclass(frozen=True)
class Taste:
    """A group: ``liked`` images of this title, images ``elsewhere``, and its share of the title's viewers ``said``.

    ``compared``: whether this title's images were shown to enough of its members. ``unliked``: whether it surely takes
    each of those less often than others do.
    """

    group: int
    members: int
    liked: Sequence[str]
    elsewhere: Sequence[str]
    said: str
    compared: bool
    unliked: bool = False

    @property
    def missing(self) -> bool:
        """Whether the group surely takes this title's images less often, and prefers images of other titles alone."""
        return self.unliked and not self.liked and bool(self.elsewhere)

    @property
    def covers(self) -> str:
        """What the title has for the group, in words."""
        if self.liked:
            return f"Met: this group takes {plural(len(self.liked), 'image')} of this title more often than others do."
        if self.missing:
            return "Missing: this group takes the images of this title less often than others do."
        if self.compared:
            return "No measurable preference: the figures do not say whether it takes them more often than others do."
        return "Not known: too few of its members saw the images of this title."


@dataclass(frozen=True)
class Tastes:
    """``groups`` of the version in use, those that are missing first, with the ``grade`` of what they like and why;
    or ``why`` there is nothing to say. ``forecast``: who is expected to watch. ``simulated``: nobody did any of it."""

    groups: Sequence[Taste]
    grade: str = ""
    reason: str = ""
    forecast: str = ""
    why: str = ""
    simulated: bool = False


def tastes(settings: Settings, title: str, asset_ids: Sequence[str]) -> Tastes:
    """The groups of the version in use beside the images of ``title``."""
    try:
        row = groupings.find(settings)
    except UnknownGrouping:
        with reading(settings) as session:
            return Tastes([], why=OLD_GROUPS if groupings.listed(session) else NO_GROUPS)
    shares, forecast = _shares(settings, row, title)
    made_up = words.simulated(row)
    found = row.figures["resonance"]
    if not found:
        marked = f"{forecast} {words.MADE_UP}" if forecast and made_up else forecast
        return Tastes([], forecast=marked, why=NO_RESPONSES, simulated=made_up)
    own = set(asset_ids)
    groups = [_taste(row, one, own, shares) for one in row.figures["groups"]]
    groups.sort(key=lambda taste: not taste.missing)
    reason = words.GRADES[found["grade"]] + (f" {words.MADE_UP}" if made_up else "")
    return Tastes(groups, found["grade"], reason, forecast, simulated=made_up)


def _taste(row: MemberGrouping, one: Mapping[str, Any], own: set[str], shares: Mapping[int, str]) -> Taste:
    liked = [image.asset_id for image in words.liked(row, one["group"])]
    told = row.figures["resonance"]["images"]
    mine = [image for image in told if image["group"] == one["group"] and image["asset_id"] in own]
    unliked = bool(mine) and all(image["q"] <= words.SURE and image["estimate"] < 0 for image in mine)
    return Taste(
        one["group"], one["members"], [name for name in liked if name in own],
        [name for name in liked if name not in own][:ELSEWHERE], shares.get(one["group"], ""),
        bool(mine), unliked,
    )  # fmt: skip


def _shares(settings: Settings, row: MemberGrouping, title: str) -> tuple[dict[int, str], str]:
    """Of a title that nobody watched yet: each group's share in words, and the one that differs most."""
    try:
        said = forecasting.forecast(settings, row, title)["shares"]
    except AttuneError:
        return {}, ""
    return {one["group"]: f"Expected share of its viewers: {words.share(one)}" for one in said}, words.shares(said)
