"""Label Studio gives ids away: whatever is added, answered, retired and deleted, each answer stays on its own image."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as trial
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import aliased

from attune.labeler import settings as reader
from attune.labeler.answers import hints, ingest, task_ids, uncounted
from attune.labeler.label_studio import LabelStudio, members, projects, task_changes
from attune.labeler.label_studio import queue_tasks as label_studio_queue
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.labeling_config import write_result
from attune.labeler.label_studio.logins import ensure_user
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.queues import queues
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Job, Queue, Stray, Task, Tombstone
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.services import doctor_content
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import load as load_secrets
from attune.labeler.web.app import create_app
from attune.models.clock import iso, now
from attune.models.errors import DataError, LabelStudioRefused
from attune.models.query.planner import Ask
from attune.workers.rounds import apply_order
from attune.workers.sync import changed_tasks, hinted, project_identity, sync, upkeep
from tests.support import factories
from tests.support.fake_label_studio import FakeLabelStudio
from tests.support.services import PASSWORD
from tests.workers.rounds.test_apply_order import showing

IMAGE = "http://127.0.0.1:1/x.jpg"
CLASSES = ["romance", "friendship", "neither"]
PEOPLE = ("ana", "ben", "cleo")


class Answering(Protocol):
    """What an expert, and an administrator, can do in Label Studio."""

    def answer(self, who: int, task: int, value: str) -> int: ...
    def delete_annotation(self, who: int, annotation: int) -> None: ...
    def delete_task(self, task: int) -> None: ...


@dataclass
class Studio:
    """Three experts' queues for one attribute, and the hands that work in them."""

    settings: Settings
    ls: Any
    hands: Answering
    queues: list[Queue]
    assets: list[Asset]
    hear: Callable[[random.Random, Queue], None] = lambda *_: None  # webhooks, true and forged, come in
    done: Counter[str] = field(default_factory=Counter)
    screens: dict[int, int] = field(default_factory=dict)  # place of the queue -> task on the expert's screen
    keys: dict[int, str] = field(default_factory=dict)  # Label Studio's id -> key of the task that had it last
    given: list[tuple[int, int, int]] = field(default_factory=list)  # (queue's place, task, annotation)

    def add(self, place: int, count: int, rng: random.Random) -> None:
        """Ask the expert about some images that the queue does not hold, as a round does."""
        queue = self.queues[place]
        with reading(self.settings) as session:
            held = set(session.scalars(select(Task.asset_pk).where(Task.queue_id == queue.id, Task.state != "retired")))
        fresh = [one for one in self.assets if one.id not in held]
        chosen = rng.sample(fresh, min(count, len(fresh)))
        new = [NewTask(one.asset_id, IMAGE, 0.5) for one in chosen]
        anew = apply_order._retired(self.settings, queue, [one.asset_id for one in chosen])
        stand = label_studio_queue.add(self.ls, queue.project, new, anew=anew)
        seen = showing(*chosen)
        with writing(self.settings) as session:
            for row, (asset, where) in enumerate(zip(chosen, stand, strict=True)):
                why = Ask(row, asset.asset_id, rng.choice(["audit", "likely"]), 0.5, "r", None)
                apply_order._keep(session, seen, queue, why, where, 1, None)
        self.done["added"] += len(chosen)
        for where in stand:
            self.done["ids used again"] += self.keys.setdefault(where.task, where.key) != where.key
            self.keys[where.task] = where.key

    def open(self, place: int) -> list[Task]:
        """The questions that wait in a queue, as the records have it."""
        with reading(self.settings) as session:
            mine = (Task.queue_id == self.queues[place].id, Task.state == "open")
            return list(session.scalars(select(Task).where(*mine).order_by(Task.id)))

    def look(self, place: int, rng: random.Random) -> None:
        """The expert's browser fetches a question; it may stay on the screen for long."""
        waiting = self.open(place)
        if waiting:
            self.screens[place] = rng.choice(waiting).label_studio_task or 0

    def submit(self, place: int, value: str) -> None:
        """The expert answers what is on the screen, which may be gone by now."""
        task = self.screens.pop(place, None)
        if task is None:
            return
        try:
            annotation = self.hands.answer(place, task, value)
        except LabelStudioRefused:
            self.done["refused"] += 1
            return
        self.given.append((place, task, annotation))
        self.done["answered"] += 1

    def take_back(self, rng: random.Random) -> None:
        """Somebody deletes an answer."""
        if self.given:
            place, _, annotation = self.given.pop(rng.randrange(len(self.given)))
            try:
                self.hands.delete_annotation(place, annotation)
            except LabelStudioRefused:
                return
            self.done["deleted"] += 1

    def retire(self, place: int, rng: random.Random) -> None:
        """A round takes stale questions out, also what is on the screen."""
        waiting = self.open(place)
        stale = rng.sample(waiting, min(len(waiting), 3))
        names = {one.id: one.asset_id for one in self.assets}
        where = [found for task in stale if (found := task_ids.task_address(task, names[task.asset_pk])) is not None]
        gone = label_studio_queue.retire(self.ls, self.queues[place].project, where)
        apply_order._forget(self.settings, self.queues[place], gone)
        self.done["retired"] += len(gone)

    def delete_by_hand(self, place: int, rng: random.Random) -> None:
        """Somebody deletes a question in Label Studio."""
        waiting = self.open(place)
        if waiting:
            self.hands.delete_task(rng.choice(waiting).label_studio_task or 0)
            self.done["deleted by hand"] += 1

    def sync(self, whole: bool = False) -> None:
        """Read all queues."""
        for queue in self.queues:
            with reading(self.settings) as session:
                fresh = session.get_one(Queue, queue.id)
            sync.one_queue(self.settings, self.ls, fresh, whole)
        self.done["syncs"] += 1

    def step(self, rng: random.Random) -> None:
        """One thing that happens."""
        place = rng.randrange(len(self.queues))
        self.hear(rng, self.queues[place])
        what = rng.choices(
            ["add", "look", "submit", "retire", "take back", "by hand", "sync"], [3, 6, 6, 2, 1, 1, 2]
        )[0]  # fmt: skip
        match what:
            case "add":
                self.add(place, 4, rng)
            case "look":
                self.look(place, rng)
            case "submit":
                self.submit(place, rng.choice([*CLASSES, "unsure", "skip"]))
            case "retire":
                self.retire(place, rng)
            case "take back":
                self.take_back(rng)
            case "by hand":
                self.delete_by_hand(place, rng)
            case _:
                self.sync()

    def here(self) -> list[tuple[int | None, str, str, int]]:
        """(annotation's id, asset, value, place of the expert) of every answer in the records."""
        with reading(self.settings) as session:
            rows = session.execute(
                select(Annotation.label_studio_id, Asset.asset_id, Annotation.value, Annotation.expert_id)
                .join(Asset, Asset.id == Annotation.asset_pk)
                .where(Annotation.deleted_at.is_(None))
            ).all()
        places = {queue.expert_id: place for place, queue in enumerate(self.queues)}
        return sorted(((number, asset, value, places[who]) for number, asset, value, who in rows), key=str)


