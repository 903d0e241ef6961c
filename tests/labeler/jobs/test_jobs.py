"""Jobs asked for by name: followed to their end, also past a Redis that lost its last second."""

from __future__ import annotations

import threading

import pytest
from redis import Redis

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now

pytestmark = pytest.mark.services


def test_an_unknown_kind_leaves_no_row(live: Settings) -> None:
    with pytest.raises(KeyError):
        jobs.enqueue(live, "sing")
    with reading(live) as session:
        assert session.query(Job).count() == 0


def test_a_message_that_redis_lost_is_sent_again_while_the_job_waits(live: Settings) -> None:
    job_id = jobs.enqueue(live, "sync")
    with Redis.from_url(live.redis_address) as redis:
        redis.flushall()
        with reading(live) as session:
            jobs.send_again(live, session.get_one(Job, job_id))
        assert redis.llen("rq:queue:learn") == 1
        with reading(live) as session:
            jobs.send_again(live, session.get_one(Job, job_id))
        assert redis.llen("rq:queue:learn") == 1, "a message that is there is not doubled"


def test_following_a_job_tells_its_progress_and_its_result(live: Settings) -> None:
    job_id = jobs.enqueue(live, "sync")
    told: list[tuple[int, int]] = []

    def finish() -> None:
        with writing(live) as session:
            job = session.get_one(Job, job_id)
            job.done, job.total, job.state, job.result, job.finished_at = 3, 4, "done", {"queues": 2}, now()

    timer = threading.Timer(0.5, finish)
    timer.start()
    assert jobs.follow(live, job_id, lambda done, total: told.append((done, total))) == {"queues": 2}
    assert told[-1] == (3, 4)
