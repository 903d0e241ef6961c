"""One attribute's page: the question, how far it is, how good the probe is, and what people said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import exclusion, label_errors, totals
from attune.labeler.answers.totals import Counts
from attune.labeler.attributes import attributes, threshold_goals
from attune.labeler.attributes.threshold_goals import GoalThresholds
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.paging import Page
from attune.labeler.records.schema import Asset, Attribute, Expert, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import answer_seconds, measuring, quality
from attune.labeler.views.answer_seconds import Pace
from attune.labeler.views.disagreements import Contested, contested
from attune.labeler.views.forecast import Forecast, forecast
from attune.labeler.views.history import Move, Published, moves, versions
from attune.labeler.views.home import CardFacts, pool_size
from attune.labeler.views.links import queue_url
from attune.labeler.views.measuring import Measuring
from attune.labeler.views.pictures import PageImage, picture
from attune.labeler.views.quality import Point, Quality
from attune.labeler.views.recent import GivenAnswer, recent
from attune.labeler.views.state import ABOUT, Facts, Step, next_step, state


@dataclass(frozen=True)
class Example:
    """An example of what counts or does not: words, or an asset of the pool."""

    text: str
    picture: PageImage | None = None


@dataclass(frozen=True)
class ExpertQueue:
    """An expert's queue and where it is answered."""

    expert: str
    email: str
    url: str


@dataclass(frozen=True)
class Live:
    """What the page keeps asking for while it is open."""

    name: str
    state: str
    run: int | None
    champion: int | None
    counts: Counts
    quality: Quality
    filling: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; ``stamp`` changes when more than the counts did."""
        counts = self.counts
        return {
            "state": self.state,
            "answers": counts.answers,
            "assets": counts.assets,
            "skips": counts.skips,
            "at_work": counts.at_work,
            "by_value": dict(counts.by_value),
            "by_expert": {str(one.expert_id): one.answers for one in counts.experts},
            "quality": {"value": self.quality.value, "lo": self.quality.lo, "hi": self.quality.hi, "n": self.quality.n},
            "stamp": f"{self.run}/{self.champion}/{self.state}/{len(counts.experts)}/{self.filling}",
        }


@dataclass(frozen=True)
class AttributePage:
    """All that the page shows; lists hold their first page."""

    live: Live
    question: str
    definition: str
    classes: Sequence[str]
    revision: int
    in_scope: Sequence[Example]
    out_of_scope: Sequence[Example]
    about: str
    step: Step
    queue_url: str | None
    queues: Sequence[ExpertQueue]
    outlook: Forecast
    curve: Sequence[Point]
    pace: Pace | None
    set_aside: Sequence[tuple[str, str, int]]
    unanswered: Sequence[str]
    recent: Page[GivenAnswer]
    contested: Page[Contested]
    suspected: int  # answers on the page of suspected label errors
    measuring: Measuring | None
    lines: GoalThresholds | None
    versions: Page[Published] | None
    moves: Page[Move] | None


def attribute_page(settings: Settings, viewer: Viewer, name: str) -> AttributePage:
    """What the page of the attribute ``name`` shows to ``viewer``. Raises UnknownAttribute."""
    with reading(settings) as session:
        attribute = attributes.find(session, name)
        live, facts, batch = _live(session, viewer, attribute)
        own = batch.own.get(attribute.id)
        return AttributePage(
            live=live,
            question=attribute.question,
            definition=attribute.definition,
            classes=attribute.classes,
            revision=attribute.revision,
            in_scope=examples(session, attribute.in_scope),
            out_of_scope=examples(session, attribute.out_of_scope),
            about=ABOUT[live.state],
            step=next_step(facts, viewer),
            queue_url=queue_url(settings, own) if own else None,
            queues=_queues(session, settings, attribute.id) if viewer.manages else (),
            outlook=forecast(session, viewer, attribute),
            curve=quality.curve(session, attribute.id, viewer=viewer),
            unanswered=facts.unanswered,
            recent=recent(session, viewer, attribute.id, size=8),
            pace=answer_seconds.pace(session, attribute.id) if viewer.manages else None,
            set_aside=exclusion.by_expert(session, attribute.id) if viewer.manages else (),
            contested=contested(session, viewer, attribute.id, attribute.classes, size=4),
            suspected=label_errors.total(session, viewer, attribute.id),
            measuring=measuring.read(session, attribute) if viewer.manages else None,
            lines=threshold_goals.read(session, attribute) if viewer.manages else None,
            versions=versions(session, attribute.id) if viewer.manages else None,
            moves=moves(session, attribute.id) if viewer.manages else None,
        )


def live(settings: Settings, viewer: Viewer, name: str) -> Live:
    """What changes by itself on the page. Raises UnknownAttribute."""
    with reading(settings) as session:
        return _live(session, viewer, attributes.find(session, name))[0]


def _live(session: Session, viewer: Viewer, attribute: Attribute) -> tuple[Live, Facts, CardFacts]:
    counts = totals.count(session, {attribute.id: attribute.classes})[attribute.id]
    batch = CardFacts(session, [attribute.id], viewer)
    facts = batch.facts(attribute, pool_size(session), counts)
    quality_shown = batch.quality(attribute.id)
    live = Live(attribute.name, state(facts), facts.last_run, facts.champion, counts, quality_shown, facts.being_filled)
    return live, facts, batch


def examples(session: Session, texts: Sequence[str]) -> list[Example]:
    """Examples are part of the definition: whoever reads it sees them, unless they were removed from the pool."""
    found = session.scalars(select(Asset).where(Asset.asset_id.in_(texts), Asset.removed_at.is_(None)))
    pictures = {asset.asset_id: picture(asset) for asset in found}
    return [Example(text, pictures.get(text)) for text in texts]


def _queues(session: Session, settings: Settings, attribute_id: int) -> list[ExpertQueue]:
    rows = session.execute(
        select(Queue, Expert)
        .join(Expert, Expert.id == Queue.expert_id)
        .where(Queue.attribute_id == attribute_id, Queue.closed_at.is_(None))
        .order_by(Expert.name)
    )
    return [ExpertQueue(expert.name, expert.email, queue_url(settings, queue)) for queue, expert in rows]
