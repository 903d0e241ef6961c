"""What polling sees: answers, edits, skips and deletions, in pages, since a moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from attune.labeler.label_studio import LabelStudio, queue_tasks, task_changes
from attune.labeler.label_studio.accounts import find_user
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.labeling_config import read_value
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.models.clock import now, parse
from tests.support.services import EMAIL

pytestmark = [pytest.mark.services, pytest.mark.slow]
CLASSES = ["romance", "friendship", "neither"]


def test_every_kind_of_change_moves_its_task(ls: LabelStudio, project: Project, expert: ExpertSession) -> None:
    new = [NewTask(f"asset-{n}", "http://127.0.0.1:1/x.jpg", n) for n in range(5)]
    ids = [one.task for one in queue_tasks.add(ls, project.id, new, "run-1")]
    first = {state.id: state for state in task_changes.changed_since(ls, project.id, None)}
    assert {state.data["asset_id"] for state in first.values()} == {task.asset_id for task in new}

    edited, deleted = expert.answer(ids[0], "romance", 2.5), expert.answer(ids[1], "neither")
    between = now()
    expert.answer(ids[2], "unsure")
    expert.skip(ids[3])
    expert.edit(edited, "friendship")
    expert.delete(deleted)

    since = {state.id: state for state in task_changes.changed_since(ls, project.id, between)}
    assert set(since) == set(ids[:4])
    values = {task: [read_value(item, CLASSES) for item in state.annotations] for task, state in since.items()}
    assert values == {ids[0]: ["friendship"], ids[1]: [], ids[2]: ["unsure"], ids[3]: ["skip"]}
    (annotation,) = since[ids[0]].annotations
    assert annotation["completed_by"] == find_user(ls, EMAIL)
    assert annotation["id"] == edited
    assert parse(annotation["created_at"]) < between <= parse(annotation["updated_at"])
    assert not list(task_changes.changed_since(ls, project.id, now() + timedelta(seconds=5)))


def test_deleted_tasks_are_found_by_comparing_ids(ls: LabelStudio, project: Project) -> None:
    new = [NewTask(f"a-{n}", "http://127.0.0.1:1/x.jpg", n) for n in range(3)]
    stand = queue_tasks.add(ls, project.id, new, "run-1")
    queue_tasks.retire(ls, project.id, stand[:1])
    assert set(task_changes.tasks_of(ls, project.id)) == {one.task for one in stand[1:]}
