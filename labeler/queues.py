"""Queues: every expert's own Label Studio project for an attribute, made when first needed."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from labeler import attributes
from labeler.label_studio import projects
from labeler.label_studio.client import LabelStudio
from labeler.mending import webhook_address
from labeler.records.schema import Attribute, Expert, Queue
from labeler.records.session import reading, writing
from labeler.secrets import load as load_secrets
from labeler.settings import Settings
from models.clock import now


def wanted(session: Session, attribute: Attribute) -> list[Expert]:
    """Experts who answer this attribute and have no queue for it yet: those who answer every attribute."""
    have = select(Queue.expert_id).where(Queue.attribute_id == attribute.id)
    missing = select(Expert).where(
        Expert.removed_at.is_(None), Expert.every_attribute.is_(True), Expert.id.not_in(have)
    )
    return list(session.scalars(missing.order_by(Expert.id)))


def ensure(settings: Settings, ls: LabelStudio, attribute: str, experts: list[Expert] | None = None) -> list[Queue]:
    """Make the queues that are missing and return the attribute's open ones, in the order they were made.

    ``experts`` get one in any case (None: those who answer every attribute); who comes back finds the old queue
    again. Raises UnknownAttribute, LabelStudioUnreachable, LabelStudioRefused.
    """
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        have = set(session.scalars(select(Queue.expert_id).where(Queue.attribute_id == found.id)))
        missing = wanted(session, found) if experts is None else [one for one in experts if one.id not in have]
    if experts is not None:
        with writing(settings) as session:
            mine = Queue.expert_id.in_([one.id for one in experts])
            session.execute(update(Queue).where(Queue.attribute_id == found.id, mine).values(closed_at=None))
    for expert in missing:
        _make(settings, ls, found, expert)
    with reading(settings) as session:
        rows = select(Queue).where(Queue.attribute_id == found.id, Queue.closed_at.is_(None)).order_by(Queue.id)
        return list(session.scalars(rows))


def _make(settings: Settings, ls: LabelStudio, attribute: Attribute, expert: Expert) -> None:
    made = projects.create(
        ls,
        f"{attribute.name} · {expert.name}",
        attribute.question,
        attribute.classes,
        attributes.instruction(attribute),
        webhook_address(settings),
        load_secrets(settings.secrets).webhook_secret,
    )
    with writing(settings) as session:
        session.add(
            Queue(
                attribute_id=attribute.id,
                expert_id=expert.id,
                project=made.id,
                view=made.view,
                webhook=made.webhook,
                created_at=now(),
            )
        )


def link(settings: Settings, queue: Queue) -> str:
    """Where the expert answers: a page of Label Studio that keeps the queue's order."""
    return projects.labelling_url(settings, queue.project, queue.view)
