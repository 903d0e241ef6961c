"""One size of the pool: make its workspace, unless it is there, and measure all."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from attune.labeler import settings as reader
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from benchmarks.pool_size import answers, pages, pool, work
from benchmarks.pool_size.clock import figures, load, spent, watched
from tests.support.services import redis_on_a_socket

MADE = "made"  # a file that says that a workspace is whole, and names the champion
REPEATS = 3


@dataclass(frozen=True)
class Plan:
    """What is measured: ``size`` images at ``place``, ``rounds`` looks at each page, ``imported`` new images (0: pages
    alone); of pages those of ``roles`` whose name has ``only`` in it."""

    place: Path
    size: int
    answers: int
    rounds: int
    imported: int
    roles: tuple[str, ...]
    only: str


def measured(plan: Plan) -> dict[str, Any]:
    """The figures of one size."""
    logging.disable(logging.WARNING)
    version = ready(plan)
    with tempfile.TemporaryDirectory(prefix="redis-") as folder, redis_on_a_socket(Path(folder)) as address:
        settings = reader.build({}, workspace=plan.place, redis_url=address)
        work.review(settings)  # the page shows what a worker left
        with watched() as most:
            looks = pages.measure(settings, version, plan.rounds, plan.roles, plan.only)
        found: dict[str, Any] = {"pool": plan.size, "load": load(), "mib_of_pages": most[0], **looks, "work": []}
        if plan.imported:
            found["work"] = [{"page": name, **_repeated(one)} for name, one in _works(settings, plan, version).items()]
    return found


def ready(plan: Plan) -> int:
    """Make the workspace unless it is there; the champion's number."""
    if (plan.place / MADE).exists():
        return int((plan.place / MADE).read_text())
    shutil.rmtree(plan.place, ignore_errors=True)
    print(f"making {plan.size:,} images and {plan.answers:,} answers in {plan.place}", flush=True)
    settings, truth = pool.make(plan.place, plan.size)
    answers.give(settings, truth, plan.answers)
    work.first_round(settings)
    work.past_runs(settings)
    version = work.publish(settings)
    work.score(settings, version)
    engine(settings.records_url).dispose()
    (plan.place / MADE).write_text(str(version))
    return version


def _works(settings: Settings, plan: Plan, version: int) -> dict[str, Callable[[], Any]]:
    return {
        "start of the console": partial(work.started, settings),
        "learning round": partial(work.learning_round, settings),
        "figures of a review": partial(work.review, settings),
        "score all": partial(work.score, settings, version),
        "search by text": partial(work.search, settings),
        f"import of {plan.imported:,} images": partial(work.imported, settings, plan.imported),
    }


def _repeated(one: Callable[[], Any]) -> dict[str, Any]:
    with watched() as most:
        runs = [spent(one) for _ in range(REPEATS)]
    return {**figures(runs), "mib": most[0]}
