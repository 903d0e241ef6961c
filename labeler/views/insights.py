"""Insights as pages show them: a sentence, pictures of both sides, and the evidence behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.insights import evidence, features, insights, powering
from attune.labeler.insights.insights import Told
from attune.labeler.insights.known import Known
from attune.labeler.insights.words import WIDE, Words, change, words
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.schema import Asset, InsightEvent, InsightRun, InsightVersion
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.explore_jobs import Progress, progress
from attune.labeler.views.pictures import PageImage, picture
from attune.models.errors import AttuneError
from attune.models.insights.grades import MEANING

KIND = "insights"
LEAST_REACH = 0.1  # of the scale, as a log rate ratio: a small effect looks small


@dataclass(frozen=True)
class Side:
    """One image of an example, with its share of takes; ``picture`` is None where the image is not here."""

    asset_id: str
    picture: PageImage | None
    rate: float


@dataclass(frozen=True)
class Pair:
    """A title with an image of either side."""

    title_id: str
    first: Side
    second: Side


@dataclass(frozen=True)
class Bar:
    """An interval on a scale with 0 in the middle, in percent of its width; ``said`` is its text."""

    value: float
    low: float
    width: float
    said: str


@dataclass(frozen=True)
class Card:
    """An insight in the list; ``struck``: figures that are wrong, each with why."""

    one: Told
    said: Words
    amount: str
    bar: Bar | None
    pair: Pair | None
    struck: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class InsightsPage:
    """``sure`` have a sentence, ``unsure`` not yet, ``retired`` do not hold any more."""

    sure: Sequence[Card]
    unsure: Sequence[Card]
    retired: Sequence[Card]
    run: InsightRun | None
    job: Progress
    imports: int
    features: Sequence[Known]


@dataclass(frozen=True)
class Line:
    """A row of figures: what it is of, its bar, how many titles, or why there is none."""

    name: str
    bar: Bar | None
    titles: int
    why: str = ""


@dataclass(frozen=True)
class InsightPage:
    """One insight with all its evidence."""

    card: Card
    meaning: str
    lines: Sequence[Line]
    canvases: Sequence[Line]
    halves: Sequence[Line]
    same: Sequence[Pair]
    other: Sequence[Pair]
    versions: Sequence[InsightVersion]
    history: Sequence[InsightEvent]
    plan: powering.Plan | None
    published: str = ""  # what the published version says, where it is not the newest


def insights_page(settings: Settings, viewer: Viewer) -> InsightsPage:
    """All insights."""
    found = insights.listed(settings)
    reach = reach_of(found)
    with reading(settings) as session:
        images = pictures(session, viewer, (one.figures.get("examples") for one in found))
        run, job = insights.last_run(session), progress(session, (KIND,))
    cards = [card(one, images, reach) for one in found]
    gone = insights.RETIRED
    return InsightsPage(
        [one for one in cards if one.one.enough and one.one.row.state != gone],
        [one for one in cards if not one.one.enough and one.one.row.state != gone],
        [one for one in cards if one.one.row.state == gone],
        run, job, len(evidence.digests(settings)), list(features.known(settings).values()),
    )  # fmt: skip


def insight_page(settings: Settings, viewer: Viewer, number: int) -> InsightPage:
    """One insight. Raises UnknownInsight."""
    one = insights.find(settings, number)
    figures = one.figures
    with reading(settings) as session:
        images = pictures(session, viewer, (figures.get("examples"),))
        versions, history = insights.versions(session, number), insights.history(session, number)
    examples = figures.get("examples") or {"same": [], "other": []}
    canvases = figures.get("canvases") or []
    halves = figures.get("halves") or {}
    shown = [*(half for half in halves.values() if half), figures, figures.get("any_time") or {}]
    reach = max([LEAST_REACH, *(abs(end) for part in shown if part.get("ci") for end in part["ci"])])
    told = figures["estimate"] is not None
    return InsightPage(
        card(one, images, reach), MEANING.get(one.newest.grade, ""),  # type: ignore[call-overload]
        _lines(figures, reach) if told else [],
        [canvas_line(part, reach) for part in canvases],
        [line(name, part, reach) for name, part in halves.items()],
        pairs(examples["same"], images), pairs(examples["other"], images), versions, history, _plan(one),
        words(Told(one.row, one.question, one.published)).sentence if one.published else "",
    )  # fmt: skip


def _lines(figures: Mapping[str, Any], reach: float) -> list[Line]:
    """The headline, the raw figure, and that with the interval that holds at every look."""
    told = [("Headline (shrunk)", shrunk_bar(figures, reach)), ("Raw figure", bar(figures, reach))]
    if held := figures.get("any_time"):
        told.append(("Raw figure, at every look", bar({"estimate": figures["estimate"], "ci": held["ci"]}, reach)))
    return [Line(name, one, figures["titles"]) for name, one in told]


def _plan(one: Told) -> powering.Plan | None:
    try:
        return powering.plan(one)
    except AttuneError:
        return None


def card(one: Told, images: Mapping[str, PageImage], reach: float) -> Card:
    """An insight with the pictures of its clearest title, one that is here if any is."""
    figures = one.figures
    told = figures["estimate"] is not None
    found = pairs((figures.get("examples") or {"same": []})["same"], images)
    here = [pair for pair in found if pair.first.picture and pair.second.picture] or found
    amount = change(figures["shrunk"]["estimate"]) if told else ""
    shown = shrunk_bar(figures, reach) if told else None
    return Card(one, words(one), amount, shown, here[0] if here else None, struck(figures))


def struck(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures that others would show, with what is wrong about each."""
    told = []
    if uncorrected := figures.get("uncorrected"):
        told.append((change(uncorrected["estimate"]), "without the correction for the probe’s errors"))
    naive = figures.get("naive")
    if naive is not None and figures["within"]:
        told.append((change(naive), "all titles in one pot: popular titles have other images"))
    return told


