"""What all tabs of an attribute share: the question, its state and counts, and the examples that define it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from attune.labeler.answers import totals
from attune.labeler.answers.totals import Counts
from attune.labeler.assets.pool_size import pool_size
from attune.labeler.attributes import attributes
from attune.labeler.labelling import page_advice
from attune.labeler.labelling.page_advice import Way
from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset, Attribute
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.home import CardFacts
from attune.labeler.views.links import queue_url
from attune.labeler.views.pictures import PageImage, by_id
from attune.labeler.views.quality import Quality
from attune.labeler.views.state import ABOUT, Facts, Step, next_step, state


@dataclass(frozen=True)
class Example:
    """An example of what counts or does not: words, or an asset of the pool."""

    text: str
    picture: PageImage | None = None


@dataclass(frozen=True)
class Live:
    """What the page keeps asking for while it is open; ``run``: to an expert only how many runs they were shown."""

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
            "quality": _figures(self.quality),
            "stamp": f"{self.run}/{self.champion}/{self.state}/{len(counts.experts)}/{self.filling}",
        }


def _figures(shown: Quality) -> dict[str, Any]:
    values = {"value": shown.value, "lo": shown.lo, "hi": shown.hi}
    return values | ({"n": shown.n} if shown.counted else {})


@dataclass(frozen=True)
class Head:
    """What every tab of an attribute shows: the question, its state, and one next step."""

    live: Live
    question: str
    definition: str
    classes: Sequence[str]
    revision: int
    about: str
    step: Step
    queue_url: str | None
    way: Way | None  # how the viewer answers next; None without a queue
    unanswered: Sequence[str]
    checks: str = ""  # for managers: the measured feature that the question checks, if it checks one

    @property
    def name(self) -> str:
        """The attribute's name, as in addresses."""
        return self.live.name


def head(session: Session, settings: Settings, viewer: Viewer, attribute: Attribute) -> Head:
    """The head of ``attribute`` as ``viewer`` reads it."""
    live, facts, batch = _live(session, viewer, attribute)
    own = batch.own.get(attribute.id)
    return Head(
        live=live,
        question=attribute.question,
        definition=attribute.definition,
        classes=attribute.classes,
        revision=attribute.revision,
        about=ABOUT[live.state],
        step=next_step(facts, viewer),
        queue_url=queue_url(settings, own) if own else None,
        way=page_advice.way(session, attribute, own) if own else None,
        unanswered=facts.unanswered,
        checks=facts.checks if viewer.manages else "",
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
    run = facts.last_run
    if not viewer.manages:
        run = len(visible_runs.to_experts(session, [attribute.id]).get(attribute.id, ()))
    live = Live(attribute.name, state(facts), run, facts.champion, counts, quality_shown, facts.being_filled)
    return live, facts, batch


def examples(session: Session, texts: Sequence[str]) -> list[Example]:
    """Examples are part of the definition: whoever reads it sees them, unless they were removed from the pool."""
    pictures = by_id(session, texts, Asset.removed_at.is_(None))
    return [Example(text, pictures.get(text)) for text in texts]
