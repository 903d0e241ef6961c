"""A worker: `python -m attune.workers.runtime.worker` takes jobs one at a time, each in a process of its own."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import psutil
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import OutOfMemoryError, RedisError
from redis.exceptions import TimeoutError as TooLate
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker, WorkerStatus
from sqlalchemy.orm import configure_mappers

from attune.labeler.answers import hints
from attune.labeler.jobs import jobs
from attune.labeler.label_studio.client import tls
from attune.labeler.services import entry_point
from attune.labeler.settings import Settings
from attune.labeler.traces import spans
from attune.models.errors import ServiceDown
from attune.workers.runtime import queue_priority

log = logging.getLogger("attune.worker")
HEARTBEAT_SECONDS = 20
FORGOTTEN_SECONDS = 60  # after which Redis drops what a worker could not delete at a job's end
AWAY = (NoConnection, TooLate)  # what redis raises where nothing answers, or it is still reading its file
# What `LabelStudio.sdk` loads at the first use of each.
OF_LABEL_STUDIO = tuple(f"label_studio_sdk.{part}.client" for part in ("projects", "tasks", "webhooks"))
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def is_outage(error: RedisError) -> bool:
    """Whether Redis does not answer, or takes nothing for now: its disk (MISCONF) or its memory (OOM) is full."""
    return isinstance(error, (*AWAY, OutOfMemoryError)) or "MISCONF" in str(error)


@contextmanager
def outages_waited_out() -> Iterator[None]:
    """Leave the block at an outage, as the worker waits for Redis before its next job."""
    try:
        yield
    except RedisError as error:
        if not is_outage(error):
            raise


class SteadyWorker(Worker):
    """rq's worker, back within seconds after Redis was away; searches run in it and keep the encoder loaded.

    rq ends a worker where a command fails outside its wait for jobs, and registers it at its start alone.
    """

    max_connection_wait_time = 2.0
    _other_at = -float("inf")  # when it took something else than a reading, or ended it

    def reorder_queues(self, reference_queue: Queue) -> None:
        """After each job that is taken: where the next one is looked for first."""
        at = time.monotonic()
        if reference_queue.name != jobs.HINTS:
            self._other_at = at
        queues = {queue.name: queue for queue in self.queues}
        self._ordered_queues = [queues[name] for name in queue_priority.in_order(queues, at - self._other_at)]

    def check_for_suspension(self, burst: bool) -> None:
        """At the head of each turn: wait until Redis answers, and be registered there."""
        await_redis(self.connection, float("inf"))
        super().check_for_suspension(burst)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Show a sign of life, and be registered; an outage is no reason to end."""
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            return
        with outages_waited_out():
            self._register_again()
            super().heartbeat(timeout)

    def _register_again(self) -> None:
        """Register where Redis began with no data, or forgot this worker as its clock leapt ahead: a laptop that slept.

        What it forgot comes back with the next sign of life, without a birth and the names of queues.
        """
        is_listed = self.connection.sismember(self.redis_workers_keys, self.key)
        if not is_listed or not self.connection.hexists(self.key, "birth"):
            self.connection.delete(self.key)  # a stray sign of life, which rq would take for a namesake's
            birth: Any = self.register_birth
            birth()

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Tell what this worker does now; nothing depends on it."""
        with outages_waited_out() if pipeline is None else nullcontext():
            super().set_state(state, pipeline)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """The same while a job runs, which goes on without Redis."""
        with outages_waited_out():
            self._register_again()
            super().maintain_heartbeats(job, execution)

    def handle_job_success(
        self, job: Job, queue: Queue, started_job_registry: StartedJobRegistry, execution: Execution
    ) -> None:
        """Note the end of a job, also where Redis forgot its execution as its clock leapt ahead.

        What keeps no result is deleted with its executions, which rq reads first: one that is gone, or came back with
        the next sign of life alone, has it take the finished job for a failed one (``KeyError: b'created_at'``).
        """
        execution.save(ttl=FORGOTTEN_SECONDS)
        super().handle_job_success(job, queue, started_job_registry, execution)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Do a search here, and any other job in a process of its own, as rq does.

        Where Redis goes away meanwhile the process is waited for: how a job ends stands in the records.
        """
        try:
            if queue.name != jobs.KINDS["explore"][1]:
                super().execute_job(job, queue)
                return
            execution = self.prepare_execution(job)
            self.perform_job(job, queue, execution)
            self.set_state(WorkerStatus.IDLE)
        except RedisError as error:
            if not is_outage(error):
                raise
            log.warning("Redis went away during %s: %s", job.id, error)
            if self.horse_pid:
                self.wait_for_horse()
                self._horse_pid = 0
        finally:
            if queue.name != jobs.HINTS:  # a long one leaves the readings their time all the same
                self._other_at = time.monotonic()


