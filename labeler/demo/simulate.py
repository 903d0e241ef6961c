"""Simulated experts: each logs in to Label Studio as a person and answers what its own queue serves next.

Each answer has a name of its own, so that a demo that was killed and started again gives none of them twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select

from attune.labeler.answers import counting
from attune.labeler.attributes import attributes
from attune.labeler.demo.prepare import DOMAIN, PASSWORD
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.records.schema import Expert, Queue
from attune.labeler.records.session import reading
from attune.labeler.sample.simulated_experts import Expert as Eye
from attune.labeler.settings import Settings
from attune.models.errors import LabelStudioRefused

PATIENCE_SECONDS = 20.0  # for the order that follows an answer; a person looks at an image in the meantime
POLL_SECONDS = 0.1
NAMES = UUID("5d1c9a52-6a41-4f0b-9a0e-3b1b6f6f2c11")  # of the demo's answers
GONE = {404, 409}  # what Label Studio says of a question taken away in the meantime


@dataclass
class Budget:
    """How many answers may still be given, shared by the experts of one attribute."""

    left: int
    given: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Claim one answer; False where none is left."""
        with self._lock:
            if self.left <= 0:
                return False
            self.left -= 1
            return True

    def used(self, counted: bool) -> None:
        """Say what became of a claim: a skip gives it back."""
        with self._lock:
            self.given += counted
            self.left += not counted


def answer_all(
    settings: Settings, name: str, eyes: tuple[Eye, ...], answers: int, report: Callable[[int], None]
) -> int:
    """Let the experts answer ``answers`` images of the attribute ``name``, each at its own pace; how many were.

    ``said(n)`` hears of every answer. An expert waits for the order that follows its own answer, as a person would who
    looks at an image for a second or two.
    """
    budget = Budget(answers)
    failures: list[BaseException] = []

    def work(eye: Eye) -> None:
        try:
            _one(settings, name, eye, budget, report)
        except BaseException as error:  # told by the caller: a thread's own end is silent
            failures.append(error)

    threads = [threading.Thread(target=work, args=(eye,), name=f"{name}-{eye.name}") for eye in eyes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return budget.given


def _one(settings: Settings, name: str, eye: Eye, budget: Budget, report: Callable[[int], None]) -> None:
    project = _project(settings, name, f"{eye.name}@{DOMAIN}")
    refused: set[int] = set()  # served again, such a question would never be answered
    with ExpertSession.login(settings.label_studio_address, f"{eye.name}@{DOMAIN}", PASSWORD) as person:
        while budget.take():
            task = _next(person, project)
            if task is None:
                budget.used(False)
                return
            if task["id"] in refused:
                budget.used(False)
                return
            asset = task["data"]["asset_id"]
            value = eye.answer(name, asset)
            before = counters(settings, name)[0]
            try:
                person.answer(task["id"], value, lead_time=1.5, once=once(project, asset))
            except LabelStudioRefused as error:
                budget.used(False)
                if error.status not in GONE and not error.stale:
                    raise
                refused.add(task["id"])
                continue
            budget.used(value != "skip")
            report(budget.given)
            wait_learned(settings, name, before + 1)


def once(project: int, asset: str) -> UUID:
    """The name of an expert's answer on one asset, the same whenever it is given; a project is one expert's and one
    attribute's, and several workspaces may share a Label Studio."""
    return uuid5(NAMES, f"{project}/{asset}")


def answer_count(settings: Settings, name: str) -> int:
    """How many answers the attribute ``name`` has; ask for a sync before where webhooks may be lost."""
    with reading(settings) as session:
        return counting.total(session, attributes.find(session, name).id)


def _next(person: ExpertSession, project: int) -> dict[str, Any] | None:
    """The next task; a queue that is being refilled is given a moment."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        task = person.next_task(project)
        if task is not None or time.monotonic() > until:
            return task
        time.sleep(0.5)


def _project(settings: Settings, name: str, email: str) -> int:
    with reading(settings) as session:
        found = attributes.find(session, name)
        row = select(Queue.project).join(Expert, Expert.id == Queue.expert_id)
        return int(session.scalars(row.where(Expert.email == email, Queue.attribute_id == found.id)).one())


def counters(settings: Settings, name: str) -> tuple[int, int]:
    """How many changes of answers there were, and how many the newest round has seen."""
    with reading(settings) as session:
        found = attributes.find(session, name)
        return found.answers_counter, found.learned_counter


def wait_learned(settings: Settings, name: str, counter: int, seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until a round has seen ``counter`` changes of answers; False where it took longer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if counters(settings, name)[1] >= counter:
            return True
        time.sleep(POLL_SECONDS)
    return False
