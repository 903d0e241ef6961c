"""The clockwork, on a real Redis and Label Studio: nothing piles up, and nothing that was asked for is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from redis import Redis
from rq import Queue as Waiting
from rq.job import Job as Message
from rq.serializers import JSONSerializer
from sqlalchemy import select

from attune.labeler.answers import hints
from attune.labeler.jobs import jobs
from attune.labeler.label_studio import LabelStudio, projects, queue_tasks
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.records.schema import Attribute, Job, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.workers.runtime import lost_jobs, schedule
from tests.support.factories import add_assets, add_attribute, add_expert, add_queue, add_run, add_task, stand

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def redis(live: Settings) -> Redis:
    return jobs.connect(live)


def rows(settings: Settings, kind: str) -> list[Job]:
    with reading(settings) as session:
        return list(session.scalars(select(Job).where(Job.kind == kind).order_by(Job.created_at)))


def put(settings: Settings, job: str, **values: Any) -> None:
    with writing(settings) as session:
        for name, value in values.items():
            setattr(session.get_one(Job, job), name, value)


def lost(settings: Settings, redis: Redis, kind: str, state: str = "running") -> str:
    """A job that Redis forgot a while ago."""
    job = jobs.enqueue(settings, kind)
    put(settings, job, state=state, created_at=now() - timedelta(minutes=5))
    Message.fetch(job, connection=redis, serializer=JSONSerializer).delete()
    return job


def test_one_sync_waits_however_many_beats_go_by(live: Settings, redis: Redis) -> None:
    told = [schedule.beat(live) for _ in range(3)]
    assert [one["syncs"] for one in told] == [1, 0, 0]
    (job,) = rows(live, "sync")
    assert job.arguments == {"whole": True}
    put(live, job.id, state="done", finished_at=now())
    schedule.beat(live)
    assert rows(live, "sync")[1].arguments == {"whole": False}  # a whole one comes once a day


def test_answers_that_no_round_has_seen_ask_for_one_round(live: Settings, redis: Redis) -> None:
    attribute = add_attribute(live, "romance")
    add_queue(live, attribute, add_expert(live))
    assert schedule.ask_to_learn(live) == 1
    schedule.ask_to_learn(live)
    (job,) = rows(live, "learn")
    assert job.subject == "romance"

    with writing(live) as session:
        session.get_one(Attribute, attribute.id).lease_until = now() + timedelta(minutes=1)
    assert schedule.ask_to_learn(live) == 0, "a learner is at it and will see every answer"
    with writing(live) as session:
        row = session.get_one(Attribute, attribute.id)
        row.lease_until, row.learned_counter = None, row.answers_counter
    assert schedule.ask_to_learn(live) == 0


def test_another_attributes_newer_runs_ask_for_no_round_of_this_one(live: Settings, redis: Redis) -> None:
    expert = add_expert(live)
    for name, runs in (("romance", 1), ("serious", 3)):
        attribute = add_attribute(live, name)
        add_queue(live, attribute, expert)
        newest = [add_run(live, attribute, 10 + number).number for number in range(runs)][-1]
        with writing(live) as session:
            row = session.get_one(Attribute, attribute.id)
            row.learned_counter = row.answers_counter
            session.scalars(select(Queue).where(Queue.attribute_id == attribute.id)).one().order_run = newest
    assert schedule.ask_to_learn(live) == 0, "each queue is in the order of its own attribute's newest run"


def test_a_stopped_queue_in_an_old_order_asks_for_no_round(live: Settings, redis: Redis) -> None:
    attribute = add_attribute(live, "romance")
    queue = add_queue(live, attribute, add_expert(live))
    add_run(live, attribute, 10)
    with writing(live) as session:
        row = session.get_one(Attribute, attribute.id)
        row.learned_counter = row.answers_counter
        session.get_one(Queue, queue.id).stopped_at = now()
    assert schedule.ask_to_learn(live) == 0
    with writing(live) as session:
        session.get_one(Queue, queue.id).stopped_at = None
    assert schedule.ask_to_learn(live) == 1, "started again it is put in order"


def test_a_round_that_failed_is_not_asked_for_at_every_beat(live: Settings, redis: Redis) -> None:
    add_queue(live, add_attribute(live, "romance"), add_expert(live))
    schedule.ask_to_learn(live)
    (job,) = rows(live, "learn")
    jobs.fail(live, job.id, "no images")
    assert schedule.ask_to_learn(live) == 0
    put(live, job.id, finished_at=now() - timedelta(hours=1))
    assert schedule.ask_to_learn(live) == 1


def test_a_job_that_redis_forgot_is_brought_back_a_few_times(live: Settings, redis: Redis) -> None:
    job = lost(live, redis, "embed")
    for _ in range(lost_jobs.MOST_TIMES):
        assert schedule.requeue_lost(live, redis) == 1
        assert Waiting("embed", connection=redis, serializer=JSONSerializer).job_ids == [job]
        assert schedule.requeue_lost(live, redis) == 0, "it waits in its queue"
        Message.fetch(job, connection=redis, serializer=JSONSerializer).delete()
    schedule.requeue_lost(live, redis)
    (row,) = rows(live, "embed")
    assert row.state == "lost"
    assert "died 3 times" in row.error


def test_a_lost_sync_or_round_makes_way_for_the_next(live: Settings, redis: Redis) -> None:
    job = lost(live, redis, "sync", "running")
    assert schedule.ask_to_sync(live, redis) == 0
    schedule.requeue_lost(live, redis)
    assert schedule.ask_to_sync(live, redis) == 1
    assert [(row.id == job, row.state) for row in rows(live, "sync")] == [(True, "lost"), (False, "queued")]


def test_a_waiting_job_of_any_kind_is_sent_again(live: Settings, redis: Redis) -> None:
    job = lost(live, redis, "sync", "queued")
    assert schedule.requeue_lost(live, redis) == 1
    assert jobs.is_waiting(redis, rows(live, "sync")[0])
    assert [(row.id, row.state) for row in rows(live, "sync")] == [(job, "queued")]
    assert schedule.requeue_lost(live, redis) == 0


def test_a_young_job_and_one_that_waits_are_left_alone(live: Settings, redis: Redis) -> None:
    waiting = jobs.enqueue(live, "embed")
    put(live, waiting, created_at=now() - timedelta(hours=1))
    young = jobs.enqueue(live, "publish")
    Message.fetch(young, connection=redis, serializer=JSONSerializer).delete()
    assert schedule.requeue_lost(live, redis) == 0


def test_routine_jobs_are_forgotten_after_a_day_and_others_kept(live: Settings) -> None:
    for kind in ("sync", "publish"):
        job = jobs.enqueue(live, kind)
        put(live, job, state="done", finished_at=now() - timedelta(days=2))
    failed = jobs.enqueue(live, "learn")
    put(live, failed, state="failed", finished_at=now() - timedelta(days=2))
    assert schedule.forget(live) == 1
    assert not rows(live, "sync")
    assert rows(live, "publish")
    assert rows(live, "learn")


def test_without_redis_a_beat_asks_for_nothing(live: Settings) -> None:
    from dataclasses import replace

    from redis.exceptions import RedisError

    away = replace(live, redis_url="redis://127.0.0.1:9/0")
    with pytest.raises(RedisError):
        schedule.beat(away)
    assert not rows(live, "sync")


@pytest.mark.parametrize("broken", ["mend", "requeue_lost", "retry_failed", "ask_to_sync", "ask_to_learn"])
def test_a_step_that_fails_stops_no_other(
    live: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    add_queue(live, add_attribute(live, "romance"), add_expert(live))

    def fail(*_: object) -> int:
        raise ValueError("unforeseen")

    whole = set(schedule.beat(live))
    monkeypatch.setattr(schedule, broken, fail)
    missing = {
        "mend": "mended",
        "requeue_lost": "brought_back",
        "retry_failed": "carried",
        "ask_to_sync": "syncs",
        "ask_to_learn": "rounds",
    }
    assert whole - set(schedule.beat(live)) == {missing[broken]}


def test_a_job_of_a_clock_that_was_set_back_is_brought_back_too(live: Settings, redis: Redis) -> None:
    job = lost(live, redis, "embed")
    put(live, job, created_at=now() + timedelta(hours=3))
    assert schedule.requeue_lost(live, redis) == 1


def test_a_new_address_reaches_webhooks_and_images(
    live: Settings, redis: Redis, ls: LabelStudio, project: Project, expert: ExpertSession
) -> None:
    """As after a start on other ports."""
    row = add_queue(live, add_attribute(live, "romance"), add_expert(live))
    (asset,) = add_assets(live, 1)
    (where,) = queue_tasks.add(ls, project.id, [NewTask(asset.asset_id, "http://127.0.0.1:1/old", 0.1)], "run-1")
    open_task = add_task(live, row, asset, signed_until=now() + timedelta(days=6))
    with writing(live) as session:
        held = session.get_one(Queue, row.id)
        held.project, held.view, held.webhook = project.id, project.view, project.webhook

    stand(live, open_task, where)
    assert schedule.mend(live, redis) == 1
    assert schedule.mend(live, redis) == 0
    with reading(live) as session:
        held = session.get_one(Queue, row.id)
        assert session.get_one(Task, open_task.id).signed_until <= now()
    hooks = ls.sdk.webhooks.list(project=str(project.id))
    address = hints.address(live, hints.QUEUE, held.attribute_id, held.expert_id)
    assert [(hook.id, hook.url) for hook in hooks] == [(held.webhook, address)]

    projects.delete(ls, project)
    redis.delete(schedule.MENDED_KEY)
    assert schedule.mend(live, redis) == 0, "a project that is gone stops nothing"


def test_images_of_an_older_reading_are_looked_at_once(live: Settings, redis: Redis) -> None:
    assert schedule.ask_to_reread(live) == 0
    (asset,) = add_assets(live, 1)
    with writing(live) as session:
        session.get_one(type(asset), asset.id).reading = 1
    assert [schedule.ask_to_reread(live) for _ in range(3)] == [1, 0, 0]
    (job,) = rows(live, "reread")
    put(live, job.id, state="done", finished_at=now())
    assert schedule.ask_to_reread(live) == 0, "what cannot be read is tried again after a rest"
    put(live, job.id, created_at=now() - timedelta(hours=2))
    assert schedule.ask_to_reread(live) == 1
