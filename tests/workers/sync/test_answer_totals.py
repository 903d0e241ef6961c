"""A change that Label Studio did not stamp, as it was killed in the middle or its clock was set back, is still read."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from attune.labeler.label_studio import projects, task_changes
from attune.labeler.records.schema import Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.workers.sync import changed_tasks, sync
from attune.workers.sync.answer_totals import Totals
from tests.support.fake_label_studio import FakeLabelStudio
from tests.workers.sync.test_project_identity import Studio, fake_studio, ls_user, workspace

__all__ = ["workspace"]
HOUR = timedelta(hours=1)


def run(settings: Settings) -> dict[str, Any]:
    """The regular sync."""
    return sync.run(settings, lambda *_: None)


def values(studio: Studio) -> list[str]:
    """What counts, in the order of the images."""
    return [value for _, _, value, _ in sorted(studio.here(), key=lambda one: one[1])]


@pytest.fixture
def studio(workspace: Settings) -> Studio:
    """Four questions before Ana, of which she has answered two, and all is read."""
    made, ls = fake_studio(workspace)
    made.add(0, 4, random.Random(1))
    for number in tasks(made)[:2]:
        ls.answer(number, ls_user(workspace, made.queues[0]), "romance")
    run(workspace)
    return made


def tasks(studio: Studio) -> list[int]:
    """Label Studio's numbers of the open questions."""
    return [one.label_studio_task or 0 for one in studio.open(0)]


def unstamped(ls: FakeLabelStudio, task: int, act: Callable[[], object]) -> None:
    """What ``act`` does to a task leaves no trace in the task's time."""
    before: datetime = ls.tasks[task]["updated_at"] - HOUR
    act()
    ls.tasks[task]["updated_at"] = before


def queue_row(settings: Settings, studio: Studio) -> Queue:
    with reading(settings) as session:
        return session.get_one(Queue, studio.queues[0].id)


def test_an_answer_whose_task_kept_its_old_time_is_read_by_the_next_sync(workspace: Settings, studio: Studio) -> None:
    ls, task = studio.ls, tasks(studio)[0]
    unstamped(ls, task, lambda: ls.answer(task, ls_user(workspace, studio.queues[0]), "neither"))
    assert not [
        one for one in task_changes.changed_since(ls, studio.queues[0].project, now() - HOUR / 2) if one.id == task
    ]
    assert run(workspace)["changed"] == 1
    assert sorted(values(studio)) == ["neither", "romance", "romance"]


def test_a_skip_and_a_deletion_without_a_time_are_read(workspace: Settings, studio: Studio) -> None:
    ls, task = studio.ls, tasks(studio)[0]
    unstamped(ls, task, lambda: ls.answer(task, ls_user(workspace, studio.queues[0]), "skip"))
    run(workspace)
    assert sorted(values(studio)) == ["romance", "romance", "skip"]
    answer = ls.answers(studio.queues[0].project)[0]
    of_it = next(number for number, row in ls.tasks.items() if row["data"]["asset_id"] == answer[1])
    unstamped(ls, of_it, lambda: ls.delete_annotation(answer[0]))
    assert run(workspace)["deleted"] == 1
    assert len(values(studio)) == 2


def test_what_no_reading_brings_in_is_looked_for_once(
    workspace: Settings, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's second answer on one task, say: the records have one, and Label Studio always holds two."""
    ls, whole = studio.ls, []
    read = changed_tasks.read
    monkeypatch.setattr(
        changed_tasks, "read", lambda *given, **named: whole.append(bool(given[3])) or read(*given, **named)
    )
    monkeypatch.setattr(ls, "_numbers", lambda project: {
        "task_number": 4 if project == studio.queues[0].project else 0,
        "total_annotations_number": 5 if project == studio.queues[0].project else 0,
        "skipped_annotations_number": 0,
    })  # fmt: skip
    for _ in range(3):
        run(workspace)
    assert sum(whole) == 1
    assert queue_row(workspace, studio).answer_surplus == 3


def test_who_answers_while_a_sync_reads_has_nobody_read_all(workspace: Settings, studio: Studio) -> None:
    """Between the list of projects and the reading, and between the reading and the look at the numbers."""
    ls, queue = studio.ls, queue_row(workspace, studio)
    totals = Totals(workspace, ls, queue, projects.list_projects(ls)[queue.project])
    ls.answer(tasks(studio)[0], ls_user(workspace, queue), "neither")
    changed_tasks.read(workspace, ls, queue)
    assert not totals.differ()
    ls.answer(tasks(studio)[0], ls_user(workspace, queue), "neither")
    assert not totals.differ()
    totals.note()
    assert queue_row(workspace, studio).answer_surplus == 0


def test_an_edit_after_the_clock_was_set_back_is_read(workspace: Settings, studio: Studio) -> None:
    ls = studio.ls
    (first, *_), (task, *_) = ls.answers(studio.queues[0].project), sorted(ls.tasks)
    with writing(workspace) as session:  # the clock was two hours ahead at the last sync
        session.get_one(Queue, studio.queues[0].id).synced_until = now() + 2 * HOUR
    unstamped(ls, task, lambda: ls.edit(first[0], "neither"))
    assert run(workspace)["changed"] == 1
    assert sorted(values(studio)) == ["neither", "romance"]


def test_a_label_studio_that_tells_no_numbers_is_read_by_its_times(
    workspace: Settings, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    ls, task = studio.ls, tasks(studio)[0]
    monkeypatch.setattr(
        ls, "_numbers", lambda project: {"task_number": 4 if project == studio.queues[0].project else 0}
    )
    ls.answer(task, ls_user(workspace, studio.queues[0]), "neither")
    assert run(workspace)["changed"] == 1
    assert queue_row(workspace, studio).answer_surplus == 0
