"""Workers on a real Redis: jobs of every queue are done, and the dead do not count as alive."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psutil
import pytest
from redis.exceptions import OutOfMemoryError, ResponseError
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from attune.labeler.jobs import jobs
from attune.labeler.services import parts
from attune.labeler.services.parts import our_environment
from attune.labeler.settings import Settings
from attune.models.errors import JobError
from attune.workers.runtime import worker as main
from tests.support.services import Services

pytestmark = [pytest.mark.services, pytest.mark.slow]


def burst(settings: Settings, *arguments: str) -> str:
    command = [sys.executable, "-m", "attune.workers.runtime.worker", "--burst", *arguments]
    done = subprocess.run(
        command, env=our_environment(settings), capture_output=True, text=True, timeout=120, check=True
    )
    return done.stderr


def test_a_worker_does_what_waits_and_tells_it_in_the_records(live: Settings) -> None:
    done, failed = jobs.enqueue(live, "sync"), jobs.enqueue(live, "learn", attribute="nothing")
    jobs.enqueue(live, "embed")
    said = burst(live, "--queues", "learn,publish")
    assert jobs.follow(live, done)["queues"] == 0
    with pytest.raises(JobError, match="nothing"):
        jobs.follow(live, failed)
    assert f"{done} starts" in said
    assert f"{failed} failed" in said
    others = jobs.Queue("embed", connection=jobs.connect(live), serializer=JSONSerializer)
    assert others.count == 1, "it takes only the queues that it was given"


def test_a_worker_killed_with_9_is_buried_by_the_next(live: Settings, services: Services) -> None:
    connection = jobs.connect(live)
    command = [sys.executable, "-m", "attune.workers.runtime.worker", "--queues", *jobs.ACCESS]  # the soonest to start
    with subprocess.Popen(command, env=our_environment(live), stderr=subprocess.DEVNULL) as worker:
        _await(lambda: jobs.workers_alive(live, "leave") or worker.poll() is not None)
        worker.send_signal(signal.SIGKILL)
    assert jobs.workers_alive(live, "leave"), "Redis cannot know it yet"
    assert main.bury_the_dead(connection) == 1
    assert not jobs.workers_alive(live, "leave")
    assert Worker.all(connection=connection) == []


def test_the_living_are_not_buried(live: Settings) -> None:
    connection = jobs.connect(live)
    worker = Worker(["learn"], connection=connection, serializer=JSONSerializer)
    worker.pid = os.getppid()
    worker.register_birth()
    assert main.bury_the_dead(connection) == 0
    assert jobs.living_workers(live) == [("learn",)]
    worker.register_death()


def test_a_worker_that_redis_forgot_is_registered_again_also_while_it_works(
    live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A computer that sleeps: Redis's clock leaps ahead, and all that was to be kept for a minute is gone."""
    connection = jobs.connect(live)
    worker = main.SteadyWorker(["learn"], connection=connection, serializer=JSONSerializer)
    monkeypatch.setattr(Worker, "maintain_heartbeats", lambda *_: worker.heartbeat(60, connection.pipeline()))
    job: Any = None
    worker.register_birth()
    for shows_life in (worker.heartbeat, lambda: worker.maintain_heartbeats(job, job)):
        for noticed in (False, True):
            connection.delete(worker.key)
            Worker.heartbeat(worker, 60)
            assert jobs.living_workers(live) == [()]
            if noticed:
                connection.delete(worker.key)
                assert jobs.living_workers(live) == []
            shows_life()
            assert jobs.living_workers(live) == [("learn",)]
    worker.register_death()


@pytest.mark.parametrize("shows_life", [False, True])
def test_a_job_whose_execution_redis_forgot_ends_well(
    live: Settings, caplog: pytest.LogCaptureFixture, shows_life: bool
) -> None:
    """A step of the clock in the middle of a reading, which keeps no result."""
    connection = jobs.connect(live)
    queue = Queue(jobs.HINTS, connection=connection, serializer=JSONSerializer)
    worker = main.SteadyWorker([queue], connection=connection, serializer=JSONSerializer)
    job = queue.enqueue("time.monotonic", result_ttl=0)
    execution = worker.prepare_execution(job)
    connection.delete(execution.key)
    if shows_life:
        connection.hset(execution.key, "last_heartbeat", time.time())
    assert worker.perform_job(job, queue, execution)
    assert not connection.exists(job.key, execution.key)
    assert "Traceback" not in caplog.text


