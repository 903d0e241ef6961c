"""Stop one expert's queue for one question, and start it again: an owner's pause.

A stopped queue asks nothing new, and gives back the images that wait in it: the next round asks others about them, and
no audit is lost by it, as what was drawn and is asked of no one is asked again (`audit_questions.unasked_audits`). What
is on a screen at that moment may still be answered for a while (`GRACE`), and every answer counts as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.answers import change, ingest
from attune.labeler.attributes import attributes
from attune.labeler.people import experts
from attune.labeler.records.schema import Queue, Task
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AlreadyThere, RecordsError
from attune.models.text import plural

GRACE = timedelta(minutes=15)  # so long an answer to what was on a screen at the stop may be on its way


@dataclass(frozen=True)
class Stopped:
    """A queue that was stopped, with the number of images that it gave back; or one that was started."""

    attribute: str
    expert: str
    given_back: int = 0
    is_stopped: bool = True

    @property
    def sentence(self) -> str:
        """As people read it."""
        if not self.is_stopped:
            return f"The queue of {self.expert} for {self.attribute} is started. Attune fills it now."
        if not self.given_back:
            back = "No images were waiting in it."
        else:
            back = f"{plural(self.given_back, 'image')} that waited can now go to other experts."
        return f"The queue of {self.expert} for {self.attribute} is stopped. {back} All answers stay."


def stop(settings: Settings, name: str, email: str, who: str = "") -> Stopped:
    """Stop the queue of the expert ``email`` for the attribute ``name``; ``who`` asks for it.

    Label Studio follows with the next sync (`workers.sync.stopped_queues`). Raises UnknownAttribute, UnknownExpert,
    RecordsError without a queue, AlreadyThere where it is stopped.
    """
    with writing(settings) as session:
        queue, expert = _queue(session, name, email)
        if queue.stopped_at is not None:
            raise AlreadyThere(f"The queue of {expert} for {name} is already stopped.")
        queue.stopped_at, queue.stopped_by = now(), who
        waiting = (Task.queue_id == queue.id, Task.state == "open")
        given_back = session.connection().execute(update(Task).where(*waiting).values(state="retired")).rowcount
        change.count(session, queue.attribute_id)  # the images may be asked of others at once
    ingest.ask_to_learn(settings, name)
    return Stopped(name, expert, given_back)


def start(settings: Settings, name: str, email: str) -> Stopped:
    """Start a stopped queue again; the next round fills it. Raises as `stop`, AlreadyThere where it is not stopped."""
    with writing(settings) as session:
        queue, expert = _queue(session, name, email)
        if queue.stopped_at is None:
            raise AlreadyThere(f"The queue of {expert} for {name} is not stopped.")
        queue.stopped_at, queue.stopped_by = None, ""
        queue.ordered_at = None  # its next order does not wait until its expert is at work
        change.count(session, queue.attribute_id)
    ingest.ask_to_learn(settings, name)
    return Stopped(name, expert, is_stopped=False)


def _queue(session: Session, name: str, email: str) -> tuple[Queue, str]:
    """The expert's open queue, and the expert's address; nobody else changes answers or orders of it meanwhile."""
    attribute, expert = attributes.find(session, name), experts.find(session, email)
    change.one_writer(session, attribute.id)
    mine = (Queue.attribute_id == attribute.id, Queue.expert_id == expert.id, Queue.closed_at.is_(None))
    queue = session.scalar(select(Queue).where(*mine))
    if queue is None:
        raise RecordsError(f"{expert.email} has no queue for {name}. To list the queues: `attune queue list {name}`")
    return queue, expert.email
