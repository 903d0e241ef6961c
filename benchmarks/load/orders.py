"""From an answer to the order that has seen it, for many answers at once and without a question to Label Studio.

The records say which run's order Label Studio serves (`Queue.order_run`, written once it has taken it) and how many
changes of answers a run has seen. An answer's own number is read in the look that finds it, so it is never too low.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Annotation, Attribute, Queue, Run, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from benchmarks.load.seen import Seen

LOOK_SECONDS = 0.1
KIND = "order"
RECORDED = "recorded"


@dataclass
class Waiting:
    """One answer: the task's ``key``, its ``project``, when it was sent; ``counter`` once the records have it."""

    key: str
    project: int
    began: float
    counter: int | None = None
    attribute: int = 0


class Orders(threading.Thread):
    """Looks ten times a second; tells `Seen` of each answer that is in the records, and of each order after it."""

    def __init__(self, settings: Settings, seen: Seen) -> None:
        super().__init__(daemon=True)
        self.settings, self.seen, self.stopping = settings, seen, threading.Event()
        self._waiting: list[Waiting] = []
        self._lock = threading.Lock()

    def add(self, key: str, project: int, began: float) -> None:
        """An answer was given."""
        with self._lock:
            self._waiting.append(Waiting(key, project, began))

    def left(self) -> int:
        """How many answers no order has followed yet."""
        with self._lock:
            return len(self._waiting)

    def run(self) -> None:
        """Look until told to stop."""
        while not self.stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except SQLAlchemyError as error:
                self.seen.tell_error("records", error)

    def look(self) -> None:
        """Tell of all that came since the last look. Raises SQLAlchemyError."""
        with self._lock:
            waiting = list(self._waiting)
        if not waiting:
            return
        with reading(self.settings) as session:
            ended = self._ended(session, waiting)
        with self._lock:
            self._waiting = [one for one in self._waiting if id(one) not in ended]

    def _ended(self, session: Session, waiting: list[Waiting]) -> set[int]:
        keys = [one.key for one in waiting if one.counter is None]
        rows = select(Task.key, Attribute.id, Attribute.answers_counter).join(Annotation, Annotation.task_id == Task.id)
        found = {
            key: (attribute, counter)
            for key, attribute, counter in session.execute(
                rows.join(Attribute, Attribute.id == Annotation.attribute_id).where(Task.key.in_(keys))
            )
        }
        for one in waiting:
            if one.counter is None and one.key in found:
                one.attribute, one.counter = found[one.key]
                self.seen.tell(RECORDED, one.began)
        rows_of_orders = (
            select(Queue.project, func.max(Run.answers_counter))
            .join(Run, (Run.attribute_id == Queue.attribute_id) & (Run.number <= Queue.order_run))
            .group_by(Queue.project)
        )
        served = dict(session.execute(rows_of_orders).all())
        done = [one for one in waiting if one.counter is not None and served.get(one.project, -1) >= one.counter]
        for one in done:
            self.seen.tell(KIND, one.began)
        return {id(one) for one in done}
