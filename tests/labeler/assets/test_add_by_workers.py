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

from attune.labeler.assets import add as adding
from attune.labeler.assets.add import Request, add
from attune.labeler.jobs import jobs
from attune.labeler.settings import Settings
from attune.models.vectors.vector_store import VectorStore
from tests.support.factories import picture
from tests.support.services import redis_on_a_socket

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def with_redis(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The workspace, with a Redis of its own on a socket."""
    with redis_on_a_socket(tmp_path) as address:
        yield replace(settings, redis_url=address)


@contextmanager
def worker(settings: Settings) -> Iterator[None]:
    """A worker process that is alive."""
    environment = os.environ | settings.environment() | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "attune.workers.runtime.worker"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        for _ in range(1200):
            if jobs.workers_alive(settings, "embed"):
                break
            time.sleep(0.1)
        yield
        process.terminate()


def test_the_workers_embed_in_chunks_and_the_command_waits_or_leaves_the_jobs_in_the_queue(
    with_redis: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "EMBED_CHUNK", 4)
    (folder.parent / "more").mkdir()
    (folder.parent / "more" / "g.jpg").write_bytes(picture(6))
    reports: list[tuple[int, int]] = []
    with worker(with_redis):
        summary = add(
            with_redis, Request([str(folder)]), embedding_bar=lambda done, total: reports.append((done, total))
        )
        later = add(with_redis, Request([str(folder.parent / "more")], wait=False))
        assert (later.added, later.embedded, len(later.jobs)) == (1, 0, 1)
        assert jobs.follow(with_redis, later.jobs[0])["embedded"] == 1
    assert (summary.added, summary.embedded, len(summary.jobs)) == (6, 6, 2)
    assert reports[-1] == (6, 6)
    store = VectorStore(with_redis.vectors)
    [fingerprint] = store.fingerprints()
    assert len(store.read(fingerprint)) == 7
