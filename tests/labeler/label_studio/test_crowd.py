"""Experts answer while orders are written: nobody meets "database is locked", and no place is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from attune.labeler.label_studio import LabelStudio, members, queue_tasks
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.logins import ensure_user
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.settings import Settings
from tests.support.services import PASSWORD

pytestmark = [pytest.mark.services, pytest.mark.slow]
EXPERTS, ANSWERS, ORDERS = 3, 8, 6


def test_answers_and_orders_at_the_same_time(live: Settings, ls: LabelStudio, project: Project) -> None:
    new = [NewTask(f"asset-{n}", "http://127.0.0.1:1/x.jpg", n) for n in range(EXPERTS * ANSWERS + 20)]
    ids = [one.task for one in queue_tasks.add(ls, project.id, new)]
    queue_tasks.reorder(ls, project.id, {task: float(task) for task in ids}, "order-0", "")
    emails = [f"crowd{n}@example.org" for n in range(EXPERTS)]
    for email in emails:
        ensure_user(ls, email, PASSWORD)
    members.set_members(ls, {project.id: emails})

    def answer(email: str) -> list[int]:
        given = []
        with ExpertSession.login(live.label_studio_address, email, PASSWORD) as person:
            for _ in range(ANSWERS):
                task = person.next_task(project.id)
                assert task is not None
                person.answer(task["id"], "neither")
                given.append(task["id"])
        return given

    # A queue is one expert's; several in one project only make the crowd denser, and may be handed the same task.
    def order(_: str) -> list[int]:
        for number in range(1, ORDERS + 1):
            queue_tasks.reorder(ls, project.id, {task: -float(task) for task in ids[-20:]}, f"order-{number}", "")
        return []

    with ThreadPoolExecutor(max_workers=EXPERTS + 1) as pool:
        waiting = [pool.submit(answer, email) for email in emails] + [pool.submit(order, "")]
        given = [task for done in waiting for task in done.result()]
    assert len(given) == EXPERTS * ANSWERS
    assert set(queue_tasks.versions(ls, project.id)) >= {f"order-{number}" for number in range(1, ORDERS + 1)}
