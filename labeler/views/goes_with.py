"""What goes with takes, as the page shows it: bars, pictures of what goes with more takes, and a sentence for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from attune.labeler.insights import evidence, features, goes_with_kept, insights
from attune.labeler.insights.goes_with import SAYS
from attune.labeler.insights.goes_with_plot import percent
from attune.labeler.insights.goes_with_words import agreement, first_side, otherwise, sentence, side_of, tells
from attune.labeler.insights.insights import Told
from attune.labeler.insights.known import Known
from attune.labeler.insights.people_asked import PeopleAsked, hidden_of, waiting_images
from attune.labeler.insights.words import Words, words
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.schema import GoesWithRun
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.explore_jobs import Progress, progress
from attune.labeler.views.pictures import PageImage, in_order
from attune.models.insights.side_means import THIRDS

KIND = "goes_with"
SHOWN = 4  # images of a feature
LEAST_REACH = 0.02  # of the plot: a share that is close to nothing looks small


@dataclass(frozen=True)
class Share:
    """What one model says: a bar from ``zero`` by ``at`` for ``size``, and an interval, in percent of the plot."""

    model: str
    zero: float
    at: float
    size: float
    low: float
    width: float
    said: str


@dataclass(frozen=True)
class Within:
    """A sure insight of all canvases together: what looks good across titles may do harm within."""

    one: Told
    said: Words


@dataclass(frozen=True)
class Feature:
    """A feature with its bars; ``tells``: the prediction surely gets worse without it. ``side``: which images the
    pictures are, and ``of`` the class or third that the sentence is about first. ``insight`` is about the same images,
    within titles; None where no insight about them is sure. ``agree``: whether both models find it. ``more``: whether
    ``of`` goes with more takes across titles; ``otherwise``: that the insight points the other way, or empty."""

    name: str
    means: str
    sentence: str
    tells: bool
    side: str
    bars: Sequence[Share]
    pictures: Sequence[PageImage]
    of: str = ""
    insight: Within | None = None
    agree: str = ""
    more: bool = False
    otherwise: str = ""


@dataclass(frozen=True)
class GoesWithPage:
    """``row`` is None before anything was learned. ``moved``: what changed since."""

    row: GoesWithRun | None
    whole: Sequence[Share]
    features: Sequence[Feature]
    moved: Sequence[str]
    job: Progress
    ready: bool

    @property
    def predicts(self) -> bool:
        """Whether all features together surely predict takes of other titles, by one of the models."""
        return any(share["low"] > 0 for share in self.figures["explains"].values())

    @property
    def figures(self) -> Mapping[str, Any]:
        """All that was kept."""
        return self.row.figures if self.row else {}


def goes_with_page(settings: Settings, viewer: Viewer) -> GoesWithPage:
    """The newest, without what it says of images that wait for an answer of ``viewer``."""
    known = features.known(settings)
    ready = bool(known and evidence.digests(settings))
    with reading(settings) as session:
        row, job = goes_with_kept.last(session), progress(session, (KIND,))
        if row is None:
            return GoesWithPage(None, (), (), (), job, ready)
        asked, waits = PeopleAsked.of(session, known), waiting_images(session, viewer)
        told, wrong = row.figures["features"], row.figures["uncorrected"]
        plot = _Plot.of(told)
        shown = [
            _feature(one, known.get(one["feature"]), one["feature"] in wrong, plot,
                     _pictures(session, viewer, one, hidden_of(asked, waits, one["feature"])))
            for one in told
        ]  # fmt: skip
    sure = _sure(settings)
    shown = [_beside(one, known.get(one.name), sure, one.name in wrong) for one in shown]
    whole = _Plot.of([row.figures["explains"]])
    return GoesWithPage(
        row, whole.bars(row.figures["explains"]), shown, goes_with_kept.moved(settings, row), job, ready
    )


def _sure(settings: Settings) -> list[Told]:
    """Sure insights within titles, of all canvases together, in the list's order."""
    sure = [one for one in insights.listed(settings) if one.enough and one.row.state != insights.RETIRED]
    return [one for one in sure if one.figures["within"] and not one.question.canvas]


def _within(shown: Feature, known: Known | None, sure: Sequence[Told]) -> Within | None:
    """The first of the ``sure`` insights that compares the images that the card is about."""
    for one in sure:
        if known is not None and one.question.feature == shown.name and _same(shown.of, known, one.question.contrast):
            return Within(one, words(one))
    return None


def _beside(shown: Feature, known: Known | None, sure: Sequence[Told], uncorrected: bool) -> Feature:
    """With its insight within titles; without pictures where that points the other way, as they would show the
    opposite of what to do."""
    within = _within(shown, known, sure)
    if within is None or known is None or not _turned(shown, known, within.one):
        return replace(shown, insight=within)
    said = otherwise(shown.name, shown.of, shown.more, known.classes, uncorrected)
    return replace(shown, insight=within, otherwise=said, pictures=())


def _turned(shown: Feature, known: Known, one: Told) -> bool:
    """Whether images that go with more takes across titles are taken less often within them, or the reverse."""
    low, _, high = THIRDS
    first, second = features.pair(known, one.question.contrast) or (high, low)
    if shown.of not in (first, second):
        return False
    within = first if one.figures["shrunk"]["estimate"] > 0 else second
    return (shown.of == within) != shown.more


def _same(of: str, known: Known, contrast: str) -> bool:
    """Whether ``contrast`` is about the images ``of`` the card; with two classes, or numbers, there is but one."""
    return len(known.classes) <= 2 or of in (features.pair(known, contrast) or ())


def _feature(
    one: Mapping[str, Any], known: Known | None, uncorrected: bool, plot: _Plot, images: Sequence[PageImage]
) -> Feature:
    classes = known.classes if known else ()
    here = known is not None and (not classes or all(side["side"] in classes for side in one["sides"]))
    said = sentence(one, classes, uncorrected) if here else f"{one['feature']} has changed or is gone. Learn again."
    more = here and tells(one) and bool(one["sides"]) and one["sides"][0]["low"] > 0
    side = side_of(one["feature"], one["sides"][0]["side"], classes) if more else ""
    means = known.means if known else ""
    of = first_side(one) if here else ""
    shown = images if more else ()
    return Feature(
        one["feature"], means, said, tells(one), side, plot.bars(one), shown, of, agree=agreement(one), more=more
    )


def _pictures(
    session: Session, viewer: Viewer, one: Mapping[str, Any], hidden: frozenset[str]
) -> list[PageImage]:  # fmt: skip
    names = [name for name in one["examples"] if name not in hidden]
    return in_order(session, names, may_explore(viewer))[:SHOWN]


@dataclass(frozen=True)
class _Plot:
    """Shares from ``low`` to ``high``, on one scale."""

    low: float
    high: float

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> _Plot:
        ends = [one[model][end] for one in rows for model in SAYS for end in ("low", "high")]
        return cls(min(0.0, *ends), max(LEAST_REACH, *ends))

    def bars(self, one: Mapping[str, Any]) -> list[Share]:
        """Those of each model."""
        return [self._bar(name, one[model]) for model, name in SAYS.items()]

    def _bar(self, name: str, share: Mapping[str, float]) -> Share:
        zero, mean, low, high = (self._at(value) for value in (0.0, share["mean"], share["low"], share["high"]))
        size, width = round(abs(mean - zero), 2), round(high - low, 2)
        return Share(name, zero, min(zero, mean), size, low, width, percent(share))

    def _at(self, value: float) -> float:
        return round(100 * (value - self.low) / (self.high - self.low), 2)
