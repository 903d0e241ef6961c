"""What an expert gets of a task: nothing that tells which tasks came with one import, as those may be of one kind."""

from __future__ import annotations

from typing import Any

import pytest

from attune.labeler.label_studio import door, members
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask, add

pytestmark = pytest.mark.services
EMAIL, PASSWORD = "columns@answers.example", "answers-answers"
EXPECTED = {"id", "data", "project", "is_labeled", "overlap", "allow_skip", "queue", "unique_lock_id"}


def test_no_column_of_a_task_tells_one_import_from_another(ls: LabelStudio, project: Project) -> None:
    door.open_login(ls, EMAIL, PASSWORD)
    members.set_members(ls, {project.id: [EMAIL]})
    add(ls, project.id, [NewTask(f"c{n}", f"http://127.0.0.1/{n}.png", n / 10) for n in range(3)], "first")
    of = {"project": project.id}
    with ExpertSession.login(ls.address, EMAIL, PASSWORD) as session:
        listed = session._ask("GET", "/api/tasks/", query=of | {"view": project.view})["tasks"]
        one = session._ask("GET", f"/api/tasks/{listed[0]['id']}/", query=of)
        following = session._ask("POST", "/api/dm/actions/", of, of | {"id": "next_task"})
    assert len(listed) == 3
    for task in (*listed, one, following):
        assert task["data"]["asset_id"].startswith("c")
        assert not _filled(task) - EXPECTED


def _filled(task: dict[str, Any]) -> set[str]:
    """The columns that say something."""
    return {name for name, value in task.items() if value not in (None, "", [], 0, False)}
