"""A beat records what happened and asks one worker to send it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.workers.runtime import due_notices
from tests.labeler.web.conftest import redis_url  # noqa: F401 - a fixture
from tests.support import factories


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:  # noqa: F811 - its value
    return factories.workspace(tmp_path, redis_url=redis_url)


def asked(settings: Settings) -> list[dict[str, object]]:
    with reading(settings) as session:
        return [job.arguments for job in session.query(Job).where(Job.kind == "notify")]


def test_one_job_waits_however_many_beats_go_by(settings: Settings) -> None:
    factories.add_job(settings, "embed", "failed", error="No disk left.", finished_at=now())
    connection = jobs.connect(settings)
    assert due_notices.ask(settings, connection) == {"told": 1}
    assert asked(settings) == []  # nothing is set, so nothing is to be sent
    settings = replace(settings, notify_webhook_url="http://127.0.0.1:1/")
    factories.add_job(settings, "score", "failed", subject="romance", error="Gone.", finished_at=now())
    assert [due_notices.ask(settings, connection)["told"] for _ in range(3)] == [1, 0, 0]
    assert asked(settings) == [{"gates": []}]
    with writing(settings) as session:
        session.query(Job).where(Job.kind == "notify").one().state = "done"
    due_notices.ask(settings, connection)
    assert len(asked(settings)) == 2  # still due


def test_a_candidate_is_judged_once_in_a_while_and_not_at_every_beat(settings: Settings) -> None:
    romance = factories.add_attribute(settings)
    factories.add_run(settings, romance, 400, 0.8)
    connection = jobs.connect(settings)
    connection.delete("attune:gates:romance")
    for _ in range(3):
        due_notices.ask(settings, connection)
    assert asked(settings) == [{"gates": ["romance"]}]
