"""What workers do in a large pool: a learning round, scoring, a search, an import, and the start of the console.

Left out, as they are of another program: Label Studio, to which a round sends its order, and the text tower.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import numpy as np
from PIL import Image
from sqlalchemy import insert, select
from threadpoolctl import threadpool_limits

from attune.labeler.assets.add import Request, add
from attune.labeler.catalog import measure_review
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.jobs.jobs import quiet
from attune.labeler.jobs.learn_lease import acquire_lease
from attune.labeler.records.schema import Job, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.workers.jobs import explore_pool, learn, score_pool
from benchmarks.pool_size import answers
from benchmarks.pool_size.pool import DIMENSION, ENCODER, QUESTION
from benchmarks.scale import vectors

RUN_EACH = 4  # answers between two runs of the past
START = """
import sys
from attune.labeler import settings
from attune.labeler.web.app import create_app
client = create_app(settings.build(workspace=sys.argv[1], redis_url=sys.argv[2])).test_client()
assert client.get("/readyz").status_code == 200
"""


def learning_round(settings: Settings) -> None:
    """One round after one more answer, from the snapshot to what it leaves behind, as the job does it: one thread."""
    answers.one_more(settings)
    lease = acquire_lease(settings, 1)
    assert lease is not None, "another learner holds the question"
    with threadpool_limits(1), patch("attune.workers.jobs.learn.apply_order.apply", return_value=0):
        _, counter, afterwards = learn.one_round(settings, Mock(), QUESTION, lease, settings.queue_size)
        assert lease.release(counter)
        afterwards()


def first_round(settings: Settings) -> None:
    """The same without what a round works out now and then, which takes minutes: errors, forecast, page advice."""
    rounds = "attune.workers.jobs.learn"
    with (
        patch(f"{rounds}.slow_figures.due", return_value=False),
        patch(f"{rounds}.label_errors.is_owed", return_value=False),
        patch(f"{rounds}.pages_of_images.due", return_value=False),
    ):
        learning_round(settings)


def past_runs(settings: Settings) -> None:
    """A run and its job for each ``RUN_EACH`` answers before the newest run, whose figures they share."""
    with reading(settings) as session:
        newest = session.scalars(select(Run).order_by(Run.id.desc())).first()
    assert newest is not None
    same = {column.name: getattr(newest, column.name) for column in Run.__table__.columns if column.name != "id"}
    count = newest.answers // RUN_EACH
    with writing(settings) as session:
        session.get_one(Run, newest.id).number = count + 1
        session.flush()
        for start in range(0, count, 1_000):
            numbers = range(start, min(start + 1_000, count))
            runs = [{"number": one + 1, "answers": RUN_EACH * one, "data_digest": f"{one:064x}"} for one in numbers]
            session.execute(insert(Run), [same | one for one in runs])
            session.execute(insert(Job), [_job(one) for one in numbers])


def _job(number: int) -> dict[str, Any]:
    arguments = {"attribute": QUESTION}
    return {
        "id": f"learn-{number:016x}", "kind": "learn", "subject": QUESTION, "arguments": arguments, "state": "done",
        "done": 1, "total": 1, "result": arguments | {"state": "learned"}, "created_at": now(), "finished_at": now(),
    }  # fmt: skip


def publish(settings: Settings) -> int:
    """Make the newest run champion, whatever the gates say; its number."""
    moved = promote(settings, Move(QUESTION, "latest", "to be measured", "bench", override=True))
    return moved.version


def score(settings: Settings, version: int) -> None:
    """A version's feature values of all images."""
    score_pool.run(settings, quiet, QUESTION, version)


def review(settings: Settings) -> None:
    """The figures of the newest version's review after one more answer, as a worker leaves them for the page."""
    answers.one_more(settings)
    measure_review.measure(settings, QUESTION)


def search(settings: Settings) -> None:
    """A search by a text whose vector is there."""
    row = vectors(1, DIMENSION, 99)[0].astype(np.float32)
    with patch("attune.workers.jobs.explore_pool._encoded", return_value=row):
        found = explore_pool.run(settings, text="a serious face")
    assert len(found["hits"]) > 100


def imported(settings: Settings, count: int) -> None:
    """Add ``count`` new small images with their vectors."""
    folder = Path(tempfile.mkdtemp(prefix="added-", dir=settings.workspace))
    rng = np.random.default_rng()
    names = [f"{folder.name}-{number}" for number in range(count)]
    for name in names:
        Image.fromarray(rng.integers(0, 255, (24, 16, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    held = folder.with_suffix(".npz")
    np.savez(held, ids=np.array(names), vectors=vectors(count, DIMENSION, 77))
    stamp = settings.vectors / ENCODER.digest / "fingerprint.json"
    done = add(settings, Request([str(folder)], vectors=held, fingerprint=stamp))
    assert done.vectors_imported == count, done


def started(settings: Settings) -> None:
    """A console in a process of its own, until it says that it is ready."""
    command = [sys.executable, "-c", START, str(settings.workspace), settings.redis_url]
    subprocess.run(command, check=True, env=os.environ)
