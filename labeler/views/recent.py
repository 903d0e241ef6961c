"""An expert's own answers, newest first, each with why the image was asked: told after the answer, never before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from labeler.records.schema import Annotation, Asset, Expert, Queue, Task
from labeler.settings import Settings
from labeler.views.answers import current
from labeler.views.links import task_url
from labeler.views.paging import Page, page_of
from labeler.views.pictures import Picture, picture
from labeler.views.viewer import Viewer, may_see
from models.answers import AUDIT

# Audit and spread share one sentence, true of both: an expert who could tell audits apart might answer them otherwise.
COVERS = "It helps to cover the whole pool, not only the images that are hard or likely."
NEUTRAL = frozenset({AUDIT, "spread"})


@dataclass(frozen=True)
class Given:
    """One answer that was given; ``correctable`` where the task can be opened again in Label Studio."""

    annotation: int
    picture: Picture
    value: str
    expert: str
    answered_at: datetime
    reason: str
    correctable: bool


def reason_of(task: Task | None) -> str:
    """Why an image was asked, in words that never give an audit away."""
    if task is None:
        return "It was answered before Attune asked: an imported answer."
    return COVERS if task.purpose in NEUTRAL else task.reason


def recent(session: Session, viewer: Viewer, attribute_id: int, page: int = 1, size: int = 12) -> Page[Given]:
    """The viewer's own answers on an attribute; everybody's for those who manage it."""
    answer = current([attribute_id])
    query = (
        select(Annotation)
        .join(answer, answer.c.id == Annotation.id)
        .join(Asset, Asset.id == Annotation.asset_pk)
        .where(may_see(viewer))
        .order_by(Annotation.answered_at.desc(), Annotation.id.desc())
    )
    if not viewer.manages:
        query = query.where(Annotation.expert_id == viewer.expert_id)
    found = page_of(session, query, page, size)
    return _given(session, viewer, found)


def _given(session: Session, viewer: Viewer, found: Page[Annotation]) -> Page[Given]:
    tasks = _by_id(session, Task, [one.task_id for one in found.items if one.task_id])
    assets = _by_id(session, Asset, [one.asset_pk for one in found.items])
    experts = _by_id(session, Expert, [one.expert_id for one in found.items])

    def given(one: Annotation) -> Given:
        task = tasks.get(one.task_id)
        own = viewer.expert_id is not None and one.expert_id == viewer.expert_id
        return Given(
            one.id, picture(assets[one.asset_pk]), one.value, experts[one.expert_id].name, one.answered_at,
            reason_of(task), own and task is not None,
        )  # fmt: skip

    return found.map(given)


def _by_id(session: Session, kind: type, ids: Sequence[int | None]) -> dict[int | None, object] | dict:  # type: ignore[type-arg]
    return {row.id: row for row in session.scalars(select(kind).where(kind.id.in_(set(ids))))}  # type: ignore[attr-defined]


def correction(session: Session, settings: Settings, viewer: Viewer, annotation_id: int) -> tuple[str, int] | None:
    """The address to correct one's own answer at, and the task's id in the records; None where it is not one's own."""
    row = session.execute(
        select(Queue, Task)
        .join(Task, Task.queue_id == Queue.id)
        .join(Annotation, Annotation.task_id == Task.id)
        .join(Asset, Asset.id == Annotation.asset_pk)
        .where(
            Annotation.id == annotation_id,
            Annotation.expert_id == viewer.expert_id,
            Annotation.deleted_at.is_(None),
            may_see(viewer),
        )
    ).first()
    return None if row is None else (task_url(settings, row[0], row[1].label_studio_task), row[1].id)