class FakeHands:
    """The experts of a fake Label Studio."""

    def __init__(self, ls: FakeLabelStudio, users: list[int]) -> None:
        self.ls, self.users = ls, users

    def answer(self, who: int, task: int, value: str) -> int:
        return self.ls.answer(task, self.users[who], value)

    def delete_annotation(self, who: int, annotation: int) -> None:
        self.ls.delete_annotation(annotation)

    def delete_task(self, task: int) -> None:
        self.ls.delete_task(task)


def fake_studio(settings: Settings) -> tuple[Studio, FakeLabelStudio]:
    """Three queues in a Label Studio that gives every freed id away at once."""
    ls = FakeLabelStudio(now)
    attribute = factories.add_attribute(settings, "romance", classes=CLASSES)
    people = [factories.add_expert(settings, f"{name}@example.org") for name in PEOPLE]
    made = [factories.add_queue(settings, attribute, one) for one in people]
    secret = load_secrets(settings.secrets).webhook_secret
    for queue, person in zip(made, people, strict=True):
        ls.add_project(queue.project, queues.mark(secret, attribute, person))
        assert person.label_studio_user is not None
        ls.users[person.label_studio_user] = person.email
    hands = FakeHands(ls, [one.label_studio_user or 0 for one in people])

    FAKES[str(settings.workspace)] = ls
    return Studio(settings, ls, hands, made, factories.add_assets(settings, 12)), ls


FAKES: dict[str, FakeLabelStudio] = {}  # by workspace: what `LabelStudio.connect` gives


