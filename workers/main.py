"""A worker: `python -m workers.main` takes jobs from the queues, one at a time, each in a process of its own."""

from __future__ import annotations

import importlib
import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any

import psutil
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker, WorkerStatus

from labeler import entry, jobs
from labeler.settings import Settings
from models.errors import ServiceDown

log = logging.getLogger("attune.worker")
HEARTBEAT_SECONDS = 20
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class SteadyWorker(Worker):
    """rq's worker, back within seconds after Redis was away; searches run in it and keep the encoder loaded."""

    max_connection_wait_time = 2.0

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Do a search here, and any other job in a process of its own, as rq does."""
        if queue.name != jobs.KINDS["explore"][1]:
            super().execute_job(job, queue)
            return
        execution = self.prepare_execution(job)
        self.perform_job(job, queue, execution)
        self.set_state(WorkerStatus.IDLE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Work until SIGTERM (the job in hand is finished first) or a second one (it is not); the exit code."""
    parser = entry.parser("workers.main", __doc__)
    parser.add_argument("--queues", default=",".join(jobs.QUEUES), help="names, drained in this order")
    parser.add_argument("--burst", action="store_true", help="end when the queues are empty")
    options = parser.parse_args(arguments)
    return entry.run(lambda settings: work(settings, options.queues.split(","), options.burst))


def work(settings: Settings, queues: Sequence[str], burst: bool) -> None:
    """Take jobs from ``queues`` until stopped, or with ``burst`` until they are empty. Raises ServiceDown."""
    prepare_log(settings.log_level)
    preload()
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


def preload() -> None:
    """Import what jobs need before any is forked: imported in each, it would cost every answer a second."""
    modules = {target.partition(":")[0] for target, _ in jobs.KINDS.values()}
    for module in (*sorted(modules), "label_studio_sdk.client"):
        try:
            importlib.import_module(module)
        except ImportError:
            # The jobs of that kind will fail and say so; the other kinds need not wait for it.
            log.exception("%s cannot be imported", module)


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
                    "Redis does not answer, so no jobs can be taken. Start everything with `attune up`, or point "
                    "ATTUNE_REDIS_URL at a running Redis."
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
        # A later process may have been given the number.
        return worker.birth_date is None or process.create_time() <= worker.birth_date.timestamp() + 1
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    sys.exit(main())
