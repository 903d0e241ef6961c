"""A webhook asks for a reading of one project, and can do nothing else: no answer comes, goes or is barred by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq.job import Job as Message
from rq.serializers import JSONSerializer
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from attune.labeler.answers import hints
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Annotation, Asset, Attribute, Base, Expert, Grid, Job, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.clock import iso, now
from attune.workers.jobs import learn
from attune.workers.sync import hinted
from tests.labeler.web.conftest import Actor
from tests.support import factories

AT = iso(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def secret(app: Flask) -> str:
    return app.extensions["attune"].secrets.hint_secret


@pytest.fixture
def queue(settings: Settings, romance: Attribute, ana: Expert) -> Queue:
    return factories.add_queue(settings, romance, ana)


@pytest.fixture
def task(settings: Settings, queue: Queue) -> Task:
    (asset,) = factories.add_assets(settings, 1)
    return factories.add_task(settings, queue, asset)


@pytest.fixture
def waiting(settings: Settings) -> Iterator[RqQueue]:
    """What the workers will do next."""
    with jobs.connect(settings) as connection:
        yield RqQueue("hints", connection=connection, serializer=JSONSerializer)


def path(queue: Queue) -> str:
    return f"/webhooks/label-studio/{name(queue)}"


def name(queue: Queue) -> str:
    return f"queue-{queue.attribute_id}-{queue.expert_id}"


def names(waiting: RqQueue) -> list[str]:
    """The projects whose reading waits."""
    return [message.args[0] for message in waiting.jobs]


def payload(settings: Settings, task: Task, by: int | None = None) -> dict[str, Any]:
    """What Label Studio sent when an annotation was made, before webhooks went without it, cut to what counts."""
    with reading(settings) as session:
        queue, asset = session.get_one(Queue, task.queue_id), session.get_one(Asset, task.asset_pk)
        expert = session.get_one(Expert, queue.expert_id)
    result = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": ["romance"]}}
    return {
        "action": "ANNOTATION_CREATED",
        "annotation": {
            "id": 1, "result": [result], "was_cancelled": False, "created_at": AT, "updated_at": AT,
            "lead_time": 3.2, "completed_by": by or expert.label_studio_user, "task": task.label_studio_task,
        },
        "task": {"id": task.label_studio_task, "data": {"asset_id": asset.asset_id}},
        "project": {"id": queue.project},
    }  # fmt: skip


def send(actor: Actor, body: Any, secret: str | None, to: str = "/webhooks/label-studio") -> TestResponse:
    headers = {"X-Attune-Secret": secret} if secret is not None else {}
    kind = {"data": body} if isinstance(body, bytes | str) else {"json": body}
    return actor.client.post(to, headers=headers, **kind)


def everything(settings: Settings) -> dict[str, int]:
    """How many rows each table has."""
    with reading(settings) as session:
        tables = Base.metadata.sorted_tables
        return {one.name: session.scalar(select(func.count()).select_from(one)) or 0 for one in tables}


def test_a_burst_of_hints_is_one_reading_of_the_project(
    settings: Settings, anybody: Actor, queue: Queue, secret: str, waiting: RqQueue
) -> None:
    before = everything(settings)
    told = [send(anybody, {"action": "ANNOTATION_CREATED"}, secret, path(queue)) for _ in range(200)]
    assert {one.status_code for one in told} == {202}
    assert [one.json["asked"] for one in told] == [True] + [False] * 199
    assert names(waiting) == [name(queue)]
    assert everything(settings) == before, "not even a job is kept of them"


def test_a_hint_while_one_reads_makes_one_more_reading(
    settings: Settings, anybody: Actor, queue: Queue, secret: str, waiting: RqQueue
) -> None:
    """The running one may have asked Label Studio before the answer was there."""
    send(anybody, b"", secret, path(queue))
    assert waiting.pop_job_id() is not None
    hints.begin(settings, name(queue))
    for _ in range(5):
        send(anybody, b"", secret, path(queue))
    assert names(waiting) == [name(queue)]


def test_a_reading_comes_before_rounds_and_syncs_and_after_what_ends_an_access(
    settings: Settings, anybody: Actor, queue: Queue, ana: Expert, secret: str
) -> None:
    """Who has the secret may not hold up the ending of an access, nor the hints that came sooner."""
    other = factories.add_queue(settings, factories.add_attribute(settings, "serious"), ana)
    sync, left = jobs.enqueue(settings, "sync"), jobs.enqueue(settings, "leave", expert="ana@studio.example")
    for one in (queue, other):
        send(anybody, b"", secret, path(one))
    with jobs.connect(settings) as redis:
        lines = [RqQueue(line, connection=redis, serializer=JSONSerializer) for line in jobs.QUEUES]
        messages = [message for line in lines for message in line.jobs]
    assert [message.args[0] for message in messages] == [left, name(queue), name(other), sync]


@pytest.mark.parametrize("kind", ["join", "leave", "configure"])
def test_what_carries_people_and_questions_waits_for_no_hint(kind: str) -> None:
    assert jobs.QUEUES.index(jobs.KINDS[kind][1]) < jobs.QUEUES.index(jobs.HINTS)
    assert jobs.KINDS[kind][1] in jobs.QUICK, "nor for ten thousand images"


def test_hints_in_vain_keep_no_worker_from_the_others(
    settings: Settings, anybody: Actor, queue: Queue, ana: Expert, secret: str, waiting: RqQueue
) -> None:
    other = factories.add_queue(settings, factories.add_attribute(settings, "serious"), ana)
    for _ in range(3 * hints.MOST_IN_VAIN):
        send(anybody, b"", secret, path(queue))
        if waiting.count:
            waiting.empty()
            hints.begin(settings, name(queue))
            hints.count_empty_reading(settings, name(queue))
    assert send(anybody, b"", secret, path(queue)).json == {"asked": False}
    assert send(anybody, b"", secret, path(other)).json == {"asked": True}
    assert names(waiting) == [name(other)]
    with Redis.from_url(settings.redis_address) as redis:
        assert 0 < redis.ttl(hints.IN_VAIN + name(queue)) <= hints.IN_VAIN_SECONDS, "and that passes"


def test_an_expert_who_answers_fast_is_read_at_once_all_the_time(
    settings: Settings, anybody: Actor, queue: Queue, secret: str, waiting: RqQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer comes while the one before is read, so every second reading finds that the first saw both."""
    told: list[bool] = []

    def read(_: Settings, called: str) -> str | None:
        if len(told) % 2:
            return None
        told.append(send(anybody, b"", secret, f"/webhooks/label-studio/{called}").json["asked"])
        return "romance"

    monkeypatch.setattr(hinted.reader, "build", lambda: settings)
    monkeypatch.setattr(hinted, "read", read)
    monkeypatch.setattr(learn, "run", lambda *_: None)
    for _ in range(3 * hints.MOST_IN_VAIN):
        told.append(send(anybody, b"", secret, path(queue)).json["asked"])
        told.clear()
        waiting.empty()
        hinted.perform(name(queue))
        assert told == [True]
        waiting.empty()
        hinted.perform(name(queue))
    with Redis.from_url(settings.redis_address) as redis:
        assert redis.get(hints.IN_VAIN + name(queue)) is None


