"""Insights as pages show them: a sentence, pictures of both sides, and the evidence behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from attune.labeler.insights import audited, evidence, features, insights, powering, questions
from attune.labeler.insights.amounts import change
from attune.labeler.insights.examples import unused
from attune.labeler.insights.insights import Told
from attune.labeler.insights.known import Known
from attune.labeler.insights.people_asked import PeopleAsked, blind, hidden_of, waiting_images
from attune.labeler.insights.what_to_do import ToDo, turned, what_to_do
from attune.labeler.insights.words import Words, asks, compared, words
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.schema import InsightEvent, InsightRun, InsightVersion
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.explore_jobs import Progress, progress
from attune.labeler.views.insight_bars import (
    Bar,
    Beside,
    Line,
    besides,
    canvas_line,
    halves_said,
    line,
    lines,
    reach_of,
    shrunk_bar,
)
from attune.labeler.views.pictures import PageImage, by_id
from attune.models.errors import AttuneError
from attune.models.insights.grades import MEANING

KIND = "insights"
UNCORRECTED = "as counted, before the correction. Wrong: it takes misread images for what they are not."
POOLED = (
    "with all films mixed. Wrong: popular titles have other images than the rest, so this compares titles, not "
    "their images."
)


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

    @property
    def complete(self) -> bool:
        """Whether both images are here to be looked at."""
        return self.first.picture is not None and self.second.picture is not None

    @property
    def in_pool(self) -> bool:
        """Whether the pool has the title, so that it has a page: performance may know other titles."""
        return any(
            one.picture is not None and one.picture.title_id == self.title_id for one in (self.first, self.second)
        )


@dataclass(frozen=True)
class Card:
    """An insight in the list; ``struck``: figures that are wrong, each with why."""

    one: Told
    said: Words
    amount: str
    bar: Bar | None
    pair: Pair | None
    struck: Sequence[tuple[str, str]] = ()
    gone: InsightEvent | None = None  # who retired it, when and why

    @property
    def to_do(self) -> ToDo:
        """What to do with it."""
        return what_to_do(self.one)

    @property
    def turned(self) -> bool:
        """Whether all titles mixed would say the opposite."""
        return turned(self.one)


@dataclass(frozen=True)
class InsightsPage:
    """``sure`` have a sentence, ``unsure`` not yet, ``retired`` do not hold any more. ``made_up``: some figures are."""

    sure: Sequence[Card]
    unsure: Sequence[Card]
    retired: Sequence[Card]
    run: InsightRun | None
    job: Progress
    imports: int
    features: Sequence[Known]
    made_up: bool
    mixed: bool  # some are, and others were measured
    open_questions: Sequence[str]  # that the next run answers for the first time
    canvases: Sequence[str]  # that have figures, to ask about
    drafts: Set[str] = frozenset()  # features that too few people have checked


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
    besides: Sequence[Beside] = ()
    published: str = ""  # what the published version says, where it is not the newest
    made_up: bool = False
    compared: str = ""
    anew: bool = False  # its feature has other values than those that were asked about
    halves_said: str = ""
    short: bool = False  # the titles that answer it are too few for its test: nothing reads the pool for a look


def insights_page(settings: Settings, viewer: Viewer) -> InsightsPage:
    """All insights."""
    found = insights.listed(settings)
    reach, known = reach_of(found), features.known(settings)
    with reading(settings) as session:
        images = pictures(session, viewer, (one.figures.get("examples") for one in found))
        run, job, waits = insights.last_run(session), progress(session, (KIND,)), waiting_images(session, viewer)
        asked = PeopleAsked.of(session, known)
        answered = {one.question.id for one in found}
        gone = insights.retirements(session)
        waits_for_run = [asks(row) for row in questions.in_force(session) if row.id not in answered]
    cards, used = [], set[frozenset[str]]()
    for one in found:
        made = card(one, images, reach, hidden_of(asked, waits, one.question.feature), used)
        cards.append(replace(made, gone=gone.get(one.row.id)))
        if one.enough and made.pair:
            used.add(frozenset({made.pair.first.asset_id, made.pair.second.asset_id}))
    retired = [one for one in cards if one.one.row.state == insights.RETIRED]
    others = [one for one in cards if one.one.row.state != insights.RETIRED]
    return InsightsPage(
        [one for one in others if one.one.enough],
        [one for one in others if not one.one.enough],
        retired,
        run, job, len(evidence.digests(settings)), list(known.values()),
        any(one.simulated for one in found), len({one.simulated for one in found}) > 1, waits_for_run,
        sorted({part["canvas"] for one in found for part in one.figures.get("canvases") or ()}),
        audited.drafts(settings, known),
    )  # fmt: skip


def insight_page(settings: Settings, viewer: Viewer, number: int) -> InsightPage:
    """One insight. Raises UnknownInsight."""
    one = insights.find(settings, number)
    figures, known = one.figures, features.known(settings)
    with reading(settings) as session:
        images = pictures(session, viewer, (figures.get("examples"),))
        asked = PeopleAsked.of(session, known).about(one.question.feature)
        hidden = waiting_images(session, viewer) if asked else frozenset[str]()
        versions, history = insights.versions(session, number), insights.history(session, number)
    examples = figures.get("examples") or {"same": [], "other": []}
    examples = {way: blind(examples[way], hidden) for way in ("same", "other")}
    canvases = figures.get("canvases") or []
    halves = figures.get("halves") or {}
    reach = reach_of(insights.listed(settings))
    told, fresh = figures["estimate"] is not None, known.get(one.question.feature)
    public = Told(one.row, one.question, one.published) if one.published else None
    return InsightPage(
        card(one, images, reach, hidden),
        MEANING.get(one.newest.grade, ""),  # type: ignore[call-overload]
        lines(figures, reach, one.enough) if told else [],
        [canvas_line(part, reach) for part in canvases],
        [line(name, part, reach, figures["within"]) for name, part in halves.items()],
        pairs(examples["same"], images), pairs(examples["other"], images), versions, history, _plan(one),
        besides(one, reach), words(public).sentence if public else "",
        one.simulated or bool(public and public.simulated), compared(one.question),
        bool(fresh and fresh.values != one.question.values), halves_said(halves), not powering.enough_titles(one),
    )  # fmt: skip


def _plan(one: Told) -> powering.Plan | None:
    try:
        return powering.plan(one)
    except AttuneError:
        return None


def card(
    one: Told, images: Mapping[str, PageImage], reach: float, hidden: frozenset[str] = frozenset(),
    used: Set[frozenset[str]] = frozenset(),
) -> Card:  # fmt: skip
    """An insight with the pictures of its clearest title, one that is here if any is and not ``used`` by another
    insight, without ``hidden`` images."""
    figures = one.figures
    told = figures["estimate"] is not None
    found = pairs(unused(blind((figures.get("examples") or {"same": []})["same"], hidden), used), images)
    here = [pair for pair in found if pair.complete] or found
    amount = change(figures["shrunk"]["estimate"]) if told else ""
    shown = shrunk_bar(figures, reach, one.enough) if told else None
    return Card(one, words(one), amount, shown, here[0] if here else None, struck(one))


def struck(one: Told) -> list[tuple[str, str]]:
    """The figures that others would show, with what is wrong about each."""
    told, figures = [], one.figures
    if uncorrected := figures.get("uncorrected"):
        told.append((change(uncorrected["estimate"]), UNCORRECTED))
    naive = figures.get("naive")
    if naive is not None and figures["within"]:
        told.append((change(naive), f"{POOLED} Here it even says the opposite." if turned(one) else POOLED))
    return told


def pictures(session: Session, viewer: Viewer, found: Iterable[Any]) -> dict[str, PageImage]:
    """The images of all examples that are here."""
    names = {
        pair[side]["asset_id"]
        for one in found
        for way in ("same", "other")
        for pair in (one or {}).get(way, ())
        for side in ("first", "second")
    }
    return by_id(session, names, may_explore(viewer))


def pairs(found: Sequence[Mapping[str, Any]], images: Mapping[str, PageImage]) -> list[Pair]:
    """Examples with their pictures."""

    def side(one: Mapping[str, Any]) -> Side:
        name = one["asset_id"]
        return Side(name, images.get(name), one["takes"] / one["impressions"] if one["impressions"] else math.nan)

    return [Pair(one["title_id"], side(one["first"]), side(one["second"])) for one in found]