def forged(rng: random.Random, queue: Queue) -> dict[str, Any]:
    """A body that somebody with the secret may send: any answer by anybody, any deletion, about any project."""
    task, annotation = rng.randrange(1, 40), rng.randrange(1, 60)
    about = {"action": rng.choice(["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"])}
    about["project"] = {"id": queue.project + rng.choice([0, 0, 1, 99])}
    about["annotations"] = [{"id": number} for number in range(annotation, annotation + 5)]
    answer = {"id": annotation, "task": task, "result": write_result(rng.choice(CLASSES)), "was_cancelled": False}
    answer |= dict.fromkeys(("created_at", "updated_at"), iso(now())) | {"completed_by": rng.randrange(1, 9)}
    return about | {"annotation": answer, "task": {"id": task, "data": {"asset_id": f"asset-{rng.randrange(12)}"}}}


class Door:
    """The console's webhook, and the workers: each reading is done at once, later, or never, as when Redis is away."""

    def __init__(self, settings: Settings, patch: pytest.MonkeyPatch) -> None:
        app = create_app(settings)
        self._client, self._settings = app.test_client(), settings
        self._shown = {"X-Attune-Secret": app.extensions["attune"].secrets.hint_secret}
        self._asked: list[str] = []
        patch.setattr(hints, "ask", self._ask)

    def send(self, body: Any, to: str = "") -> int:
        """Post one; the status."""
        path = f"/webhooks/label-studio{to and '/'}{to}"
        return self._client.post(path, json=body, headers=self._shown).status_code

    def hear(self, rng: random.Random, queue: Queue) -> None:
        """Some webhooks come in, of Label Studio and others, and a worker may have time."""
        for _ in range(rng.choice([0, 0, 0, 1, 2])):
            named = rng.choice(["", f"queue-{queue.attribute_id}-{queue.expert_id}", "queue-9-9", "pages-1-1"])
            assert self.send(forged(rng, queue), named) == 202
        if rng.random() < 0.3:
            self.work()

    def work(self) -> None:
        """Do what waits."""
        for name in sorted(set(self._asked)):
            hinted.read(self._settings, name)
        self._asked.clear()

    def _ask(self, settings: Settings, name: str, project: int | None = None) -> bool:
        with reading(settings) as session:
            self._asked.append(name or hints.name_of_project(session, project or 0))
        return True


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = reader.build({}, workspace=tmp_path, redis_url="redis://127.0.0.1:9/0")
    factories.newest(made)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    monkeypatch.setattr(LabelStudio, "connect", lambda settings: FAKES[str(settings.workspace)])
    yield made
    engine(made.records_url).dispose()


@trial(max_examples=4)
@given(seed=st.integers(0, 2**32))
def test_every_answer_ends_on_its_own_image(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    made = reader.build({}, workspace=tmp_path_factory.mktemp("identity"), redis_url="redis://127.0.0.1:9/0")
    factories.newest(made)
    studio, ls = fake_studio(made)
    rng = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LabelStudio, "connect", lambda _: ls)
        studio.hear = Door(made, patch).hear
        for _ in range(200):
            studio.step(rng)
    studio.sync(whole=True)
    there = [
        (number, asset, value, studio.hands.users.index(user))  # type: ignore[attr-defined]
        for queue in studio.queues
        for number, asset, value, user in ls.answers(queue.project)
    ]
    assert studio.here() == sorted(there, key=str)
    with reading(made) as session:
        open_tasks = session.scalars(select(Task).where(Task.state == "open")).all()
        assert {one.label_studio_task for one in open_tasks} <= set(ls.tasks)
        names = {one.id: one.asset_id for one in studio.assets}
        assert all(ls.tasks[one.label_studio_task]["data"]["asset_id"] == names[one.asset_pk] for one in open_tasks)
    engine(made.records_url).dispose()


def outcome(settings: Settings) -> dict[str, list[Any]]:
    """What counts, waits and is left out in the records; but for their history, which also says when it was read."""

    def rows(*columns: Any) -> list[Any]:
        with reading(settings) as session:
            return sorted(map(tuple, session.execute(select(*columns))), key=str)

    counts = aliased(Annotation, select(Annotation).where(Annotation.deleted_at.is_(None)).subquery())
    return {
        "answers": rows(counts.label_studio_id, counts.asset_pk, counts.expert_id, counts.value, counts.purpose),
        "questions": rows(Task.asset_pk, Task.queue_id, Task.label_studio_task, Task.state),
        "strays": rows(Stray.label_studio_id, Stray.project, Stray.reason),
        "tombstones": rows(Tombstone.label_studio_id),
        "jobs": rows(Job.kind),
    }