def test_news_end_the_rest_that_readings_in_vain_bring_near(
    settings: Settings, anybody: Actor, queue: Queue, secret: str, waiting: RqQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody forges hints while an expert answers."""
    monkeypatch.setattr(hinted.reader, "build", lambda: settings)
    monkeypatch.setattr(learn, "run", lambda *_: None)
    for number in range(3 * hints.MOST_IN_VAIN):
        monkeypatch.setattr(hinted, "read", lambda *_, new=number % 10 == 0: "romance" if new else None)
        assert send(anybody, b"", secret, path(queue)).json == {"asked": True}
        waiting.empty()
        hinted.perform(name(queue))


@pytest.mark.parametrize("forged_by", [None, 1, 999], ids=["the expert", "the administrator", "nobody"])
def test_a_forged_answer_is_not_kept_and_changes_nothing(
    settings: Settings, anybody: Actor, task: Task, secret: str, forged_by: int | None
) -> None:
    before = everything(settings)
    assert send(anybody, payload(settings, task, forged_by), secret).status_code < 300
    assert everything(settings) == before
    with reading(settings) as session:
        assert session.get_one(Task, task.id).state == "open"


def test_forged_deletions_take_no_answer_back_and_bar_none(
    settings: Settings, anybody: Actor, queue: Queue, secret: str
) -> None:
    """2,000 numbers were barred in less than a second, and what was answered under them later was dropped."""
    (asset,) = factories.add_assets(settings, 1)
    answer = factories.add_answer(settings, queue, asset, "romance")
    before = everything(settings)
    gone = [{"id": number} for number in {*range(1, 2001), answer.label_studio_id}]
    body = {"action": "ANNOTATIONS_DELETED", "project": {"id": queue.project}, "annotations": gone}
    assert send(anybody, body, secret).status_code < 300
    assert everything(settings) == before
    with reading(settings) as session:
        assert session.get_one(Annotation, answer.id).deleted_at is None


def test_webhooks_of_before_still_hint(
    settings: Settings, anybody: Actor, task: Task, queue: Queue, secret: str, waiting: RqQueue
) -> None:
    """Until they are mended they call without a name, and say the project's number."""
    send(anybody, payload(settings, task), secret)
    assert names(waiting) == [name(queue)]
    with writing(settings) as session:
        grid = Grid(attribute_id=queue.attribute_id, expert_id=queue.expert_id, project=4711, view=1, created_at=now())
        session.add(grid)
    send(anybody, {"project": 4711}, secret)
    assert sorted(names(waiting)) == [f"pages-{grid.attribute_id}-{grid.expert_id}", name(queue)]


@pytest.mark.parametrize(
    "body",
    [b"{not json", b"\xff\xfe", b"", b"[1, 2]", b"null", b"{}", b'{"action": 7}', b'{"project": "x"}',
     b'{"project": {"id": true}}', b'{"project": 99999999999999999999}', b'{"project": -1}', b"[" * 20_000],
)  # fmt: skip
def test_what_names_no_project_of_ours_asks_for_nothing(
    anybody: Actor, queue: Queue, secret: str, waiting: RqQueue, body: bytes
) -> None:
    reply = send(anybody, body, secret)
    assert (reply.status_code, reply.json) == (202, {"asked": False})
    assert waiting.count == 0


@pytest.mark.parametrize(
    "called", ["queue-1-999999", "pages-1-1", "queue-1-1-1", "queue-99999999999-1", "attune", "queue--1-1", "%00", "é"]
)
def test_what_is_called_as_nothing_of_ours_asks_for_nothing(
    anybody: Actor, queue: Queue, secret: str, waiting: RqQueue, called: str
) -> None:
    reply = send(anybody, b"", secret, f"/webhooks/label-studio/{called}")
    assert (reply.status_code, reply.json) == (202, {"asked": False})
    assert waiting.count == 0


def test_the_secret_that_every_expert_could_read_opens_nothing(
    app: Flask, anybody: Actor, queue: Queue, waiting: RqQueue
) -> None:
    assert send(anybody, b"", app.extensions["attune"].secrets.webhook_secret, path(queue)).status_code == 403
    assert waiting.count == 0


@pytest.mark.parametrize("form", ["queue-0{}-{}", "queue-{}-0{}", "queue-00000{}-000{}", "queue-+{}-{}", "Queue-{}-{}"])
def test_a_project_has_one_name(anybody: Actor, queue: Queue, secret: str, waiting: RqQueue, form: str) -> None:
    """Each way to write it would have limits of its own."""
    called = form.format(queue.attribute_id, queue.expert_id)
    assert send(anybody, b"", secret, f"/webhooks/label-studio/{called}").json == {"asked": False}
    other = name(queue).translate({ord("0") + digit: 0x0660 + digit for digit in range(10)})  # Arabic-Indic digits
    assert send(anybody, b"", secret, f"/webhooks/label-studio/{other}").json == {"asked": False}
    assert waiting.count == 0


@pytest.mark.parametrize("wrong", [None, "", "guess", "ä"])
def test_without_the_secret_nothing_is_asked_for(
    anybody: Actor, queue: Queue, waiting: RqQueue, wrong: str | None
) -> None:
    for to in ("/webhooks/label-studio", path(queue)):
        reply = send(anybody, {"project": {"id": queue.project}}, wrong, to)
        assert reply.status_code == 403
        assert reply.json["error"] == "BadWebhookSecret"
    assert waiting.count == 0


def test_an_oversized_body_is_refused(anybody: Actor, secret: str) -> None:
    reply = send(anybody, b'{"action": "' + b"x" * 64_001 + b'"}', secret)
    assert reply.status_code == 413
    assert reply.json["error"] == "Request Entity Too Large"


def test_without_redis_the_click_gets_its_answer(settings: Settings, queue: Queue) -> None:
    """The periodic sync finds the answer."""
    app = create_app(replace(settings, redis_url="redis://127.0.0.1:9/0"))
    reply = send(Actor(app), b"", app.extensions["attune"].secrets.hint_secret, path(queue))
    assert (reply.status_code, reply.json) == (202, {"asked": False})


def test_a_hint_that_redis_took_half_of_does_not_bar_the_next(
    anybody: Actor, queue: Queue, secret: str, waiting: RqQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise RedisError("OOM command not allowed when used memory > 'maxmemory'.")

    with monkeypatch.context() as patch:
        patch.setattr(RqQueue, "enqueue", full)
        assert send(anybody, b"", secret, path(queue)).json == {"asked": False}
    assert send(anybody, b"", secret, path(queue)).json == {"asked": True}
    assert names(waiting) == [name(queue)]


def test_what_a_hint_leaves_in_redis_passes_by_itself(
    settings: Settings, anybody: Actor, queue: Queue, secret: str, waiting: RqQueue
) -> None:
    """A worker killed with a hint in its hands holds up the next ones for minutes, not for ever."""
    send(anybody, b"", secret, path(queue))
    assert 0 < waiting.connection.ttl(hints.WAITING + name(queue)) <= hints.FORGOTTEN_SECONDS
    (message,) = waiting.jobs
    assert isinstance(message, Message)
    assert message.result_ttl == 0, "a reading that is done leaves nothing"
    with reading(settings) as session:
        assert session.scalars(select(Job)).all() == []
