"""What simulated experts have given, and what must be true of it at the end."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from attune.labeler.answers import misfiled
from attune.labeler.label_studio import LabelStudio
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.records.schema import Attribute, Queue, Run, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import AttuneError, LabelStudioRefused
from tests.resilience import held_answers

PASSWORD = "a-campaign-of-faults"
CHANGED = 0.1  # share of answers that are changed at once, as a slip is
PATIENCE_SECONDS = 900.0


def truth(email: str, asset_id: str, classes: tuple[str, ...], again: int = 0) -> str:
    """What this person says of this image: never the same for two images by their order, so a mix-up shows."""
    digest = hashlib.sha256(f"{email} {asset_id} {again}".encode()).digest()
    return classes[digest[0] % len(classes)]


@dataclass
class Ledger:
    """Answers that Label Studio has taken: (project, asset) -> the latest value. All threads write here."""

    given: dict[tuple[int, str], str] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # seconds without a question or an answer taken
    refused: set[str] = field(default_factory=set)  # what a person was told who may answer
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        with self.lock:
            return len(self.given)

    def take(self, project: int, asset: str, value: str, change: bool) -> None:
        """Write one answer down; an image that is asked a second time is a fault of the product."""
        with self.lock:
            if (project, asset) in self.given and not change:
                self.doubled.append(f"{project}: {asset}")
            self.given[project, asset] = value

    def refuse(self, told: str) -> None:
        """Write down what kept a person from a question of their own."""
        with self.lock:
            self.refused.add(told)


class Answerer(threading.Thread):
    """One expert who answers one queue until told to stop, and tries again for as long as nothing answers."""

    def __init__(self, settings: Settings, email: str, project: int, classes: tuple[str, ...], ledger: Ledger) -> None:
        super().__init__(daemon=True)
        self.settings, self.email, self.project, self.classes, self.ledger = settings, email, project, classes, ledger
        self.stopping = threading.Event()
        self.person: Any = None

    def run(self) -> None:
        """Answer; each failure of a part is waited out."""
        while not self.stopping.is_set():
            began = time.monotonic()
            task = self._until_taken(self._next)
            if task is None:
                time.sleep(0.5)
                continue
            number, asset = task
            value = truth(self.email, asset, self.classes)
            annotation = self._give(number, value)
            if annotation is None:
                continue
            self.ledger.waits.append(time.monotonic() - began)
            self.ledger.take(self.project, asset, value, change=False)
            if hashlib.sha256(asset.encode()).digest()[1] < 256 * CHANGED:
                changed = truth(self.email, asset, self.classes, again=1)
                if self._change(annotation, changed):
                    self.ledger.take(self.project, asset, changed, change=True)

    def _login(self) -> Any:
        return ExpertSession.login(self.settings.label_studio_address, self.email, PASSWORD)

    def _next(self, person: Any) -> tuple[Any, str] | None:
        """What names the next question, and its image."""
        task = person.next_task(self.project)
        return None if task is None else (task["id"], str(task["data"]["asset_id"]))

    def _change(self, annotation: Any, changed: str) -> bool:
        def change(person: ExpertSession) -> bool:
            person.edit(annotation, changed)
            return True

        return bool(self._until_taken(change))

    def _give(self, task: Any, value: str) -> Any:
        """What names the answer for a change; None where the question was taken back meanwhile."""
        once = uuid4()

        def give(person: ExpertSession) -> int | None:
            try:
                return person.answer(task, value, once=once)
            except LabelStudioRefused as error:
                if error.status == 409:  # it was taken although no reply came
                    return self._held(task)
                if error.status == 404 or error.stale:  # it is gone, or what was shown holds no longer
                    return -1
                if error.status == 403:
                    if self._is_anothers(task):
                        return -1
                    self.ledger.refuse(f"{self.project}: {error}")
                raise

        found = self._until_taken(give)
        return None if found in (None, -1) else found

    def _held(self, task: int) -> int | None:
        with LabelStudio.connect(self.settings) as ls:
            rows = ls.request("GET", f"/api/tasks/{task}/annotations/")
            return int(rows[0]["id"]) if rows else None

    def _is_anothers(self, task: int) -> bool:
        """Whether the question was deleted, and its number, on SQLite, is one of another project's now."""
        with LabelStudio.connect(self.settings) as ls:
            try:
                return int(ls.request("GET", f"/api/tasks/{task}/")["project"]) != self.project
            except LabelStudioRefused as error:
                return error.status == 404

    def _until_taken(self, ask: Any) -> Any:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                if self.person is None:
                    self.person = self._login()
                return ask(self.person)
            except (AttuneError, SQLAlchemyError, requests.RequestException, OSError, ValueError):
                if self.person is not None:
                    self.person.close()
                self.person = None
                time.sleep(0.5)
        return None


def compare(settings: Settings, ledger: Ledger) -> dict[str, list[str]]:
    """What is wrong: answers lost, doubled, stale, misplaced or refused, questions asked twice, runs out of order."""
    recorded: Counter[tuple[int, str]] = Counter()
    value_of: dict[tuple[int, str], str] = {}
    with reading(settings) as session:
        for project, asset, value in held_answers.recorded(session):
            recorded[project, asset] += 1
            value_of[project, asset] = value
        projects = list(session.scalars(select(Queue.project).where(Queue.closed_at.is_(None))))
        runs = {
            name: list(
                session.scalars(
                    select(Run)
                    .join(Attribute, Attribute.id == Run.attribute_id)
                    .where(Attribute.name == name)
                    .order_by(Run.number)
                )
            )
            for name in session.scalars(select(Attribute.name))
        }
        empty = session.scalars(
            select(Queue.project)
            .outerjoin(Task, (Task.queue_id == Queue.id) & (Task.state == "open"))
            .where(Queue.closed_at.is_(None))
            .group_by(Queue.id)
            .having(func.count(Task.id) == 0)
        ).all()
    exported: Counter[tuple[int, str]] = Counter()
    tasks: Counter[tuple[int, str]] = Counter()
    with LabelStudio.connect(settings) as ls:
        for project, asset, annotations in held_answers.exported(ls, projects):
            exported[project, asset] += annotations
            tasks[project, asset] += 1
        wrong = misfiled.compare(settings, ls)
    return {
        "lost": _names(ledger.given.keys() - recorded.keys()),
        "lost in Label Studio": _names(ledger.given.keys() - exported.keys()),
        "only in one of both": _names(recorded.keys() ^ exported.keys()),
        "doubled": _names(key for key, times in (recorded + exported).items() if times > 2) + ledger.doubled,
        "stale": _names(key for key, value in ledger.given.items() if value_of.get(key, value) != value),
        "misplaced": [f"{one.attribute}: {one.image}" for one in wrong],
        "refused": sorted(ledger.refused),
        "asked twice": _names(key for key, times in tasks.items() if times > 1),
        "runs out of order": [name for name, found in runs.items() if not _in_order(found)],
        "empty queues": [str(project) for project in empty],
    }


def _names(keys: Any) -> list[str]:
    return sorted(f"{project}: {asset}" for project, asset in keys)


def _in_order(runs: list[Run]) -> bool:
    numbers, tokens = [run.number for run in runs], [run.token for run in runs]
    counters = [run.answers_counter for run in runs]
    return numbers == list(range(1, len(runs) + 1)) and tokens == sorted(tokens) and counters == sorted(counters)