@trial(max_examples=12)
@given(seed=st.integers(0, 2**32), history=st.lists(st.sampled_from(["answer", "edit", "delete"]), max_size=12))
def test_whatever_webhooks_say_the_next_sync_ends_as_without_them(
    tmp_path_factory: pytest.TempPathFactory, seed: int, history: list[str]
) -> None:
    """Two workspaces with one history: in one of them webhooks, most of them forged, come all the time."""
    found = []
    for webhooks in (False, True):
        made = reader.build({}, workspace=tmp_path_factory.mktemp("law"), redis_url="redis://127.0.0.1:9/0")
        factories.newest(made)
        studio, ls = fake_studio(made)
        rng, noise = random.Random(seed), random.Random(seed + 1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ingest, "ask_to_learn", lambda *_: None)
            patch.setattr(LabelStudio, "connect", lambda _, ls=ls: ls)
            door = Door(made, patch)
            for place in range(3):
                studio.add(place, 4, rng)
            for what in history:
                _happens(ls, what, rng)
                if webhooks:
                    door.hear(noise, studio.queues[noise.randrange(3)])
            sync.run(made, lambda *_: None)
        found.append(outcome(made))
        engine(made.records_url).dispose()
    assert found[0] == found[1]
    assert not found[1]["tombstones"]
    assert not found[1]["jobs"]


def _happens(ls: FakeLabelStudio, what: str, rng: random.Random) -> None:
    """An expert answers a question of the own queue, or changes an answer, or takes it back."""
    number = rng.choice(sorted(ls.tasks))
    row = ls.tasks[number]
    if what == "answer" and not row["annotations"]:
        ls.answer(number, sorted(ls.users)[sorted(ls.projects).index(row["project"])], rng.choice([*CLASSES, "skip"]))
    elif what == "edit" and row["annotations"]:
        ls.edit(row["annotations"][0]["id"], rng.choice(CLASSES))
    elif what == "delete" and row["annotations"]:
        ls.delete_annotation(row["annotations"][0]["id"])


