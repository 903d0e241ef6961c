"""Queues in Label Studio: one a person and question, however often makers are killed or meet."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from attune.labeler.answers import hints
from attune.labeler.label_studio import LabelStudio, projects, webhooks
from attune.labeler.label_studio.projects import Project
from attune.labeler.queues import queues, repair
from attune.labeler.records.schema import Attribute, Expert, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from tests.support.factories import add_attribute, add_expert

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def romance(live: Settings, ls: LabelStudio) -> Iterator[tuple[Attribute, Expert]]:
    """A question and an expert, no queue yet; what is made of it in Label Studio goes afterwards."""
    attribute = add_attribute(live, "romance")
    expert = add_expert(live)
    yield attribute, expert
    for number in ours(ls):
        projects.delete(ls, Project(number, 0, None))


def ours(ls: LabelStudio) -> list[int]:
    """The projects that are called as the queue is."""
    found = ls.request("GET", "/api/projects", query={"title": "romance · Ana", "page_size": 100})["results"]
    return sorted(int(row["id"]) for row in found)


def held(settings: Settings) -> list[Queue]:
    with reading(settings) as session:
        return list(session.scalars(select(Queue)))


class Killed(BaseException):
    """The process ends here."""


def test_a_project_that_a_killed_maker_left_is_taken_over_whole(
    live: Settings, ls: LabelStudio, romance: tuple[Attribute, Expert], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(projects.webhooks, "make", _killed)
        with pytest.raises(Killed):
            queues.ensure(live, ls, "romance")
    (orphan,) = ours(ls)
    assert held(live) == []
    (queue,) = queues.ensure(live, ls, "romance")
    assert (queue.project, ours(ls)) == (orphan, [orphan])
    made = Project(queue.project, queue.view, queue.webhook)
    assert queue.view
    address = hints.address(live, hints.QUEUE, queue.attribute_id, queue.expert_id)
    assert projects.repair(ls, made, address, queues.load_secrets(live.secrets).hint_secret) == made


def test_a_webhook_with_the_secret_that_every_expert_could_read_is_replaced(
    live: Settings, ls: LabelStudio, romance: tuple[Attribute, Expert]
) -> None:
    """And the project keeps its mark, by which it is known as ours."""
    secrets = queues.load_secrets(live.secrets)
    (queue,) = queues.ensure(live, ls, "romance")
    known = projects.find(ls, "romance · Ana", queues.mark(secrets.webhook_secret, *romance))
    assert known == queue.project
    address = hints.address(live, hints.QUEUE, queue.attribute_id, queue.expert_id)
    webhooks.make(ls, queue.project, address, secrets.webhook_secret)
    (old,) = (one.id for one in ls.sdk.webhooks.list(project=str(queue.project)) if one.id != queue.webhook)
    ls.sdk.webhooks.delete(id=queue.webhook)
    queue.webhook = old
    assert not webhooks.calls(ls, queue.project, old, address, secrets.hint_secret), "the doctor says so"
    assert repair.repair_queue(live, ls, queue)
    (hook,) = ls.sdk.webhooks.list(project=str(queue.project))
    assert hook.headers == {webhooks.SECRET_HEADER: secrets.hint_secret}
    assert not repair.repair_queue(live, ls, held(live)[0])


def test_a_project_of_the_same_name_in_another_workspace_is_left_alone(
    live: Settings, ls: LabelStudio, romance: tuple[Attribute, Expert]
) -> None:
    other = projects.create(ls, "romance · Ana", "Q?", ["a", "b"], "", "http://127.0.0.1:1/", "s", mark="attune-other")
    (queue,) = queues.ensure(live, ls, "romance")
    assert queue.project != other.id


def test_two_makers_at_once_make_one_project(
    live: Settings, ls: LabelStudio, romance: tuple[Attribute, Expert]
) -> None:
    def make(_: int) -> list[int]:
        with LabelStudio.connect(live) as mine:
            return [queue.project for queue in queues.ensure(live, mine, "romance")]

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(make, range(2))
    assert first == second == ours(ls)
    assert len(held(live)) == 1


def test_of_two_makers_on_two_machines_the_later_one_uses_the_firsts(
    live: Settings, ls: LabelStudio, romance: tuple[Attribute, Expert], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their locks do not know of each other, and the first has made its project after the second looked for one."""

    create = projects.create
    elsewhere = replace(live, database_url=live.records_url, workspace=live.workspace / "elsewhere")
    elsewhere.workspace.mkdir()

    def overtaken(*arguments: Any, **named: Any) -> Project:
        monkeypatch.setattr(projects, "create", create)
        queues.ensure(elsewhere, ls, "romance")
        return create(*arguments, **named)

    monkeypatch.setattr(projects, "create", overtaken)
    (queue,) = queues.ensure(live, ls, "romance")
    assert ours(ls) == [queue.project]
    assert len(held(live)) == 1


def _killed(*_: object) -> int:
    raise Killed
