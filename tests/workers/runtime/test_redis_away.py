"""Redis goes away and comes back, with its data or without: what was asked for goes on within seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue as Waiting
from rq import Worker
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus
from sqlalchemy import func, select

from attune.labeler.answers import ingest
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Attribute, Job
from attune.labeler.records.session import reading, writing
from attune.labeler.services.parts import our_environment
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import ServiceDown
from attune.workers.runtime import schedule
from attune.workers.runtime.heartbeat import LONGEST_PAUSE, LOOK_SECONDS, SECOND_BEAT_SECONDS, Heart
from tests.support.factories import add_attribute, add_expert, add_queue, workspace
from tests.support.services import SmallRedis

pytestmark = pytest.mark.services
WITHIN_SECONDS = 10.0  # after Redis answers again


@pytest.fixture(params=[True, False], ids=["with its file", "empty"])
def redis(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SmallRedis]:
    (tmp_path / "redis").mkdir()
    server = SmallRedis(tmp_path / "redis", keeps=request.param)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def settings(tmp_path: Path, redis: SmallRedis) -> Settings:
    made = workspace(tmp_path / "workspace", redis_url=redis.address, label_studio_url="http://127.0.0.1:9")
    add_queue(made, add_attribute(made), add_expert(made))
    return made


class Clock:
    """A clock that only sleeping moves; the real time of jobs goes along."""

    def __init__(self, settings: Settings) -> None:
        self.at = 0.0
        self.pauses: list[float] = []
        self._settings = settings

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.pauses.append(seconds)
        with writing(self._settings) as session:
            for job in session.scalars(select(Job)):
                job.created_at -= timedelta(seconds=seconds)
                job.finished_at = job.finished_at and job.finished_at - timedelta(seconds=seconds)


@pytest.fixture
def clock(settings: Settings) -> Clock:
    return Clock(settings)


@pytest.fixture
def heart(settings: Settings, clock: Clock) -> Heart:
    """The schedule's own loop, on the clock of the test."""
    beat = partial(schedule.beat, settings)
    made = Heart(jobs.connect(settings), beat, settings.sync_seconds, clock=lambda: clock.at, sleep=clock.sleep)
    _caught_up(settings)
    made.step()
    return made


def _caught_up(settings: Settings) -> None:
    with writing(settings) as session:
        attribute = session.scalars(select(Attribute)).one()
        attribute.learned_counter = attribute.answers_counter


def _answer(settings: Settings) -> None:
    """As a reading does that finds an answer."""
    with writing(settings) as session:
        session.scalars(select(Attribute)).one().answers_counter += 1
    ingest.ask_to_learn(settings, "romance")


def _waiting(settings: Settings) -> list[str]:
    queue = Waiting("learn", connection=jobs.connect(settings), serializer=JSONSerializer)
    return [name for name in queue.get_job_ids() if name.startswith("learn-")]


def _seconds_until(heart: Heart, clock: Clock, so: Callable[[], bool]) -> float:
    began = clock.at
    while not so():
        assert clock.at - began < 600, "never"
        heart.step()
    return clock.at - began


def test_an_answer_during_the_outage_is_learned_from(
    settings: Settings, redis: SmallRedis, heart: Heart, clock: Clock
) -> None:
    redis.stop()
    _answer(settings)
    redis.start()
    assert _seconds_until(heart, clock, lambda: bool(_waiting(settings))) <= WITHIN_SECONDS


@pytest.mark.parametrize("asked", [timedelta(minutes=-10), timedelta(days=1)], ids=["long ago", "a clock was set back"])
def test_a_round_that_waits_for_long_is_asked_for_once(settings: Settings, redis: SmallRedis, asked: timedelta) -> None:
    """Where many answer, another was put behind it each minute; one that Redis lost is put there again."""
    _answer(settings)
    (job_id,) = _waiting(settings)
    with writing(settings) as session:
        session.get_one(Job, job_id).created_at = now() + asked
    _answer(settings)
    assert _waiting(settings) == [job_id]
    jobs.connect(settings).flushdb()
    _answer(settings)
    assert _waiting(settings) == [job_id]


def test_a_round_that_waited_in_redis_is_sent_again(
    settings: Settings, redis: SmallRedis, heart: Heart, clock: Clock
) -> None:
    """Asked for a moment before, so that `ask_to_learn` keeps quiet about it for a minute."""
    _answer(settings)
    redis.stop()
    redis.start()
    _answer(settings)
    assert _seconds_until(heart, clock, lambda: bool(_waiting(settings))) <= WITHIN_SECONDS
    for _ in range(10):
        heart.step()
    with reading(settings) as session:
        open_rounds = select(func.count(Job.id)).where(Job.kind == "learn", Job.state == "queued")
        assert session.scalar(open_rounds) == len(_waiting(settings)) == 1


def test_a_round_taken_as_redis_went_is_sent_again(
    settings: Settings, redis: SmallRedis, heart: Heart, clock: Clock
) -> None:
    _answer(settings)
    with Redis.from_url(redis.address) as connection:
        connection.delete("rq:queue:learn")  # the worker has it, and ends with its connection
    redis.stop()
    redis.start()
    assert _seconds_until(heart, clock, lambda: bool(_waiting(settings))) <= WITHIN_SECONDS


