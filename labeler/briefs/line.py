"""A line of a brief: an insight beside the title's own images, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attune.labeler.briefs import order
from attune.labeler.insights.features import PER_SD
from attune.labeler.insights.insights import Told
from attune.labeler.insights.what_to_do import BOTH, ToDo, what_to_do
from attune.labeler.insights.words import AGREE, Words
from attune.models.text import plural

FEW = 4  # images of either side that are named


@dataclass(frozen=True)
class Shown:
    """An image of another title, and how often it was taken."""

    asset_id: str
    title_id: str
    said: str


@dataclass(frozen=True)
class Line:
    """An insight for the title. ``use`` and ``less`` name the side that is taken more and less often; ``has`` and
    ``lacks`` are the title's images of either, ``worked`` and ``avoid`` those of other titles. ``here``: how the
    title's own images speak against it, or say nothing of it, or empty."""

    one: Told
    words: Words
    use: str
    less: str
    has: Sequence[str]
    lacks: Sequence[str]
    worked: Sequence[Shown]
    avoid: Sequence[Shown]
    here: str = ""

    @property
    def grade(self) -> str:
        """A to D."""
        return self.one.newest.grade

    @property
    def state(self) -> str:
        """Whether anybody stands for it."""
        made_up = ", simulated performance" if self.one.simulated else ""
        return ("published" if self.published else "not published yet") + made_up

    @property
    def published(self) -> bool:
        """Whether somebody stands for what it says."""
        return order.published(self.one)

    @property
    def to_do(self) -> ToDo:
        """What to do about it for this title."""
        told = what_to_do(self.one, self.missing, against=bool(self.here))
        if self.here or not 0 < len(self.has) <= FEW or not 0 < len(self.lacks) <= FEW:
            return told
        named = f": here {_named(self.has)} rather than {_named(self.lacks)}."
        return replace(told, said=told.said.replace(f"{BOTH}.", named))

    @property
    def why_here(self) -> str:
        """Why the line stands where it does among the others."""
        return order.why(self.one, self.words.reason)

    @property
    def missing(self) -> bool:
        """Whether the title has no image of the side that is taken more often within titles, and some of the other."""
        within = bool(self.one.figures["within"]) and not self.numbers
        return within and not self.has and bool(self.lacks)

    @property
    def numbers(self) -> bool:
        """Whether images differ by degree: the insight compares within a title, so no title lacks anything."""
        return self.one.question.contrast == PER_SD

    @property
    def less_often(self) -> str:
        """What stands above images that are taken less often, and in how many titles they are not: it is no rule."""
        share = self.one.figures.get("share_other_way")
        but = f" (not in about {100 * share:.0f} % of titles)" if share and share >= AGREE else ""
        return f"{self.less_often_bare}{but}"

    @property
    def less_often_bare(self) -> str:
        """The same where a text beside it says in how many titles it is not so."""
        return f"Other films, {self.less}: taken less often"

    @property
    def more_often(self) -> str:
        """What stands above images that are taken more often."""
        return f"Other films, {self.use}: taken more often"

    @property
    def known(self) -> int:
        """How many images of the title have a known side."""
        return len(self.has) + len(self.lacks)

    @property
    def covers(self) -> str:
        """What the title has of it, in words."""
        if not self.known:
            return "Nobody knows yet which images of this title have it."
        if self.numbers:
            count = f"{len(self.has)} of {plural(self.known, 'image')}"
            return f"Beside each other: {count} {self.use} than the middle of this title."
        if self.missing:
            those = "the only one is" if self.known == 1 else f"all {self.known} are"
            return f"Missing: no image {self.use} yet, {those} {self.less}."
        others = f", {_are(len(self.lacks))} {self.less}" if self.lacks else ""
        has = f"{len(self.has)} of {plural(self.known, 'image')} {'is' if len(self.has) == 1 else 'are'}"
        return f"{has} {self.use}{others}."


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _are(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'}"
