"""What a creative does with an insight: one line, by its grade and its state, that promises no more than is known."""

from __future__ import annotations

from dataclasses import dataclass

from attune.labeler.insights import powering
from attune.labeler.insights.insights import RETIRED, Told
from attune.labeler.insights.words import AGREE, NO_PROOF, place, sides_of, unchecked

GONE = "Do not use it: briefs leave it out, and no run answers it again."
STALE = "Have it answered again before you use it: it is out of date."
NO_FIGURE = "Do nothing with it yet: there is no figure."
MISREAD = "Do nothing with it yet: the only figure is not corrected, and wrong."
EXPLORATORY = "Do nothing with it yet: it was asked after figures of it could be seen; confirm it with new performance."
UNSURE = "Do nothing with it yet: no difference is known. More titles or impressions may tell"
HINT = "Take it as a hint where to look, and do not choose by it. Ask it within titles: of images that differ in it."
NOT_CORRECTED = "Do not choose by it before its errors are corrected."
TURNED = " Do not copy popular films: all films mixed seem to say the opposite."
OPPOSITE = 0.01  # a log ratio: about 1 %
BOTH = " where you have both"
SEVERAL = "Of several images"


@dataclass(frozen=True)
class ToDo:
    """``said`` in words. ``test``: the insight that a test would tell more of, or None; ``check``: the feature that
    experts can check, or empty."""

    said: str
    test: int | None = None
    check: str = ""

    @property
    def text(self) -> str:
        """With the next command, for terminals and programs."""
        if self.test is not None:
            return f"{self.said} To plan the test: `attune insights test {self.test} --to FILE`"
        if self.check:
            return f"{self.said} To ask them: `attune features audit {self.check}`"
        return self.said


def what_to_do(one: Told, missing: bool = False, against: bool = False) -> ToDo:
    """What to do with an insight. For one title: ``missing``, where it has no image of the side that is taken more
    often; ``against``, where its own images surely did otherwise, so that it is no order there."""
    figures = one.figures
    if one.row.state == RETIRED:
        return ToDo(GONE)
    if one.moved:
        return ToDo(STALE)
    if figures["estimate"] is None:
        return ToDo(MISREAD if figures.get("uncorrected") else NO_FIGURE)
    if one.seen:
        return ToDo(EXPLORATORY)
    if not one.enough:
        test = _test(one) if figures["within"] else None
        return ToDo(f"{UNSURE}." if test is None else f"{UNSURE}, or a test.", test)
    if not figures["within"]:
        return ToDo(HINT)
    if figures.get("not_audited"):
        feature = one.question.feature
        return (
            ToDo(NOT_CORRECTED) if figures.get("hindered")
            else ToDo(f"Let experts check {feature} before you choose by it.", check=feature)
        )  # fmt: skip
    prefer = one.newest.grade in {"A", "B"} and not missing and not against
    said = _make(one) if missing else _prefer(one) if prefer else _try(one)
    tells_more = not missing and (not prefer or _goes_both_ways(one))
    return ToDo(f"{_looked(one, said)}{_others(one, prefer)}", _test(one) if tells_more else None)


def turned(one: Told) -> bool:
    """Whether all films mixed say the opposite, and not by next to nothing: the trap of who copies popular films."""
    naive = one.figures.get("naive")
    if not one.enough or naive is None or not one.figures["within"]:
        return False
    return bool(naive * one.figures["shrunk"]["estimate"] < 0 and abs(naive) >= OPPOSITE)


def _sides(one: Told) -> tuple[str, str]:
    """Which images are taken more, and which less often, after the word images."""
    first, second = sides_of(one.question.feature, one.question.contrast)
    return (first, second) if one.figures["shrunk"]["estimate"] > 0 else (second, first)


def _test(one: Told) -> int | None:
    """The insight as one to test, where a test of its titles can answer."""
    return one.row.id if powering.enough_titles(one) else None


def _looked(one: Told, said: str) -> str:
    """``said``, after a look at what a file says of images, where nobody has checked it here."""
    if not unchecked(one):
        return said
    mark = ":" if said.startswith(SEVERAL) else ","
    return f"Look at some images first. If the file is right about them{mark} {said[0].lower()}{said[1:]}"


def _prefer(one: Told) -> str:
    more, less = _sides(one)
    if one.figures.get("unit"):
        return f"{SEVERAL}, prefer one {more}{place(one)}."
    return f"Prefer images {more} to images {less}{place(one)}{BOTH}."


def _try(one: Told) -> str:
    more, less = _sides(one)
    return f"Try it in a test first: images {more} beside images {less}{place(one)}, shown at random."


def _make(one: Told) -> str:
    more, _ = _sides(one)
    return f"Make an image {more}, and test it beside the others."


def _others(one: Told, replaces: bool) -> str:
    """In how many titles it is different, and where it looks different; ``replaces``: so that a poster may go."""
    share, warned = one.figures.get("share_other_way"), TURNED if turned(one) else ""
    if share is None:
        return warned
    if share < AGREE:
        return f" No title is known to go the other way.{warned}"
    test = ", so test before you replace a poster" if replaces else ""
    return f" In about {100 * share:.0f} % of titles it goes the other way{test}. {NO_PROOF}{warned}"


def _goes_both_ways(one: Told) -> bool:
    share = one.figures.get("share_other_way")
    return share is None or share >= AGREE
