"""A labelling page's desk: an expert's queue in the records, and a Label Studio that stores what it is sent.

It stands in for the real one where a test is about the page or the records; `test_answering` asks the real one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from attune.labeler.label_studio import answering
from attune.labeler.labelling import next_questions, take_answers
from attune.labeler.labelling.take_answers import Answer
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Annotation, Asset, Expert, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import iso
from attune.models.errors import LabelStudioUnreachable
from tests.support import factories
from tests.support.overtaken import Writers


class Stored:
    """What Label Studio's side of the page keeps: task's id -> its annotation. ``away``: it does not answer."""

    def __init__(self, settings: Settings, expert: Expert) -> None:
        self.settings, self.user, self.rows = settings, expert.label_studio_user or 7, {}
        self.away, self.sent = False, []  # type: ignore[var-annotated]
        self.clock, self.writers = datetime(2026, 3, 1, tzinfo=UTC), Writers()

    def request(self, method: str, path: str, body: Any) -> Any:
        assert (method, path) == ("POST", answering.ANSWERS)
        if self.away:
            raise LabelStudioUnreachable("Label Studio does not answer.")
        self.sent.append(body)
        return {"answers": [self.store(one) for one in body["answers"]]}

    def store(self, one: dict[str, Any]) -> dict[str, Any]:
        with reading(self.settings) as session:
            rows = select(Task.key, Asset.asset_id).join(Asset, Asset.id == Task.asset_pk)
            key, asset_id = session.execute(rows.where(Task.label_studio_task == one["task"])).one()
        assert key == one["key"]
        held = self.rows.get(one["task"])
        if (held is None or held["result"] != one["result"]) and (refused := self.writers.refusal(one)):
            return {"once": one["once"], "refused": refused}
        self.clock += timedelta(seconds=1)
        made = self.rows.setdefault(one["task"], {"id": 100 + len(self.rows), "created_at": iso(self.clock)})
        looks = one["lead_time"] + one["more"]
        seconds = looks + (made["lead_time"] if held and held["result"] != one["result"] else 0)
        made |= {"result": one["result"], "was_cancelled": one["was_cancelled"], "lead_time": seconds}
        made |= {"updated_at": iso(self.clock), "completed_by": self.user, "updated_by": self.user}
        data = {"asset_id": asset_id, "attune_key": key, "image": ""}
        return {"once": one["once"], "annotation": dict(made), "task": {"id": one["task"], "data": data}}


class Desk:
    """Ana's queue of ``count`` questions, and Bo's of one."""

    def __init__(self, settings: Settings, count: int, images: bool = False) -> None:
        self.settings = settings
        assets = factories.add_assets(settings, count + 1, images)
        self.attribute = factories.add_attribute(settings, classes=["yes", "no"])
        ana, bo = (factories.add_expert(settings, f"{name}@desk.example") for name in ("ana", "bo"))
        self.queue, self.other = (factories.add_queue(settings, self.attribute, one) for one in (ana, bo))
        # Made in another order than they are to be asked.
        self.tasks = [
            factories.add_task(settings, self.queue, asset, position=count - number)
            for number, asset in enumerate(assets[:count])
        ][::-1]
        self.bos = factories.add_task(settings, self.other, assets[count])
        self.ana = ana
        self.viewer = Viewer("expert", ana.email, ana.id, 1)
        self.store = Stored(settings, ana)
        with writing(settings) as session:
            session.get_one(Queue, self.queue.id).order_run = 1

    def ahead(self, *held: str) -> list[str]:
        return [one.key for one in next_questions.ahead(self.settings, self.viewer, "romance", held).questions]

    def take(self, *answers: Answer, revision: int = 1) -> list[str]:
        outcome = take_answers.take(self.settings, self.viewer, "romance", revision, answers)
        return [outcome[one.once] for one in answers]

    def by_key(self) -> list[tuple[str, str]]:
        """The key of each answered question with its answer, in the order in which they were first given."""
        with reading(self.settings) as session:
            rows = select(Task.key, Annotation.value).join(Annotation, Annotation.task_id == Task.id)
            return [(key, value) for key, value in session.execute(rows.order_by(Annotation.id)).all()]

    def counted(self) -> list[tuple[int | None, str]]:
        with reading(self.settings) as session:
            rows = session.execute(select(Annotation.task_id, Annotation.value).order_by(Annotation.id)).all()
            return [(task, value) for task, value in rows]


def answer(task: Task, value: str = "yes") -> Answer:
    return Answer(str(uuid4()), task.key, value, 1.5)