def test_a_worker_stays_where_redis_takes_nothing_for_now(live: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory or its disk is full; what is no outage is still told."""
    connection = jobs.connect(live)
    worker = main.SteadyWorker(["learn"], connection=connection, serializer=JSONSerializer)
    worker.register_birth()
    connection.config_set("maxmemory", 1)
    try:
        with pytest.raises(OutOfMemoryError):
            Worker.heartbeat(worker, 60)
        worker.heartbeat()
        worker.set_state("busy")
    finally:
        connection.config_set("maxmemory", 0)
    worker.register_death()
    job: Any = None
    full = "Command # 1 (HSET key) of pipeline caused error: MISCONF Errors writing to the AOF file: No space left"
    for text, is_told in ((full, False), ("WRONGTYPE Operation against a key", True)):
        monkeypatch.setattr(Worker, "maintain_heartbeats", _refused(text))
        with pytest.raises(ResponseError) if is_told else contextlib.nullcontext():
            worker.maintain_heartbeats(job, job)


def _refused(text: str) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise ResponseError(text)

    return refuse


def test_every_kind_of_job_can_be_imported(caplog: pytest.LogCaptureFixture) -> None:
    main.preload(jobs.QUEUES)
    assert not caplog.records


def test_ending_an_access_waits_for_no_worker_that_does_something_long(live: Settings) -> None:
    live = replace(live, workers=1)  # each loads all of its jobs, which takes seconds
    connection = jobs.connect(live)
    commands = [
        part.command for part in parts.services_to_start(live) if "attune.workers.runtime.worker" in part.command
    ]
    with contextlib.ExitStack() as running:
        for command in commands:
            worker = running.enter_context(
                subprocess.Popen(command, env=our_environment(live), stderr=subprocess.DEVNULL, start_new_session=True)
            )
            running.callback(_kill, worker)
        line = jobs.Queue("publish", connection=connection, serializer=JSONSerializer)
        long = [line.enqueue("time.sleep", 600) for _ in range(live.workers)]
        _await(lambda: all(one.get_status() == "started" for one in long))
        left = jobs.enqueue(live, "leave", expert="nobody@example.org")
        assert jobs.follow(live, left)["questions"] == 0
        assert {one.get_status() for one in long} == {"started"}


def _kill(worker: subprocess.Popen[bytes]) -> None:
    for process in [*psutil.Process(worker.pid).children(recursive=True), worker]:
        process.kill()


def _await(true: Callable[[], bool]) -> None:
    for _ in range(2400):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come true within four minutes")


def test_what_stands_by_all_the_time_loads_nothing_that_learns() -> None:
    """The worker that ends access, the scheduler and the console are to be small, and there at once."""
    code = (
        "import sys; from attune.labeler.jobs import jobs; from attune.workers.runtime import worker; "
        "worker.preload(jobs.ACCESS); large = {'torch', 'sklearn', 'scipy', 'pandas', 'jsonschema'}; "
        "print(sorted(large & set(sys.modules)), jobs.KINDS['leave'][0].partition(':')[0] in sys.modules); "
        "import attune.workers.runtime.schedule, attune.labeler.web.serve; "
        "print(sorted({'torch', 'sklearn', 'scipy.stats', 'scipy.optimize', 'jsonschema'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[] True", "[]"]


def test_a_worker_counts_for_the_jobs_that_it_takes(live: Settings) -> None:
    """Otherwise a command would wait for ever for one that only ends access."""
    worker = Worker(jobs.ACCESS, connection=jobs.connect(live), serializer=JSONSerializer)
    worker.register_birth()
    assert jobs.workers_alive(live, "leave")
    assert not jobs.workers_alive(live, "embed")
    assert jobs.ask(live, "sync")["queues"] == 0, "done here"
    worker.register_death()
