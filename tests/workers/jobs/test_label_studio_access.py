"""People and revisions carried into a real Label Studio: a login that works, a page in its new words, old answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from attune.labeler.answers import exclude_expert
from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.jobs import jobs
from attune.labeler.label_studio import LabelStudio, queue_tasks
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.people import invite
from attune.labeler.people.invite import Welcome
from attune.labeler.records.schema import Annotation, Expert, Job, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import LabelStudioUnreachable
from attune.workers.runtime import schedule
from attune.workers.sync import sync
from tests.support import factories

pytestmark = [pytest.mark.services, pytest.mark.slow]
EMAIL = "dana.dahl@example.org"


def do(settings: Settings, kind: str) -> dict[str, Any]:
    """Do the newest job of a kind here."""
    with reading(settings) as session:
        job = session.scalars(select(Job).where(Job.kind == kind).order_by(Job.created_at.desc())).first()
    return jobs.run_here(settings, kind, **job.arguments)


def values(settings: Settings) -> dict[int, str]:
    """What counts now: Label Studio's id of the answer -> its value."""
    with reading(settings) as session:
        rows = session.scalars(select(Annotation).where(Annotation.deleted_at.is_(None)))
        return {row.label_studio_id: row.value for row in rows}


@pytest.fixture
def welcome(live: Settings) -> Welcome:
    """Dana, invited to answer romance."""
    factories.add_attribute(live)
    return invite.invite(live, EMAIL, ["romance"], "Dana Dahl")


@pytest.fixture
def dana(live: Settings, welcome: Welcome) -> Iterator[ExpertSession]:
    """Dana's browser, with the password that was shown."""
    assert do(live, "join") == do(live, "join") | {"password": "as shown"}
    with ExpertSession.login(live.label_studio_address, EMAIL, welcome.password) as session:
        yield session


def test_an_answer_survives_the_questions_change_and_the_page_follows(
    live: Settings, ls: LabelStudio, dana: ExpertSession
) -> None:
    with reading(live) as session:
        mine = session.scalars(select(Queue)).one()
        assert session.scalars(select(Expert)).one().label_studio_user
    assets = factories.add_assets(live, 3)
    new = [NewTask(asset.asset_id, f"http://x/{asset.asset_id}", 0.5) for asset in assets]
    where = queue_tasks.add(ls, mine.project, new)
    tasks = [one.task for one in where]
    for asset, one in zip(assets, where, strict=True):
        factories.stand(live, factories.add_task(live, mine, asset), one)
    first, second = dana.answer(tasks[0], "romance"), dana.answer(tasks[1], "friendship")
    sync.run(live, jobs.quiet, "romance")
    assert values(live) == {first: "romance", second: "friendship"}

    with reading(live) as session:
        held = revise_attribute.definition_of(attributes.find(session, "romance"))
    wanted = replace(held, question="Love or family?", classes=["love", "neither", "family"])
    revise_attribute.revise(live, wanted, "A wider question.", {"romance": "love"})
    assert do(live, "configure") == {"attribute": "romance", "revision": 2, "queues": 1}
    shown = ls.sdk.projects.get(id=mine.project).label_config
    assert all(f'value="{name}"' in shown for name in ("Love or family?", "love", "neither", "family", "unsure"))
    assert 'value="romance"' not in shown

    sync.run(live, jobs.quiet, "romance", whole=True)
    assert values(live) == {first: "love"}
    third = dana.answer(tasks[2], "family")
    dana.edit(second, "neither")
    sync.run(live, jobs.quiet, "romance", whole=True)
    sync.run(live, jobs.quiet, "romance", whole=True)
    assert values(live) == {first: "love", second: "neither", third: "family"}

    exclude_expert.exclude(live, EMAIL)
    sync.run(live, jobs.quiet, "romance", whole=True)
    assert values(live) == {}
    assert sum(exclude_expert.include(live, EMAIL).values()) == 3


def test_an_invitation_while_label_studio_is_away_is_kept_and_done_later(live: Settings, welcome: Welcome) -> None:
    away = replace(live, label_studio_url="http://127.0.0.1:9")
    with pytest.raises(LabelStudioUnreachable):
        do(away, "join")
    with reading(live) as session:
        (job,) = session.scalars(select(Job).where(Job.kind == "join"))
    jobs.fail(live, job.id, "Label Studio does not answer.")
    with writing(live) as session:
        session.get_one(Job, job.id).finished_at = now() - timedelta(minutes=5)
    connection = jobs.connect(live)
    assert schedule.retry_failed(away, connection) == 0
    assert schedule.retry_failed(live, connection) == 1
    assert schedule.retry_failed(live, connection) == 0
    assert do(live, "join")["queues"] == 1
