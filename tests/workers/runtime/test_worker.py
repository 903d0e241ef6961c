"""Workers on a real Redis: jobs of every queue are done, and the dead do not count as alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from rq import Worker
from rq.serializers import JSONSerializer

from attune.labeler.jobs import jobs
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
    said = burst(live)
    assert jobs.follow(live, done)["queues"] == 0
    with pytest.raises(JobError, match="nothing"):
        jobs.follow(live, failed)
    assert f"{done} starts" in said
    assert f"{failed} failed" in said


def test_a_worker_takes_only_the_queues_it_was_given(live: Settings) -> None:
    jobs.enqueue(live, "embed")
    burst(live, "--queues", "learn,publish")
    assert jobs.Queue("embed", connection=jobs.connect(live), serializer=JSONSerializer).count == 1


def test_a_worker_killed_with_9_is_buried_by_the_next(live: Settings, services: Services) -> None:
    connection = jobs.connect(live)
    command = [sys.executable, "-m", "attune.workers.runtime.worker"]
    with subprocess.Popen(command, env=our_environment(live), stderr=subprocess.DEVNULL) as worker:
        while not jobs.workers_alive(live):
            assert worker.poll() is None
        worker.send_signal(signal.SIGKILL)
    assert jobs.workers_alive(live), "Redis cannot know it yet"
    assert main.bury_the_dead(connection) == 1
    assert not jobs.workers_alive(live)
    assert Worker.all(connection=connection) == []


def test_the_living_are_not_buried(live: Settings) -> None:
    connection = jobs.connect(live)
    worker = Worker(["learn"], connection=connection, serializer=JSONSerializer)
    worker.pid = os.getppid()
    worker.register_birth()
    assert main.bury_the_dead(connection) == 0
    assert jobs.living_workers(live) == 1
    worker.register_death()


def test_every_kind_of_job_can_be_imported(caplog: pytest.LogCaptureFixture) -> None:
    main.preload()
    assert not caplog.records