def main(arguments: Sequence[str] | None = None) -> int:
    """Work until SIGTERM (the job in hand is finished first) or a second one (it is not); the exit code."""
    parser = entry_point.parser("attune.workers.runtime.worker", __doc__)
    parser.add_argument("--queues", default=",".join(jobs.QUEUES), help="names, drained in this order")
    parser.add_argument("--burst", action="store_true", help="end when the queues are empty")
    options = parser.parse_args(arguments)
    return entry_point.run(lambda settings: work(settings, options.queues.split(","), options.burst))


def work(settings: Settings, queues: Sequence[str], burst: bool) -> None:
    """Take jobs from ``queues`` until stopped, or with ``burst`` until they are empty. Raises ServiceDown."""
    prepare_log(settings.log_level)
    spans.start("worker", in_background=False)
    preload(queues)
    # What is here by now stays: a job that collects garbage would look through all of it, and copy it first.
    gc.collect()
    gc.freeze()
    connection = jobs.connect(settings)
    await_redis(connection)
    bury_the_dead(connection)
    worker = SteadyWorker(
        queues,
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=HEARTBEAT_SECONDS + 15,  # rq shows a sign of life 15 seconds before this runs out
        job_monitoring_interval=HEARTBEAT_SECONDS,
        maintenance_interval=60,  # how soon the job of a dead worker is noticed
    )
    worker.work(burst=burst, logging_level="WARNING")


def prepare_log(level: str) -> None:
    """Log to stderr in UTC; the supervisor keeps it."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=level.upper(), format=FORMAT, force=True)
    for chatty in ("httpx", "urllib3", "alembic"):
        logging.getLogger(chatty).setLevel("WARNING")


def preload(queues: Sequence[str]) -> None:
    """Import and prepare what the jobs of ``queues`` need before any is forked: in each it would cost a second."""
    modules = {target.partition(":")[0] for target, queue in jobs.KINDS.values() if queue in queues}
    modules |= {hints.JOB.rpartition(".")[0]} if jobs.HINTS in queues else set()
    for module in (*sorted(modules), *OF_LABEL_STUDIO):
        try:
            importlib.import_module(module)
        except ImportError:
            # The jobs of that kind will fail and say so; the other kinds need not wait for it.
            log.exception("%s cannot be imported", module)
    configure_mappers()
    tls()


def await_redis(connection: Redis, patience_seconds: float = 60.0) -> None:
    """Wait for Redis, which may be starting or reading its file. Raises ServiceDown where it does not come."""
    began = time.monotonic()
    while True:
        try:
            connection.ping()
            return
        except RedisError as error:
            if time.monotonic() - began > patience_seconds:
                raise ServiceDown(
                    "Redis does not answer, so the worker gets no jobs. Start everything (`attune up`), or set "
                    "ATTUNE_REDIS_URL to a running Redis."
                ) from error
            time.sleep(0.2)


def bury_the_dead(connection: Redis) -> int:
    """Take workers of this machine out of Redis whose process is gone: killed with -9 they could not do it themselves.

    Otherwise they would count as alive for another minute and a half. Returns how many there were.
    """
    buried = 0
    for worker in Worker.all(connection=connection, serializer=JSONSerializer):
        if worker.hostname == socket.gethostname() and not _lives(worker):
            death: Any = worker.register_death
            death()
            buried += 1
    return buried


def _lives(worker: BaseWorker) -> bool:
    if not worker.pid or worker.pid == os.getpid():
        return False
    try:
        process = psutil.Process(worker.pid)
        if process.status() == psutil.STATUS_ZOMBIE:  # it ended, and nobody asks how, as in a container without an init
            return False
        # A later process may have been given the number.
        return worker.birth_date is None or process.create_time() <= worker.birth_date.timestamp() + 1
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    sys.exit(main())
