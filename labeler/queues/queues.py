"""Queues: every expert's own Label Studio project for an attribute, made when first needed."""

from __future__ import annotations

import hmac

from filelock import FileLock
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from attune.labeler.answers import hints
from attune.labeler.attributes import attributes
from attune.labeler.label_studio import members, projects
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.people import end_access
from attune.labeler.records.schema import Attribute, Expert, Grid, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import load as load_secrets
from attune.models.clock import iso, now

PATIENCE_SECONDS = 300  # for another process that makes queues: some dozens at most


def experts_without_queue(session: Session, attribute: Attribute) -> list[Expert]:
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
        row = attributes.find(session, attribute)
        have = set(session.scalars(select(Queue.expert_id).where(Queue.attribute_id == row.id)))
        missing = (
            experts_without_queue(session, row)
            if experts is None
            else [email for email in experts if email.id not in have]
        )
    if experts is not None:
        with writing(settings) as session:
            here = [email.id for email in experts]
            for table in (Queue, Grid):
                mine = (table.attribute_id == row.id, table.expert_id.in_(here))
                session.execute(update(table).where(*mine).values(closed_at=None))
    for expert in missing:
        _make(settings, ls, row, expert)
    with reading(settings) as session:
        rows = select(Queue).where(Queue.attribute_id == row.id, Queue.closed_at.is_(None)).order_by(Queue.id)
        opened = list(session.scalars(rows))
        emails = missing if experts is None else experts
        who = {email.id: [email.email] if end_access.may_enter(session, email.email) else [] for email in emails}
    members.set_members(ls, {queue.project: who[queue.expert_id] for queue in opened if queue.expert_id in who})
    return opened


def _make(settings: Settings, ls: LabelStudio, attribute: Attribute, expert: Expert) -> None:
    """One maker a workspace at a time; across machines the one whose row came first wins, and the other's project goes.

    A project that a killed maker left without a row is known by its mark and taken over.
    """
    secrets = load_secrets(settings.secrets)
    label = mark(secrets.webhook_secret, attribute, expert)
    title = f"{attribute.name} · {expert.name}"
    address = hints.address(settings, hints.QUEUE, attribute.id, expert.id)
    page = (attribute.question, attribute.classes, attributes.instruction(attribute), address, secrets.hint_secret)
    with FileLock(settings.workspace / "queues.lock", timeout=PATIENCE_SECONDS):
        if _find_queue(settings, attribute, expert) is not None:
            return
        orphan = projects.find(ls, title, label)
        if orphan is not None:
            project = projects.adopt(ls, orphan, *page)
        else:
            project = projects.create(ls, title, *page, mark=label)
        try:
            with writing(settings) as session:
                # A Label Studio that was begun again gives out numbers that older rows have.
                session.execute(update(Queue).where(Queue.project == project.id).values(project=-Queue.id))
                session.add(
                    Queue(
                        attribute_id=attribute.id,
                        expert_id=expert.id,
                        project=project.id,
                        view=project.view,
                        webhook=project.webhook,
                        shown=[[attribute.revision, iso(now())]],
                        created_at=now(),
                    )
                )
        except IntegrityError:
            winner = _find_queue(settings, attribute, expert)
            if winner is None:
                raise
            if winner.project != project.id:
                projects.delete(ls, project)


def _find_queue(settings: Settings, attribute: Attribute, expert: Expert) -> Queue | None:
    with reading(settings) as session:
        return session.scalar(select(Queue).where(Queue.attribute_id == attribute.id, Queue.expert_id == expert.id))


def mark(secret: str, attribute: Attribute, expert: Expert) -> str:
    """What a queue's project is known by in Label Studio, whatever people call it: told apart from those of every
    other workspace, and telling nothing of its secret.
    """
    key = f"queue:{attribute.id}:{expert.id}:{attribute.created_at.isoformat()}"
    return f"attune-{hmac.digest(secret.encode(), key.encode(), 'sha256').hex()[:32]}"


def link(settings: Settings, attribute: str) -> str:
    """The page where an expert answers the attribute: the same for all, each sees the own queue there."""
    return f"{settings.web_address}/attributes/{attribute}/label"
