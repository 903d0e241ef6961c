"""An owner asks for a measure: audits come among the experts' next questions, and a figure when they are answered."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, update

from attune.labeler.cli.main import attune
from attune.labeler.demo.prepare import SIMULATED
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Annotation, Queue, Run, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import measuring
from attune.models.evaluation.metrics import FIRST
from attune.models.labels.answers import AUDIT
from tests.journeys.conftest import ATTRIBUTE, House
from tests.journeys.test_nothing_is_lost import give

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(900)]
SIZE = 15
MOST = 75  # answers until the audits that were asked for are answered


def audits(settings: Settings) -> int:
    with reading(settings) as session:
        return session.scalar(select(func.count(Annotation.id)).where(Annotation.purpose == AUDIT)) or 0


def await_audits(settings: Settings) -> int:
    """How many audits wait or come next, once a round has drawn those asked for: another, which draws fewer by itself,
    may be at work when it is asked.
    """
    until = time.monotonic() + 120
    while (waiting := measuring.of(settings, ATTRIBUTE).waiting) < SIZE and time.monotonic() < until:
        time.sleep(0.5)
    return waiting


def come_soon(waiting: list[Task]) -> bool:
    """Whether in each queue about every second question is an audit until all have come, and of a few all among 15."""
    many = Counter(task.queue_id for task in waiting)
    return all(task.position < 3 * max(SIZE // len(SIMULATED), many[task.queue_id]) for task in waiting)


def await_order(settings: Settings) -> list[Task]:
    """The audits that wait, once each queue follows: an idle expert's does once a minute, as if that had passed."""
    until = time.monotonic() + 90
    while True:
        with writing(settings) as session:
            session.execute(update(Queue).values(ordered_at=None))
        jobs.ask(settings, "learn", attribute=ATTRIBUTE)
        with reading(settings) as session:
            waiting = list(session.scalars(select(Task).where(Task.purpose == AUDIT, Task.state == "open")))
        if come_soon(waiting) or time.monotonic() > until:
            return waiting
        time.sleep(0.5)  # another learner is at it


def test_a_batch_on_demand_is_answered_next_and_measures(house: House) -> None:
    settings = house.settings
    before = audits(settings)
    asked = CliRunner().invoke(
        attune, ["audit", ATTRIBUTE, "--size", str(SIZE), "--workspace", str(settings.workspace)]
    )
    assert asked.exit_code == 0, asked.output
    assert await_audits(settings) >= SIZE, asked.output
    waiting = await_order(settings)
    assert waiting
    assert all(task.inclusion and 0 < task.inclusion <= 1 for task in waiting)
    assert come_soon(waiting), sorted((task.queue_id, task.position) for task in waiting)

    # As many at once as other new questions hide, so that nobody can tell them: about every second one is an audit.
    for _ in range(MOST // SIZE):
        for name in SIMULATED:  # without a wait for the order after each answer, as tests/journeys/test_expert.py has
            give(settings, house, name, SIZE // len(SIMULATED))
        jobs.ask(settings, "sync", attribute=ATTRIBUTE)
        jobs.ask(settings, "learn", attribute=ATTRIBUTE)
        with reading(settings) as session:
            run = session.scalars(select(Run).order_by(Run.number.desc()).limit(1)).one()
        figure = run.metrics["average_precision"]
        if audits(settings) - before > FIRST and figure["lo"] is not None:
            break
    assert audits(settings) - before > FIRST
    assert figure["n"] >= FIRST
    assert 0 <= figure["lo"] <= figure["value"] <= figure["hi"] <= 1
    assert run.labels["trained_on"] + run.labels["audited"] <= run.labels["assets"]
    assert run.advice["outlook"]["regions"]
