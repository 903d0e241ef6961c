"""What Label Studio sends is checked before it is read, stored once, and answered in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from rq import Queue as RqQueue
from rq.serializers import JSONSerializer
from sqlalchemy import select
from werkzeug.test import TestResponse

from labeler import jobs
from labeler.records.schema import Annotation, Asset, Attribute, Expert, Queue, Task
from labeler.records.session import reading
from labeler.settings import Settings
from models.clock import iso
from tests import factories
from tests.labeler.web.conftest import Actor

AT = iso(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def secret(app: Flask) -> str:
    return app.extensions["attune"].secrets.webhook_secret


@pytest.fixture
def task(settings: Settings, romance: Attribute, ana: Expert) -> Task:
    (asset,) = factories.add_assets(settings, 1)
    return factories.add_task(settings, factories.add_queue(settings, romance, ana), asset)


def payload(settings: Settings, task: Task, value: str = "romance", number: int = 1) -> dict[str, Any]:
    """What Label Studio 1.23 sends when an annotation was made, cut to what counts."""
    with reading(settings) as session:
        queue, asset = session.get_one(Queue, task.queue_id), session.get_one(Asset, task.asset_pk)
        expert = session.get_one(Expert, queue.expert_id)
    result = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [value]}}
    return {
        "action": "ANNOTATION_CREATED",
        "annotation": {
            "id": number, "result": [result], "was_cancelled": False, "created_at": AT, "updated_at": AT,
            "lead_time": 3.2, "completed_by": expert.label_studio_user, "task": task.label_studio_task,
        },
        "task": {"id": task.label_studio_task, "data": {"asset_id": asset.asset_id}},
        "project": {"id": queue.project},
    }  # fmt: skip


def send(actor: Actor, body: Any, secret: str | None) -> TestResponse:
    headers = {"X-Attune-Secret": secret} if secret is not None else {}
    kind = {"data": body} if isinstance(body, bytes | str) else {"json": body}
    return actor.client.post("/webhooks/label-studio", headers=headers, **kind)


def test_an_answer_is_stored_once_and_learning_is_asked_for(
    settings: Settings, anybody: Actor, task: Task, secret: str
) -> None:
    for _ in range(3):
        assert send(anybody, payload(settings, task), secret).status_code == 200
    with reading(settings) as session:
        (kept,) = session.scalars(select(Annotation))
        assert kept.value == "romance"
        assert session.get_one(Task, task.id).state == "answered"
    waiting = RqQueue("learn", connection=jobs.connect(settings), serializer=JSONSerializer)
    assert len(waiting.job_ids) == 1
    waiting.empty()


@pytest.mark.parametrize("wrong", [None, "", "guess", "\u00e4"])
def test_without_the_secret_nothing_is_read(settings: Settings, anybody: Actor, task: Task, wrong: str | None) -> None:
    reply = send(anybody, payload(settings, task), wrong)
    assert reply.status_code == 403
    assert reply.json["error"] == "BadWebhookSecret"
    with reading(settings) as session:
        assert not session.scalars(select(Annotation)).all()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{not json", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"", "no JSON"),
        (b"[1, 2]", "JSON list"),
        (b"null", "JSON NoneType"),
        (b"{}", "no `action`"),
        (b'{"action": 7}', "no `action`"),
    ],
)
def test_a_body_that_is_no_webhooks_is_refused_in_words(anybody: Actor, secret: str, body: bytes, says: str) -> None:
    reply = send(anybody, body, secret)
    assert reply.status_code == 422
    assert says in reply.json["message"]


def test_an_oversized_body_is_refused(anybody: Actor, secret: str) -> None:
    reply = send(anybody, b'{"action": "' + b"x" * 4_000_001 + b'"}', secret)
    assert reply.status_code == 413
    assert reply.json["error"] == "Request Entity Too Large"


def test_an_event_of_another_project_is_answered_and_left_alone(
    settings: Settings, anybody: Actor, task: Task, secret: str
) -> None:
    body = payload(settings, task)
    body["project"]["id"] = 999_999
    assert send(anybody, body, secret).json["stored"] == 0
