"""The tabs of an attribute: Label, Results, Versions and Manage. Experts have the first two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attune.labeler.answers import answer_seconds, exclusion, label_errors
from attune.labeler.answers.answer_seconds import Pace
from attune.labeler.attributes import attributes, saved_views, threshold_goals
from attune.labeler.attributes.saved_views import SavedView
from attune.labeler.attributes.threshold_goals import GoalThresholds
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.paging import Page
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import expert_queues, measuring, quality
from attune.labeler.views.attribute_page import Example, Head, examples, head
from attune.labeler.views.disagreements import DisputedImage, disputed_images
from attune.labeler.views.expert_queues import ExpertQueue
from attune.labeler.views.forecast import Forecast, forecast
from attune.labeler.views.gallery import Gallery, GalleryRequest, gallery
from attune.labeler.views.history import Move, Published, moves, versions
from attune.labeler.views.measuring import Measuring
from attune.labeler.views.quality import Point
from attune.labeler.views.recent import GivenAnswer, recent
from attune.labeler.views.where_it_lives import WhereItLives, where_it_lives


@dataclass(frozen=True)
class LabelTab:
    """What to answer and what was answered; lists hold their first page."""

    head: Head
    in_scope: Sequence[Example]
    out_of_scope: Sequence[Example]
    recent: Page[GivenAnswer]
    disputed: Page[DisputedImage]
    set_aside: Sequence[tuple[str, str, int]]
    pace: Pace | None
    suspected: int  # answers on the page of suspected label errors


@dataclass(frozen=True)
class ResultsTab:
    """What the probe finds, and how good it is."""

    head: Head
    gallery: Gallery
    saved: Sequence[SavedView]
    curve: Sequence[Point]
    forecast: Forecast
    where: WhereItLives | None


@dataclass(frozen=True)
class VersionsTab:
    """What is published, and what was."""

    head: Head
    versions: Page[Published]
    moves: Page[Move]


@dataclass(frozen=True)
class ManageTab:
    """What owners decide: audits, the threshold, and whose answers to rely on."""

    head: Head
    measuring: Measuring
    lines: GoalThresholds
    forecast: Forecast
    queues: Sequence[ExpertQueue]


def label_tab(settings: Settings, viewer: Viewer, name: str) -> LabelTab:
    """The first tab of the attribute ``name``. Raises UnknownAttribute."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        return LabelTab(
            head=head(session, settings, viewer, one),
            in_scope=examples(session, one.in_scope),
            out_of_scope=examples(session, one.out_of_scope),
            recent=recent(session, viewer, one.id, size=4),
            disputed=disputed_images(session, viewer, one.id, one.classes, size=4),
            set_aside=exclusion.by_expert(session, one.id) if viewer.manages else (),
            pace=answer_seconds.pace(session, one.id) if viewer.manages else None,
            suspected=label_errors.total(session, settings, viewer, one.id),
        )


def results_tab(settings: Settings, viewer: Viewer, name: str, asked: GalleryRequest) -> ResultsTab:
    """The results of the attribute ``name``; an expert's own where ``viewer`` is one. Raises UnknownAttribute."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        return ResultsTab(
            head=head(session, settings, viewer, one),
            gallery=gallery(session, settings, viewer, one, asked),
            saved=saved_views.read(one) if viewer.manages else (),
            curve=quality.curve(session, one.id, viewer=viewer),
            forecast=forecast(session, viewer, one),
            where=where_it_lives(session, settings, viewer, one),
        )


def versions_tab(settings: Settings, viewer: Viewer, name: str) -> VersionsTab:
    """The versions of the attribute ``name``, for owners. Raises UnknownAttribute."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        return VersionsTab(head(session, settings, viewer, one), versions(session, one.id), moves(session, one.id))


def manage_tab(settings: Settings, viewer: Viewer, name: str) -> ManageTab:
    """What owners decide about the attribute ``name``. Raises UnknownAttribute."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        return ManageTab(
            head=head(session, settings, viewer, one),
            measuring=measuring.read(session, one),
            lines=threshold_goals.read(session, one),
            forecast=forecast(session, viewer, one),
            queues=expert_queues.read(session, settings, one),
        )
