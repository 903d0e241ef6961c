"""An expert's own pages of images: whether one waits, and how far the next ones are."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.labelling import more_pages
from attune.labeler.people.viewer import Viewer
from attune.labeler.queues import asking, grids
from attune.labeler.records.schema import Expert, Job, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import AccessError


@dataclass(frozen=True)
class NextPage:
    """The address of the page that waits, None where none does; ``expert`` is whose pages they are."""

    link: str | None
    expert: str


@dataclass(frozen=True)
class Progress:
    """How far the job that makes the pages is; ``link`` leads to the page that waits."""

    question: str
    state: str
    error: str
    link: str | None

    @property
    def waits(self) -> bool:
        """Whether it makes sense to look again."""
        return self.state in {"queued", "running"}


def next_page(settings: Settings, viewer: Viewer, name: str) -> NextPage:
    """The viewer's own page that waits. Raises UnknownAttribute, AccessError for one who has no queue for it."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        mine = select(Queue.id).where(Queue.attribute_id == one.id, Queue.expert_id == viewer.expert_id)
        person = session.get(Expert, viewer.expert_id) if viewer.expert_id else None
        if person is None or session.scalar(mine.where(Queue.closed_at.is_(None))) is None:
            raise AccessError(
                gettext(
                    "You have no queue for %(name)s, so you have no pages of images. Ask an owner for a queue.",
                    name=name,
                )
            )
        asking.check_own(session, one, person)
        grid = grids.find_grid(session, one.id, person.id)
        is_waiting = grid is not None and bool(grids.open_pages(session, grid.id))
    return NextPage(grids.link(settings, grid) if grid is not None and is_waiting else None, person.email)


def progress(settings: Settings, viewer: Viewer, name: str, job_id: str) -> Progress:
    """How far the viewer's job is; none is needed where a page waits. Raises UnknownAttribute, AccessError."""
    waiting = next_page(settings, viewer, name)
    with reading(settings) as session:
        question, job = attributes.find(session, name).question, session.get(Job, job_id)
    if waiting.link:
        return Progress(question, "done", "", waiting.link)
    if job is None or job.kind != "grid" or job.arguments.get("expert") != waiting.expert:
        return Progress(question, "done", "", None)
    return Progress(question, job.state, more_pages.why_failed(job) if job.error else "", None)
