"""One size of the pool: make its workspace, unless it is there, and measure all that is not measured yet.

The making, the work of the workers and the pages are each a process of its own: what one of them holds is not counted
as another's memory.
"""

from __future__ import annotations

import logging
import multiprocessing
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from attune.labeler import settings as reader
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from benchmarks.pool_size import answers, kept_figures, pages, pool, work
from benchmarks.pool_size.clock import figures, load, spent, watched
from benchmarks.pool_size.kept_figures import Row
from tests.support.services import redis_on_a_socket

MADE = "made"  # a file that says that a workspace is whole, and names the champion


@dataclass(frozen=True)
class Plan:
    """What is measured: ``size`` images in a workspace under ``folder``, ``rounds`` looks at each page of ``roles``
    (none: work alone), ``repeats`` of each work with ``imported`` new images (0: pages alone); of both those whose name
    has ``only`` in it."""

    folder: Path
    size: int
    answers: int
    rounds: int
    repeats: int
    imported: int
    roles: tuple[str, ...]
    only: str

    @property
    def place(self) -> Path:
        """The workspace; one that was kept serves only for as many answers."""
        return self.folder / f"{self.size}-{self.answers}"


def measured(plan: Plan) -> dict[str, Any]:
    """The figures of one size."""
    apart = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=apart, max_tasks_per_child=1) as one_by_one:
        one_by_one.submit(ready, plan).result()
        done = one_by_one.submit(works, plan).result() if plan.imported else []
        looks = one_by_one.submit(looked, plan).result() if plan.roles else {"pages": [], "not_shown": {}}
    return {"pool": plan.size, "load": load(), **looks, "work": done}


def ready(plan: Plan) -> None:
    """Make the workspace unless it is there."""
    if (plan.place / MADE).exists():
        return
    logging.disable(logging.WARNING)
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


def works(plan: Plan) -> list[Row]:
    """What workers do, and the start of the console."""
    with _served(plan) as (settings, version):
        return [
            kept_figures.once(plan.place, {"page": name}, partial(_repeated, one, plan.repeats))
            for name, one in _works(settings, plan, version).items()
            if re.search(plan.only, name)
        ]


def looked(plan: Plan) -> dict[str, Any]:
    """Every page; the figures of a review are those that ``works`` left."""
    with _served(plan) as (settings, version):
        return pages.measure(settings, version, plan.rounds, plan.roles, plan.only)


@contextmanager
def _served(plan: Plan) -> Iterator[tuple[Settings, int]]:
    logging.disable(logging.WARNING)
    version = int((plan.place / MADE).read_text())
    with tempfile.TemporaryDirectory(prefix="redis-") as folder, redis_on_a_socket(Path(folder)) as address:
        yield reader.build({}, workspace=plan.place, redis_url=address), version


def _works(settings: Settings, plan: Plan, version: int) -> dict[str, Callable[[], Any]]:
    """Each work; what needs little memory first, as a process seldom gives back what it held."""
    return {
        "start of the console": partial(work.started, settings),
        "search by text": partial(work.search, settings),
        "score all": partial(work.score, settings, version),
        f"import of {plan.imported:,} images": partial(work.imported, settings, plan.imported),
        "learning round": partial(work.learning_round, settings),
        "figures of a review": partial(work.review, settings),
    }


def _repeated(one: Callable[[], Any], repeats: int) -> Row:
    with watched() as most:
        before = most[0]
        runs = [spent(one) for _ in range(repeats)]
    return {**figures(runs), "mib_before": round(before), "mib": round(most[0])}
