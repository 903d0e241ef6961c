"""Groups of members in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attune.labeler.records.schema import MemberGrouping

SURE = 0.1  # q of what is said of an image
LEAST = 1e-4  # of a share, as they are rounded
GOES_WITH = "Grade D: it goes with what is known of the title."
MADE_UP = "These members are simulated: nobody did any of this."
GRADES = {
    "A": "Images were shown at random.",
    "C": "Images were not shown at random, so there may be another reason.",
}


@dataclass(frozen=True)
class Liked:
    """An image that a group takes more often than other members do; ``said`` with its interval."""

    asset_id: str
    title_id: str
    said: str


def liked(row: MemberGrouping, group: int) -> list[Liked]:
    """The images that resonate with ``group``, the strongest first. Each is sure beside all others, and by the range
    that stands beside it."""
    found = row.figures["resonance"]
    if not found:
        return []
    mine = [one for one in found["images"] if one["group"] == group and one["q"] <= SURE]
    return [
        Liked(one["asset_id"], one["title_id"], f"{_times(one['estimate'])} times as often, {_ends(one['ci'])}")
        for one in mine
        if min(one["estimate"], one["ci"][0]) > 0
    ]


def _ends(interval: Sequence[float]) -> str:
    return f"between {' and '.join(map(_times, interval))} times"


def _times(estimate: float) -> str:
    return f"{math.exp(estimate):.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def simulated(row: MemberGrouping) -> bool:
    """Whether its members are made up, as their files said."""
    return bool(row.figures.get("simulated"))


def stable(figures: Mapping[str, Any]) -> str:
    """How far the groups can be relied on."""
    value = figures["stability"]
    if figures["loose"]:
        return (
            f"Loose: another sample of the members would make other groups (agreement {value:.2f}; 0 is chance, 1 the "
            "same groups). Do not build on them."
        )
    return f"Two halves of the members make nearly the same groups (agreement {value:.2f}; 0 is chance, 1 the same)."


def about_artwork(figures: Mapping[str, Any]) -> str:
    """What was compared, and how far to trust it."""
    found = figures["resonance"]
    if not found:
        return "No responses to artwork were brought, so nobody knows which images resonate."
    left = f" {found['too_few']:,} more have too few members or takes." if found["too_few"] else ""
    bad = (
        f" {found['flagged_titles']} titles did not show their images in the planned ratio and were left out."
        if found["flagged_titles"] else ""
    )  # fmt: skip
    return f"{found['pairs']:,} pairs of an image and a group were compared.{left}{bad} {GRADES[found['grade']]}"


def share(one: Mapping[str, Any]) -> str:
    """One group's share of a forecast."""
    low, high = one["ci"]
    usual = f"Of all viewing it has {_percent(one['usual'])}"
    return f"{_percent(one['share'])}, probably between {_percent(low)} and {_percent(high)}. {usual}"


def shares(said: Sequence[Mapping[str, Any]]) -> str:
    """The group of a forecast that differs most from its usual share, of those whose interval excludes it."""
    differ = [one for one in said if not one["ci"][0] <= one["usual"] <= one["ci"][1]]
    if not differ:
        return f"No group is surely expected to differ from its usual share, which is that of all viewing. {GOES_WITH}"
    one = max(differ, key=lambda share: abs(math.log(max(share["share"], LEAST) / max(share["usual"], LEAST))))
    low, high = one["ci"]
    more = "More" if one["share"] > one["usual"] else "Fewer"
    return (
        f"{more} of group {one['group']} than usual: it is expected to be {_percent(one['share'])} of its viewers, "
        f"probably between {_percent(low)} and {_percent(high)}; of all viewing it has {_percent(one['usual'])}. "
        f"{GOES_WITH}"
    )