def reach_of(found: Iterable[Told]) -> float:
    """The scale's half width for all of a list."""
    ends = [
        abs(one.figures["shrunk"]["estimate"]) + WIDE * one.figures["shrunk"]["se"]
        for one in found
        if one.figures["estimate"] is not None
    ]
    return float(max([LEAST_REACH, *ends]))


def shrunk_bar(figures: Mapping[str, Any], reach: float) -> Bar:
    """The headline's bar."""
    middle, error = figures["shrunk"]["estimate"], figures["shrunk"]["se"]
    return bar({"estimate": middle, "ci": [middle - WIDE * error, middle + WIDE * error]}, reach)


def bar(figures: Mapping[str, Any], reach: float) -> Bar:
    """A figure with its interval on a scale from -``reach`` to ``reach``."""
    low, high = figures["ci"]

    def at(value: float) -> float:
        return round(50 + 50 * max(-1.0, min(1.0, value / reach)), 2)

    said = f"{change(figures['estimate'])}, from {change(low)} to {change(high)}"
    return Bar(at(figures["estimate"]), at(low), round(at(high) - at(low), 2), said)


def line(name: str, part: Mapping[str, Any] | None, reach: float) -> Line:
    """A row of the figures of a canvas or a half."""
    if part is None or part.get("estimate") is None:
        return Line(name, None, 0, (part or {}).get("why", "Too few titles for a figure of its own."))
    return Line(name, bar(part, reach), part["titles"])


def canvas_line(part: Mapping[str, Any], reach: float) -> Line:
    """A canvas that nobody asked about alone: drawn towards all canvases, so the luckiest does not stand out."""
    if part.get("estimate") is None:
        return line(part["canvas"], part, reach)
    return Line(part["canvas"], shrunk_bar(part, reach), part["titles"])


def pictures(session: Session, viewer: Viewer, found: Iterable[Any]) -> dict[str, PageImage]:
    """The images of all examples that are here."""
    names = {
        pair[side]["asset_id"]
        for one in found
        for way in ("same", "other")
        for pair in (one or {}).get(way, ())
        for side in ("first", "second")
    }
    if not names:
        return {}
    rows = session.scalars(select(Asset).where(Asset.asset_id.in_(sorted(names)), may_explore(viewer)))
    return {row.asset_id: picture(row) for row in rows}


def pairs(found: Sequence[Mapping[str, Any]], images: Mapping[str, PageImage]) -> list[Pair]:
    """Examples with their pictures."""

    def side(one: Mapping[str, Any]) -> Side:
        name = one["asset_id"]
        return Side(name, images.get(name), one["takes"] / one["impressions"] if one["impressions"] else math.nan)

    return [Pair(one["title_id"], side(one["first"]), side(one["second"])) for one in found]


def waiting(settings: Settings) -> bool:
    """Whether a run is at work or waits."""
    with reading(settings) as session:
        return progress(session, (KIND,)).waits
