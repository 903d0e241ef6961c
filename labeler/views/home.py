"""The home page: every attribute with its progress, quality, state and one next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select, tuple_
from sqlalchemy.orm import Session

from attune.labeler.answers import totals
from attune.labeler.answers.totals import Counts
from attune.labeler.assets.pool_size import pool_size
from attune.labeler.catalog.aliases import DRAFT
from attune.labeler.measured import checks
from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Alias, Attribute, Expert, Job, Queue, Run, Task, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import home_pictures, quality
from attune.labeler.views.home_pictures import Pictures
from attune.labeler.views.links import queue_url
from attune.labeler.views.quality import Quality
from attune.labeler.views.state import Facts, Step, next_step, state, visible_advice

PAGE = 30


@dataclass(frozen=True)
class Card:
    """One attribute at a glance."""

    name: str
    question: str
    classes: Sequence[str]
    state: str
    counts: Counts
    quality: Quality
    step: Step
    queue_url: str | None
    champion: int | None
    draft: bool  # whether the champion was published although a class had no answer
    paused: bool  # whether an owner stopped the viewer's queue
    differs: bool  # whether one expert answers otherwise than the rest; told to those who manage
    pictures: Pictures = Pictures()


@dataclass(frozen=True)
class Home:
    """The cards of one page, and what the pool holds."""

    cards: Page[Card]
    assets: int
    attributes: int


def home(settings: Settings, viewer: Viewer, page: int = 1) -> Home:
    """What the home page shows to ``viewer``."""
    with reading(settings) as session:
        query = select(Attribute).where(Attribute.retired_at.is_(None)).order_by(_own(viewer).desc(), Attribute.name)
        attribute_page = page_of(session, query, page, PAGE)
        pool = pool_size(session)
        counts = totals.count(
            session, {attribute_row.id: attribute_row.classes for attribute_row in attribute_page.items}
        )
        pictures = home_pictures.pictures(session, settings, viewer, attribute_page.items)
        row_facts = CardFacts(session, [attribute_row.id for attribute_row in attribute_page.items], viewer)

        def card(attribute: Attribute) -> Card:
            facts = row_facts.facts(attribute, pool, counts[attribute.id])
            own = row_facts.own.get(attribute.id)
            return Card(
                attribute.name, attribute.question, attribute.classes, state(facts), counts[attribute.id],
                row_facts.quality(attribute.id), next_step(facts, viewer), queue_url(settings, own) if own else None,
                facts.champion, attribute.id in row_facts.drafts, facts.paused,
                bool(facts.advice.differs), pictures[attribute.id],
            )  # fmt: skip

        return Home(attribute_page.map(card), pool, attribute_page.total)


def _own(viewer: Viewer) -> ColumnElement[bool]:
    """Whether the viewer has a queue for an attribute: those come first."""
    return (
        exists(Queue.id)
        .where(Queue.attribute_id == Attribute.id, Queue.expert_id == viewer.expert_id, Queue.closed_at.is_(None))
        .correlate(Attribute)
    )


class CardFacts:
    """What the records hold about several attributes, read once for all of them."""

    def __init__(self, session: Session, ids: Sequence[int], viewer: Viewer) -> None:
        self.runs: dict[int, tuple[int, RunAdvice]] = {
            row.attribute_id: (row.number, visible_advice(viewer, RunAdvice.from_dict(row.advice)))
            for row in session.execute(_of_visible_runs(visible_runs.newest(session, ids, viewer)))
        }
        figures = visible_runs.measured(session, ids, viewer)
        self.viewer = viewer
        self.metrics: dict[int, dict[str, Any]] = {
            row.attribute_id: row.metrics for row in session.execute(_of_visible_runs(figures))
        }
        champions = select(Alias.attribute_id, Alias.version).where(
            Alias.attribute_id.in_(ids), Alias.alias == "champion"
        )
        self.champions: dict[int, int] = dict(session.execute(champions).all())
        of_champion = and_(Version.attribute_id == Alias.attribute_id, Version.version == Alias.version)
        self.drafts = set(session.scalars(champions.join(Version, of_champion).where(DRAFT)))
        self.experts, self.stopped = _queues(session, ids), _queues(session, ids, Queue.stopped_at.is_not(None))
        self.open_tasks = _open_tasks(session, ids)
        self.filling = Filling(session)
        own = select(Queue).where(
            Queue.attribute_id.in_(ids), Queue.expert_id == viewer.expert_id, Queue.closed_at.is_(None)
        )
        mine = list(session.scalars(own))
        self.own: dict[int, Queue] = {queue.attribute_id: queue for queue in mine if queue.stopped_at is None}
        self.paused = {queue.attribute_id for queue in mine if queue.stopped_at is not None}

    def facts(self, attribute: Attribute, pool: int, counts: Counts) -> Facts:
        """The facts that an attribute's state is read from."""
        key, answered = attribute.id, counts.answers
        number, advice = self.runs.get(key, (None, RunAdvice()))
        return Facts(
            attribute.name, self.experts.get(key, 0), self.open_tasks.get(key, 0), key in self.own, pool, answered,
            number, self.champions.get(key), advice, counts.unanswered(attribute.classes),
            self.filling.of(attribute.name, self.experts.get(key, 0)), key in self.paused,
            self.stopped.get(key, 0), str(attribute.settings.get(checks.KEY, "")),
        )  # fmt: skip

    def quality(self, attribute_id: int) -> Quality:
        """The honest figure of the newest run whose figures the viewer reads."""
        metrics = self.metrics.get(attribute_id)
        return quality.told(self.viewer, quality.read(metrics) if metrics is not None else Quality())


def _of_visible_runs(numbers: Mapping[int, int]) -> Any:
    mine = tuple_(Run.attribute_id, Run.number).in_(list(numbers.items()))
    return select(Run.attribute_id, Run.number, Run.metrics, Run.advice).where(mine)


class Filling:
    """The jobs that make or fill queues and have not ended: `learn` for an attribute, `join` for an expert."""

    def __init__(self, session: Session) -> None:
        active = select(Job).where(Job.kind.in_(("learn", "join")), Job.state.in_(("queued", "running")))
        found = list(session.scalars(active))
        self.learning = {job.subject for job in found if job.kind == "learn"}
        self.joining = [job.arguments.get("wanted") or () for job in found if job.kind == "join"]
        # A run makes no queue where no expert is to answer every question.
        answers_all = select(Expert.id).where(Expert.removed_at.is_(None), Expert.every_attribute.is_(True))
        self.makes = bool(found) and session.scalar(answers_all.limit(1)) is not None

    def of(self, name: str, experts: int) -> bool:
        """Whether the queues of the attribute ``name``, which ``experts`` have so far, are being made or filled."""
        joins = any(name in wanted or (not wanted and self.makes) for wanted in self.joining)
        return joins or (name in self.learning and (bool(experts) or self.makes))


def _queues(session: Session, ids: Sequence[int], *which: ColumnElement[bool]) -> dict[int, int]:
    open_queues = select(Queue.attribute_id, func.count(Queue.id)).where(
        Queue.attribute_id.in_(ids), Queue.closed_at.is_(None), *which
    )
    return dict(session.execute(open_queues.group_by(Queue.attribute_id)).all())


def _open_tasks(session: Session, ids: Sequence[int]) -> dict[int, int]:
    open_tasks = (
        select(Queue.attribute_id, func.count(Task.id))
        .join(Task, Task.queue_id == Queue.id)
        .where(Queue.attribute_id.in_(ids), Queue.closed_at.is_(None), Task.state == "open")
    )
    return dict(session.execute(open_tasks.group_by(Queue.attribute_id)).all())
