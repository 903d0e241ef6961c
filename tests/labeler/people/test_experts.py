"""Experts come, leave and come back: both logins follow, and nobody else's password is touched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from attune.labeler.jobs import jobs
from attune.labeler.label_studio import LabelStudio, projects, queue_tasks
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.people import experts, invite, users
from attune.labeler.records.schema import Job, Queue
from attune.labeler.records.session import engine, reading
from attune.labeler.settings import Settings
from attune.models.errors import AlreadyThere, LabelStudioRefused
from attune.workers.rounds import snapshot
from tests.support import factories
from tests.support.factories import add_answer, add_assets, add_attribute, add_task, stand
from tests.support.services import Services
from tests.workers.rounds.test_queue_plan import VIEW

pytestmark = [pytest.mark.services, pytest.mark.slow]
_number = itertools.count(1)


@pytest.fixture
def ours(services: Services, tmp_path: Path) -> Iterator[Settings]:
    """A workspace with the question romance, whose Label Studio is our own; no worker lives."""
    made = replace(services.settings, redis_url="redis://127.0.0.1:9/0", database_url=f"sqlite:///{tmp_path}/r.sqlite")
    factories.newest(made)
    add_attribute(made, "romance")
    yield made
    with reading(made) as session, LabelStudio.connect(made) as ls:
        for held in session.scalars(select(Queue)):
            projects.delete(ls, Project(held.project, held.view, held.webhook))
    engine(made.records_url).dispose()


@pytest.fixture
def email() -> str:
    """An address that no other test uses."""
    return f"leaver{next(_number)}@example.org"


def can_log_in(settings: Settings, email: str, password: str) -> bool:
    try:
        ExpertSession.login(settings.label_studio_address, email, password).close()
    except LabelStudioRefused:
        return False
    return True


def queue_of(settings: Settings) -> Queue:
    with reading(settings) as session:
        return session.scalars(select(Queue)).one()


def test_a_leavers_login_sessions_and_open_questions_end_and_the_answers_stay(ours: Settings, email: str) -> None:
    made = experts.add(ours, email)
    assert made.password
    assert made.opens == "the console and Label Studio"
    assets, held = add_assets(ours, 3), queue_of(ours)
    add_answer(ours, held, assets[0], "romance")
    tasks = [add_task(ours, held, asset) for asset in assets[1:]]
    with LabelStudio.connect(ours) as ls:
        new = [NewTask(asset.asset_id, "http://127.0.0.1:1/x.jpg", 0.1) for asset in assets[1:]]
        where = queue_tasks.add(ls, held.project, new)
        numbers = [one.task for one in where]
        for task, one in zip(tasks, where, strict=True):
            stand(ours, task, one)
        with ExpertSession.login(ours.label_studio_address, email, made.password) as browser:
            browser.draft(numbers[1], "romance")
            done = experts.remove(ours, email, wait=True)
            with pytest.raises(LabelStudioRefused):
                browser.next_task(held.project)
        assert queue_tasks.open_tasks(ls, held.project) == [numbers[1]], "one that was begun is nobody's to delete"
    assert {key: done[key] for key in ("questions_retired", "answers_kept", "still_open")} == {
        "questions_retired": 2,
        "answers_kept": 1,
        "still_open": [],
    }
    assert "the login" in done["label_studio"]
    assert not can_log_in(ours, email, made.password)
    assert users.verify(ours, email, made.password) is None
    with reading(ours) as session:
        told = snapshot._asked(session, held.attribute_id, VIEW)
        assert [task.state for task in told] == ["answered"]


def test_who_comes_back_gets_a_password_that_opens_both_doors(ours: Settings, email: str) -> None:
    first = experts.add(ours, email)
    experts.remove(ours, email, wait=True)
    again = experts.add(ours, email)
    assert again.password
    assert again.password != first.password
    assert can_log_in(ours, email, again.password)
    assert users.verify(ours, email, again.password)
    assert list(again.queues) == ["romance"]


def test_an_owner_who_answers_too_keeps_password_and_role(ours: Settings, email: str) -> None:
    mine = "the password that I chose"
    users.create(ours, email, "owner", mine)
    made = experts.add(ours, email)
    person = users.verify(ours, email, mine)
    assert person is not None
    assert (person.role, person.expert_id is not None) == ("owner", True)
    assert made.opens == "Label Studio"
    assert can_log_in(ours, email, made.password or "")
    experts.remove(ours, email, wait=True)
    assert users.verify(ours, email, mine) is not None, "who stops answering is still an owner"


def test_an_addition_that_was_killed_half_way_is_finished_by_the_next(
    ours: Settings, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(users, "create", _killed)
        with pytest.raises(KeyboardInterrupt):
            experts.add(ours, email)
    made = experts.add(ours, email)
    assert made.password
    assert can_log_in(ours, email, made.password)
    assert users.verify(ours, email, made.password)
    with pytest.raises(AlreadyThere):
        experts.add(ours, email)


def test_a_leaver_whom_label_studio_could_not_be_told_of_is_told_later(ours: Settings, email: str) -> None:
    experts.add(ours, email)
    away = replace(ours, label_studio_port=9)
    assert "does not answer" in experts.remove(away, email, wait=True)["label_studio"]
    with reading(ours) as session:
        job = session.scalars(select(Job).where(Job.kind == "leave")).one()
        assert (job.arguments["expert"], job.state) == (email, "failed")


def test_one_that_runs_elsewhere_with_our_modules_ends_and_opens_as_our_own(live: Settings, email: str) -> None:
    add_attribute(live, "romance")
    made = experts.add(live, email)
    done = experts.remove(live, email, wait=True)
    assert done["still_open"] == []
    assert not can_log_in(live, email, made.password or "")
    back = experts.add(live, email)
    assert back.opens == made.opens == "the console and Label Studio"
    assert can_log_in(live, email, back.password or "")


def test_a_session_of_before_does_not_come_back_with_who_was_shut_out(ours: Settings, email: str) -> None:
    made = experts.add(ours, email)
    with ExpertSession.login(ours.label_studio_address, email, made.password or "") as browser:
        users.disable(ours, email, wait=True)
        again = invite.reopen(ours, email)
        with reading(ours) as session:
            job = session.scalars(select(Job).where(Job.kind == "join")).one()
        jobs.run_here(ours, "join", **job.arguments)
        with pytest.raises(LabelStudioRefused):
            browser.next_task(queue_of(ours).project)
    assert not can_log_in(ours, email, made.password or "")
    assert can_log_in(ours, email, again.password or "")


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
