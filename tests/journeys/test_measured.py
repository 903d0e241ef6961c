"""An owner asks for a measure: the experts' next questions are audits, and a figure is there when they are answered."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from attune.labeler.cli.main import attune
from attune.labeler.demo import simulate
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Annotation, Run, Task
from attune.labeler.records.session import reading
from attune.labeler.sample import stock_experts
from attune.labeler.settings import Settings
from attune.models.evaluation.metrics import FIRST
from attune.models.labels.answers import AUDIT
from tests.journeys.conftest import ATTRIBUTE, House

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(900)]
SIZE = 15


def audits(settings: Settings) -> int:
    with reading(settings) as session:
        return session.scalar(select(func.count(Annotation.id)).where(Annotation.purpose == AUDIT)) or 0


def test_a_batch_on_demand_is_answered_next_and_measures(house: House) -> None:
    settings = house.settings
    before = audits(settings)
    asked = CliRunner().invoke(
        attune, ["audit", ATTRIBUTE, "--size", str(SIZE), "--json", "--workspace", str(settings.workspace)]
    )
    assert asked.exit_code == 0, asked.output
    assert json.loads(asked.stdout)["waiting"] >= SIZE
    with reading(settings) as session:
        waiting = session.scalars(select(Task).where(Task.purpose == AUDIT, Task.state == "open")).all()
    assert all(task.inclusion and 0 < task.inclusion <= 1 for task in waiting)
    assert all(task.position < SIZE for task in waiting)

    simulate.answer_all(settings, ATTRIBUTE, stock_experts(house.drawn), SIZE, lambda _n: None)
    jobs.ask(settings, "sync", attribute=ATTRIBUTE)
    # Each at their own pace: who is quicker than the others may have gone on to questions behind the audits.
    assert audits(settings) - before >= FIRST + 1
    jobs.ask(settings, "learn", attribute=ATTRIBUTE)
    with reading(settings) as session:
        run = session.scalars(select(Run).order_by(Run.number.desc()).limit(1)).one()
    figure = run.metrics["average_precision"]
    assert figure["n"] >= FIRST
    assert 0 <= figure["lo"] <= figure["value"] <= figure["hi"] <= 1
    assert run.labels["trained_on"] + run.labels["audited"] <= run.labels["assets"]
    assert run.advice["outlook"]["regions"]