@pytest.mark.parametrize("kind", ["embed", "publish", "score", "join", "configure", "import", "drift"])
def test_waiting_jobs_of_every_kind_come_back(
    settings: Settings, redis: SmallRedis, heart: Heart, clock: Clock, kind: str
) -> None:
    job = jobs.enqueue(settings, kind)
    queue = Waiting(jobs.KINDS[kind][1], connection=jobs.connect(settings), serializer=JSONSerializer)
    redis.stop()
    redis.start()
    assert _seconds_until(heart, clock, lambda: queue.get_job_ids() == [job]) <= WITHIN_SECONDS


def test_a_long_outage_is_not_hammered(settings: Settings, redis: SmallRedis, heart: Heart, clock: Clock) -> None:
    redis.stop()
    _answer(settings)
    clock.pauses.clear()
    for _ in range(40):
        heart.step()
    assert clock.pauses[:2] == [1.0, 2.0], "soon at first"
    assert clock.at / 40 > LONGEST_PAUSE * 0.8, "and seldom after a while"
    redis.start()
    assert _seconds_until(heart, clock, lambda: bool(_waiting(settings))) <= WITHIN_SECONDS


def test_a_redis_that_stays_is_asked_for_no_more_beats(settings: Settings, clock: Clock) -> None:
    beats: list[tuple[float, bool]] = []

    def beat(*, recovered: bool) -> None:
        beats.append((clock.at, recovered))

    heart = Heart(jobs.connect(settings), beat, 30.0, clock=lambda: clock.at, sleep=clock.sleep)
    while clock.at < 100:
        heart.step()
    assert [recovered for _, recovered in beats] == [True, True, False, False, False]
    gaps = [later - sooner for (sooner, _), (later, _) in pairwise(beats)]
    assert SECOND_BEAT_SECONDS <= gaps[0] <= SECOND_BEAT_SECONDS + LOOK_SECONDS
    assert all(30.0 <= gap <= 30.0 + LOOK_SECONDS for gap in gaps[1:])


def test_a_beat_that_redis_interrupts_comes_again(settings: Settings, clock: Clock) -> None:
    beats: list[bool] = []

    def beat(*, recovered: bool) -> None:
        beats.append(recovered)
        if len(beats) == 1:
            raise RedisError("away again")

    heart = Heart(jobs.connect(settings), beat, 30.0, clock=lambda: clock.at, sleep=clock.sleep)
    heart.step()
    heart.step()
    assert beats == [True, True]
    assert clock.at <= WITHIN_SECONDS


def test_what_never_reached_redis_is_lost_not_failed(settings: Settings, redis: SmallRedis) -> None:
    redis.stop()
    with pytest.raises(ServiceDown):
        jobs.enqueue(settings, "learn", attribute="romance")
    with reading(settings) as session:
        job = session.scalars(select(Job)).one()
    assert job.state == "lost"
    assert "Error" not in job.error, "no exception's text on a page"


def test_rests_double_with_each_failed_round(settings: Settings) -> None:
    """By what a worker tried: 1, 2, 4 … seconds, up to ten beats, and from 1 again after a round that went well."""
    rests = []
    for _ in range(12):
        job = jobs.enqueue(settings, "learn", attribute="romance")
        jobs.fail(settings, job, "no images")
        rests.append(_rest(settings))
    assert rests[:4] == [1, 2, 4, 8]
    assert rests[-1] == settings.sync_seconds * schedule.LONGEST_REST
    jobs.finish(settings, jobs.enqueue(settings, "learn", attribute="romance"), {})
    assert _rest(settings) == 0


def _rest(settings: Settings) -> int:
    """For how many seconds no further round is asked for."""
    began, longest = now(), timedelta(seconds=settings.sync_seconds * schedule.LONGEST_REST)
    with reading(settings) as session:

        def over(seconds: int) -> bool:
            return not schedule.rests(session, "romance", longest, began + timedelta(seconds=seconds))

        found = bisect_left(range(1000), True, key=over)
    assert found < 1000, "for ever"
    return found


@pytest.mark.slow
def test_a_worker_outlives_the_outage(settings: Settings, redis: SmallRedis) -> None:
    """The same process is registered and at work again, also where Redis began with no data."""
    command = [sys.executable, "-m", "attune.workers.runtime.worker", "--queues", "learn"]
    with subprocess.Popen(command, env=our_environment(settings), stderr=subprocess.DEVNULL) as worker:
        try:
            _await(lambda: [one.get_state() for one in _workers(settings)] == [WorkerStatus.IDLE])
            redis.stop()
            time.sleep(1)
            redis.start()
            job = jobs.enqueue(settings, "learn", attribute="nothing")
            began = time.monotonic()
            _await(lambda: _state(settings, job) == "failed")
            assert time.monotonic() - began < 4 * WITHIN_SECONDS  # of a clock that other work shares
            assert worker.poll() is None
            _await(lambda: len(jobs.living_workers(settings)) == 1)
        finally:
            worker.kill()


def _workers(settings: Settings) -> list[Worker]:
    return Worker.all(connection=jobs.connect(settings), serializer=JSONSerializer)


def _state(settings: Settings, job: str) -> str:
    with reading(settings) as session:
        return session.get_one(Job, job).state


def _await(so: Callable[[], bool], seconds: float = 120.0) -> None:
    """Only a test that fails takes so long; a busy machine starts a worker in more than 20 seconds."""
    until = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < until, "too late"
        time.sleep(0.1)