def test_an_answer_whose_number_was_reported_as_deleted_before_it_was_given_counts(
    workspace: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reports 2,000 numbers as deleted, again while the sync reads: each dropped the answer that got it."""
    studio, ls = fake_studio(workspace)
    studio.add(0, 3, random.Random(1))
    queue = studio.queues[0]
    app = create_app(workspace)
    shown = {"X-Attune-Secret": app.extensions["attune"].secrets.hint_secret}
    body = {"action": "ANNOTATIONS_DELETED", "project": {"id": queue.project}}
    body["annotations"] = [{"id": number} for number in range(1, 2001)]

    def report() -> None:
        assert app.test_client().post("/webhooks/label-studio", json=body, headers=shown).status_code < 300

    report()
    for task in studio.open(0):
        ls.answer(task.label_studio_task or 0, ls_user(workspace, queue), "romance")
    request = ls.request

    def ask(method: str, path: str, *rest: Any, **more: Any) -> Any:
        if path == "/api/tasks":
            report()
        return request(method, path, *rest, **more)

    monkeypatch.setattr(ls, "request", ask)
    sync.run(workspace, lambda *_: None)
    assert [answer[2] for answer in studio.here()] == ["romance"] * 3


def test_two_readings_at_once_leave_no_answer_that_is_gone(
    workspace: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has seen an answer, which is deleted before the other asks; and it tells of it before the other ends."""
    studio, ls = fake_studio(workspace)
    clock = [now() - timedelta(hours=2)]
    monkeypatch.setattr(ls, "_clock", lambda: clock[0])
    studio.add(0, 3, random.Random(1))
    queue = studio.queues[0]
    sync.run(workspace, lambda *_: None)
    first, second = [task.label_studio_task or 0 for task in studio.open(0)][:2]
    gone = ls.answer(first, ls_user(workspace, queue), "romance")
    before = list(task_changes.changed_since(ls, queue.project, None))  # type: ignore[arg-type]
    clock[0] += timedelta(hours=1)
    ls.delete_annotation(gone)
    clock[0] += timedelta(hours=1)
    ls.answer(second, ls_user(workspace, queue), "neither")
    after = list(task_changes.changed_since(ls, queue.project, None))  # type: ignore[arg-type]

    def quick(*_: Any) -> Any:
        yield from after
        with monkeypatch.context() as patch:
            patch.setattr(changed_tasks.task_changes, "changed_since", lambda *_: iter(before))
            changed_tasks.read(workspace, ls, queue)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(changed_tasks.task_changes, "changed_since", quick)
        changed_tasks.read(workspace, ls, queue)  # type: ignore[arg-type]
    sync.run(workspace, lambda *_: None)
    assert [answer[2] for answer in studio.here()] == ["neither"]


def test_a_question_deleted_by_hand_is_noticed_by_the_next_sync(workspace: Settings) -> None:
    studio, ls = fake_studio(workspace)
    studio.add(0, 6, random.Random(1))
    answered, waiting = studio.open(0)[0], studio.open(0)[5]
    studio.screens[0] = answered.label_studio_task or 0
    studio.submit(0, "romance")
    ls.add_tasks(studio.queues[0].project, "put in by hand", 3)  # more than will be deleted
    sync.run(workspace, lambda *_: None)
    ls.delete_task(answered.label_studio_task or 0)
    ls.delete_task(waiting.label_studio_task or 0)
    assert sync.run(workspace, lambda *_: None)["deleted"] == 1
    assert sync.run(workspace, lambda *_: None)["deleted"] == 0
    with reading(workspace) as session:
        assert [session.get_one(Task, one.id).state for one in (answered, waiting)] == ["retired", "retired"]
    assert studio.here() == []


@pytest.mark.parametrize("hinted_first", [False, True])
def test_a_question_that_is_deleted_while_another_is_made_by_hand_is_noticed(
    workspace: Settings, hinted_first: bool
) -> None:
    studio, _ = fake_studio(workspace)
    waiting, queue = _deleted_beside_one_made_by_hand(studio), studio.queues[0]
    if hinted_first:  # it reads what changed, so that the sync after it does not
        hinted.read(workspace, f"queue-{queue.attribute_id}-{queue.expert_id}")
    sync.run(workspace, lambda *_: None)
    with reading(workspace) as session:
        assert session.get_one(Task, waiting.id).state == "retired"


def test_a_deleted_question_is_noticed_although_the_reading_that_met_a_task_made_by_hand_was_killed(
    workspace: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio, ls = fake_studio(workspace)
    monkeypatch.setattr(ls, "_clock", lambda: now() - timedelta(hours=1))  # nothing is new to the next reading
    waiting = _deleted_beside_one_made_by_hand(studio)
    with monkeypatch.context() as patch:
        patch.setattr(changed_tasks.upkeep.task_changes, "tasks_of", _killed)
        with pytest.raises(Killed):
            sync.run(workspace, lambda *_: None)
    sync.run(workspace, lambda *_: None)
    with reading(workspace) as session:
        assert session.get_one(Task, waiting.id).state == "retired"


def test_a_task_made_by_hand_that_was_stamped_before_the_mark_and_committed_after_it_is_noticed(
    workspace: Settings,
) -> None:
    studio, ls = fake_studio(workspace)
    waiting = _deleted_beside_one_made_by_hand(studio)
    with reading(workspace) as session:
        ls.tasks[max(ls.tasks)]["updated_at"] = session.get_one(Queue, studio.queues[0].id).synced_until
    sync.run(workspace, lambda *_: None)
    with reading(workspace) as session:
        assert session.get_one(Task, waiting.id).state == "retired"


def test_after_a_pause_of_the_workers_a_task_that_was_committed_since_is_noticed(
    workspace: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stamp is from before the mark, and the pause longer than Label Studio takes to commit."""
    studio, ls = fake_studio(workspace)
    pause = now() - timedelta(hours=1)
    monkeypatch.setattr(ls, "_clock", lambda: pause)
    waiting, queue = _deleted_beside_one_made_by_hand(studio), studio.queues[0]
    with writing(workspace) as session:
        mark = session.get_one(Queue, queue.id).synced_until
        session.add(synced(pause))
    ls.tasks[max(ls.tasks)]["updated_at"] = mark - timedelta(seconds=20)
    compared: list[object] = []
    monkeypatch.setattr(upkeep, "retire_deleted", _noting(compared, upkeep.retire_deleted))
    for _ in range(2):
        sync.run(workspace, lambda *_: None)
        with writing(workspace) as session:
            session.add(synced(now()))
    with reading(workspace) as session:
        assert session.get_one(Task, waiting.id).state == "retired"
    assert len(compared) == 1, "what a sync has seen is not compared again"


def test_a_sync_that_could_not_read_a_queue_has_seen_nothing_of_it(workspace: Settings) -> None:
    studio, _ = fake_studio(workspace)
    queue, before = studio.queues[0], now() - timedelta(hours=1)
    assert changed_tasks.all_read_at(workspace, queue, now()) is None
    with writing(workspace) as session:
        session.add(synced(before))
        session.add(synced(now(), failed={str(queue.project): "It was away."}))
        session.add(synced(now(), subject="one question alone"))
    assert changed_tasks.all_read_at(workspace, queue, now()) == before
    assert changed_tasks.all_read_at(workspace, queue, before - timedelta(days=1)) == before - timedelta(days=1)


def synced(at: datetime, failed: dict[str, str] | None = None, subject: str | None = None) -> Job:
    """A sync that was asked for at ``at`` and is done."""
    made = Job(id=uuid4().hex, kind="sync", subject=subject, arguments={}, state="done", created_at=at, finished_at=at)
    made.result = {"failed": failed or {}}
    return made


def _noting(found: list[object], function: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*given: Any) -> Any:
        found.append(given)
        return function(*given)

    return noted


def _deleted_beside_one_made_by_hand(studio: Studio) -> Task:
    """A question that is deleted while a task is made by hand: the project holds as many tasks as at the last sync."""
    studio.add(0, 6, random.Random(1))
    sync.run(studio.settings, lambda *_: None)
    waiting = studio.open(0)[2]  # not the newest, whose number would be given away
    studio.ls.delete_task(waiting.label_studio_task or 0)
    studio.ls.add_tasks(studio.queues[0].project, "put in by hand", 1)
    return waiting


class Killed(BaseException):
    """As kill -9 ends a process: nothing catches it."""


def _killed(*_: object) -> None:
    raise Killed


def test_a_queue_that_somebody_emptied_is_filled_again(workspace: Settings) -> None:
    """Nobody can answer an empty queue, and so nobody would ask for a round."""
    studio, ls = fake_studio(workspace)
    studio.add(0, 6, random.Random(1))
    before = counter(workspace)
    for task in studio.open(0):
        ls.delete_task(task.label_studio_task or 0)
    sync.run(workspace, lambda *_: None)
    assert studio.open(0) == []
    assert counter(workspace) > before


def counter(settings: Settings) -> int:
    """What learners watch."""
    with reading(settings) as session:
        return session.scalars(select(Attribute.answers_counter)).one()


def test_most_of_a_queues_answers_never_vanish_at_once(workspace: Settings) -> None:
    studio, ls = fake_studio(workspace)
    studio.add(0, 10, random.Random(1))
    queue = studio.queues[0]
    for task in studio.open(0):
        ls.answer(task.label_studio_task or 0, ls_user(workspace, queue), "romance")
    sync.run(workspace, lambda *_: None)
    assert len(studio.here()) == 10
    for number in list(ls.tasks)[:8]:
        ls.delete_task(number)
    told = sync.run(workspace, lambda *_: None)
    assert (told["deleted"], len(studio.here())) == (0, 10)
    assert "--accept-deleted" in told["failed"][str(queue.project)]
    assert doctor_content.answers(workspace).state == "warn"
    told = sync.run(workspace, lambda *_: None, whole=True, accept_deleted=True)
    assert (told["deleted"], len(studio.here())) == (8, 2)
    assert doctor_content.answers(workspace).state == "ok"


def test_answers_are_safe_from_the_numbers_of_new_ones(workspace: Settings) -> None:
    """A Label Studio begun anew gives the numbers of the old answers to new ones, one after the other."""
    studio, ls = fake_studio(workspace)
    studio.add(0, 6, random.Random(1))
    first, second = studio.queues[:2]
    for task in studio.open(0):
        ls.answer(task.label_studio_task or 0, ls_user(workspace, first), "romance")
    sync.run(workspace, lambda *_: None)
    old = {answer[1:] for answer in studio.here()}
    ls.tasks.clear()
    ls.projects[first.project]["description"] = f"attune-{'0' * 32}"
    studio.add(1, 6, random.Random(2))
    for task in studio.open(1):
        ls.answer(task.label_studio_task or 0, ls_user(workspace, second), "neither")
    sync.run(workspace, lambda *_: None, whole=True)
    assert old < {answer[1:] for answer in studio.here()}
    assert len(studio.here()) == 12


def test_ids_paired_wrongly_are_put_right(workspace: Settings) -> None:
    studio, _ = fake_studio(workspace)
    studio.add(0, 4, random.Random(1))
    one, two = studio.open(0)[:2]
    first, second = one.label_studio_task, two.label_studio_task
    with writing(workspace) as session:
        session.get_one(Task, one.id).label_studio_task = None
        session.flush()
        session.get_one(Task, two.id).label_studio_task = first
        session.flush()
        session.get_one(Task, one.id).label_studio_task = second
    sync.run(workspace, lambda *_: None)
    assert [task.label_studio_task for task in studio.open(0)][:2] == [first, second]


def test_a_copied_task_takes_no_question_away(workspace: Settings) -> None:
    """Its image would then be written onto the copy, which is about another."""
    studio, ls = fake_studio(workspace)
    studio.add(0, 2, random.Random(1))
    task = studio.open(0)[0]
    mine = ls.tasks[task.label_studio_task or 0]
    copy = ls.add_tasks(studio.queues[0].project, studio.assets[-1].asset_id, 1)[0]
    ls.tasks[copy]["data"]["attune_key"] = mine["data"]["attune_key"]
    sync.run(workspace, lambda *_: None)
    assert studio.open(0)[0].label_studio_task == task.label_studio_task


def test_strays_go_with_their_task(workspace: Settings) -> None:
    studio, ls = fake_studio(workspace)
    ls.users[1] = "admin@example.org"
    studio.add(0, 3, random.Random(1))
    number = studio.open(0)[0].label_studio_task or 0
    ls.answer(number, 1, "romance")
    assert sync.run(workspace, lambda *_: None)["strays"] == {"unknown author": 1}
    ls.delete_task(number)
    assert sync.run(workspace, lambda *_: None)["strays"] == {}


def test_unsure_and_real_classes_never_mean_another(workspace: Settings) -> None:
    fake_studio(workspace)
    for called in ("unsure", "skip", "neither"):
        with pytest.raises(DataError):
            uncounted.read_as(workspace, "romance", called, "romance")


def test_a_class_renamed_by_hand_stalls_nothing_and_is_read_once_it_is_mapped(workspace: Settings) -> None:
    studio, ls = fake_studio(workspace)
    studio.add(0, 3, random.Random(1))
    queue = studio.queues[0]
    task = studio.open(0)[0].label_studio_task or 0
    ls.projects[queue.project]["label_config"] = "<View>Romance!</View>"
    ls.answer(task, ls_user(workspace, queue), "Romance!")
    assert sync.one_queue(workspace, ls, queue)["left_out"] == 1  # type: ignore[arg-type]
    assert "Romance!" not in ls.projects[queue.project]["label_config"]
    assert len(studio.open(0)) == 2  # it does not wait at the head of the queue
    (left,) = uncounted.uncounted_answers(workspace, "romance")
    assert (left.value, left.reason) == ("Romance!", "unknown class")
    assert uncounted.read_as(workspace, "romance", "Romance!", "romance") == 1
    sync.one_queue(workspace, ls, queue, whole=True)  # type: ignore[arg-type]
    assert [answer[2] for answer in studio.here()] == ["romance"]
    assert uncounted.uncounted_answers(workspace, "romance") == []


def test_an_empty_answer_is_asked_again(workspace: Settings) -> None:
    studio, ls = fake_studio(workspace)
    studio.add(0, 2, random.Random(1))
    queue, task = studio.queues[0], studio.open(0)[0]
    ls.answer(task.label_studio_task or 0, ls_user(workspace, queue), "romance")
    ls.tasks[task.label_studio_task or 0]["annotations"][0]["result"] = []
    sync.one_queue(workspace, ls, queue)  # type: ignore[arg-type]
    assert [one.id for one in studio.open(0)] != [task.id]
    studio.add(0, 12, random.Random(2))
    with reading(workspace) as session:
        again = session.get_one(Task, task.id)
    assert again.state == "open"
    assert again.label_studio_task != task.label_studio_task
    assert ls.tasks[again.label_studio_task or 0]["annotations"] == []


def test_a_label_studio_begun_anew_is_not_read_as_the_old_one(workspace: Settings) -> None:
    """Its projects have the numbers of other queues, or are none of ours."""
    studio, ls = fake_studio(workspace)
    first, second, third = studio.queues
    numbers = {one.id: one.project for one in studio.queues}
    marks = [ls.projects[one.project]["description"] for one in (first, second)]
    ls.projects[first.project]["description"], ls.projects[second.project]["description"] = marks[1], marks[0]
    ls.projects[third.project]["description"] = f"attune-{'0' * 32}"
    found = check(workspace, ls, first, second, third)
    assert set(found.tasks) == {first.id, second.id} == found.moved
    assert (first.project, second.project) == (numbers[second.id], numbers[first.id])
    assert list(found.failed) == [str(third.project)]


def test_a_mark_that_somebody_edited_away_comes_back(workspace: Settings) -> None:
    studio, ls = fake_studio(workspace)
    studio.add(0, 2, random.Random(1))
    queue = studio.queues[0]
    mark = ls.projects[queue.project]["description"]
    ls.projects[queue.project]["description"] = "Ana's work"
    assert check(workspace, ls, queue).failed == {}
    assert ls.projects[queue.project]["description"] == f"Ana's work {mark}"


def test_lost_secrets_cost_no_queue(workspace: Settings) -> None:
    """Marks are made with a secret; new secrets make other marks, and the tasks still have our keys."""
    studio, ls = fake_studio(workspace)
    studio.add(0, 2, random.Random(1))
    mine, empty = studio.queues[:2]
    workspace.secrets.unlink()
    before = dict(ls.projects[mine.project])
    found = check(workspace, ls, mine, empty)
    assert list(found.tasks) == [mine.id]
    assert ls.projects[mine.project]["description"] != before["description"]
    assert list(found.failed) == [str(empty.project)]


def check(settings: Settings, ls: Any, *rows: Queue) -> project_identity.Checked:
    """What is found of the rows' projects in Label Studio."""
    return project_identity.check(settings, ls, list(rows), projects.list_projects(ls))


def ls_user(settings: Settings, queue: Queue) -> int:
    """The queue's expert in Label Studio."""
    with reading(settings) as session:
        return session.get_one(Expert, queue.expert_id).label_studio_user or 0


class RealHands:
    """The experts of a real Label Studio, each logged in, and its administrator."""

    def __init__(self, ls: LabelStudio, people: list[ExpertSession]) -> None:
        self.ls, self.people = ls, people

    def answer(self, who: int, task: int, value: str) -> int:
        return self.people[who].answer(task, value)

    def delete_annotation(self, who: int, annotation: int) -> None:
        self.people[who].delete(annotation)

    def delete_task(self, task: int) -> None:
        with suppress(LabelStudioRefused):
            self.ls.request("DELETE", f"/api/tasks/{task}/")


@pytest.mark.services
@pytest.mark.slow
def test_every_answer_ends_on_its_own_image_in_a_real_label_studio(live: Settings, ls: LabelStudio) -> None:
    """120 rounds in three queues. Nor is an id ever given again, as Label Studio does on SQLite by itself."""
    attribute = factories.add_attribute(live, "romance", classes=CLASSES)
    secret = load_secrets(live.secrets).webhook_secret
    made, people, users = [], [], []
    for name in PEOPLE:
        email = f"{name}.identity@example.org"
        user = ensure_user(ls, email, PASSWORD)
        person = factories.add_expert(live, email)
        queue = factories.add_queue(live, attribute, person)
        mark = queues.mark(secret, attribute, person)
        project = projects.create(ls, f"identity · {name}", "?", CLASSES, "", f"{live.web_address}/none", "s", mark)
        with writing(live) as session:
            session.get_one(Expert, person.id).label_studio_user = user
            row = session.get_one(Queue, queue.id)
            row.project, row.view, row.webhook = project.id, project.view, project.webhook
        members.set_members(ls, {project.id: [email]})
        made.append(row)
        users.append(user)
        people.append(ExpertSession.login(live.label_studio_address, email, PASSWORD))
    studio = Studio(live, ls, RealHands(ls, people), made, factories.add_assets(live, 12))
    rng = random.Random(9)
    try:
        for _ in range(120):
            studio.step(rng)
        studio.sync(whole=True)
        there = [
            (one["id"], row["data"]["asset_id"], label(one), users.index(one["completed_by"]))
            for queue in made
            for row in label_studio_queue.tasks.listed(ls, queue.project, whole=True)
            for one in row["annotations"]
        ]
        assert studio.here() == sorted(there, key=str)
        assert studio.done["answered"] > 10
        assert studio.done["ids used again"] == 0
    finally:
        for one in people:
            one.close()


def label(annotation: dict[str, Any]) -> str:
    """What an annotation of Label Studio's says."""
    return "skip" if annotation["was_cancelled"] else str(annotation["result"][0]["value"]["choices"][0])
