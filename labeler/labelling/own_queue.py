"""Whose queue a labelling page shows: the viewer's own, and nobody else's."""

from __future__ import annotations

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Attribute, Expert, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import AccessError


def find(session: Session, viewer: Viewer, name: str) -> tuple[Attribute, Queue, Expert]:
    """The attribute ``name`` with the viewer's open queue for it. Raises UnknownAttribute; AccessError without one."""
    one = attributes.find(session, name)
    mine = select(Queue, Expert).join(Expert, Expert.id == Queue.expert_id)
    open_here = (Queue.attribute_id == one.id, Queue.closed_at.is_(None), Expert.removed_at.is_(None))
    row = session.execute(mine.where(Queue.expert_id == (viewer.expert_id or 0), *open_here)).one_or_none()
    if row is None:
        raise AccessError(gettext("You have no queue for %(name)s. Ask an owner to add you to its experts.", name=name))
    return one, row[0], row[1]


def check(settings: Settings, viewer: Viewer, name: str) -> None:
    """Raise AccessError where the viewer has no open queue for ``name``, UnknownAttribute where there is none."""
    with reading(settings) as session:
        find(session, viewer, name)


def is_paused(settings: Settings, viewer: Viewer, name: str) -> bool:
    """Whether an owner has stopped the viewer's queue for ``name``. Raises as `find`."""
    with reading(settings) as session:
        return find(session, viewer, name)[1].stopped_at is not None
