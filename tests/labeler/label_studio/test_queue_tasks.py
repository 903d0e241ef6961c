"""An expert's queue, on a real Label Studio: what is served next is what the newest order says."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from attune.labeler.label_studio import LabelStudio, projects, queue_tasks, task_changes, tasks
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.labeling_config import write_result
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask, place
from attune.labeler.label_studio.task_address import KEY, Address
from attune.models.errors import DataError, LabelStudioRefused
from tests.support.services import EMAIL

pytestmark = [pytest.mark.services, pytest.mark.slow]


def new_tasks(scores: list[float]) -> list[NewTask]:
    return [NewTask(f"asset-{n}", f"http://127.0.0.1:1/{n}.jpg", score) for n, score in enumerate(scores)]


def answered(expert: ExpertSession, project: Project, times: int, label_all: bool = False) -> list[int]:
    served = []
    for _ in range(times):
        task = expert.next_task(project.id, label_all)
        assert task is not None
        expert.answer(task["id"], "neither")
        served.append(task["id"])
    return served


@pytest.mark.parametrize("label_all", [False, True], ids=["by the link alone", "after pressing Label All"])
def test_lowest_score_is_served_first_and_a_new_order_counts_from_the_next_fetch(
    ls: LabelStudio, project: Project, expert: ExpertSession, label_all: bool
) -> None:
    scores = [float(n) for n in range(12)]
    random.Random(3).shuffle(scores)
    ids = [one.task for one in queue_tasks.add(ls, project.id, new_tasks(scores), "run-1")]
    by_score = [task for _, task in sorted(zip(scores, ids, strict=True))]
    assert answered(expert, project, 4, label_all) == by_score[:4]

    left = queue_tasks.open_tasks(ls, project.id)
    assert left == sorted(by_score[4:])
    queue_tasks.reorder(ls, project.id, {task: -float(task) for task in left}, "run-2", "run-1")
    assert answered(expert, project, 3, label_all) == sorted(left, reverse=True)[:3]
    versions = ls.request("GET", f"/api/projects/{project.id}/model-versions/")
    assert set(versions) == {"run-2"}


def test_the_id_of_a_task_that_is_gone_is_never_given_to_another(
    ls: LabelStudio, project: Project, expert: ExpertSession
) -> None:
    """An expert with the first image on the screen would answer for the second (on SQLite)."""
    first, second, third = new_tasks([0.1, 0.2, 0.3])
    kept, gone = queue_tasks.add(ls, project.id, [first, second], "run-1")
    assert queue_tasks.retire(ls, project.id, [gone]) == [gone.task]
    (new,) = queue_tasks.add(ls, project.id, [third], "run-1")
    assert new.task > gone.task
    with pytest.raises(LabelStudioRefused):
        expert.answer(gone.task, "neither")
    assert answered(expert, project, 2) == [kept.task, new.task], "the places came along"


def test_the_id_of_an_answer_that_is_gone_is_never_given_to_an_imported_one(
    ls: LabelStudio, project: Project, expert: ExpertSession
) -> None:
    kept, _ = queue_tasks.add(ls, project.id, new_tasks([0.1, 0.2]), "run-1")
    gone = expert.answer(kept.task, "neither")
    expert.delete(gone)
    answer = {"result": write_result("romance"), "completed_by": {"email": EMAIL}}
    task = {"data": {"image": "http://127.0.0.1:1/x.jpg", "asset_id": "asset-9"}, "annotations": [answer]}
    reply = ls.request("POST", f"/api/projects/{project.id}/import", [task], {"return_task_ids": "true"})
    (imported,) = ls.request("GET", f"/api/tasks/{reply['task_ids'][0]}/")["annotations"]
    assert imported["id"] > gone


def test_tasks_without_a_place_come_after_the_others(ls: LabelStudio, project: Project, expert: ExpertSession) -> None:
    ids = [one.task for one in queue_tasks.add(ls, project.id, new_tasks([0.1, 0.2, 0.3, 0.4]), "run-1")]
    queue_tasks.reorder(ls, project.id, {ids[3]: 0.1, ids[2]: 0.2}, "run-2", "")
    assert answered(expert, project, 2) == [ids[3], ids[2]]
    assert sorted(answered(expert, project, 2)) == ids[:2]


def test_the_labelling_page_shows_nothing_of_the_model(
    ls: LabelStudio, project: Project, expert: ExpertSession
) -> None:
    queue_tasks.add(ls, project.id, new_tasks([0.1, 0.2]), "run-1")
    task = expert.next_task(project.id)
    assert task is not None
    assert task["predictions"] == []


def test_adding_again_makes_nothing_twice(ls: LabelStudio, project: Project) -> None:
    new = new_tasks([0.3, 0.1, 0.2])
    ids = [one.task for one in queue_tasks.add(ls, project.id, new[:2], "run-1")]
    again = [one.task for one in queue_tasks.add(ls, project.id, [*new, new[0]], "run-1")]
    assert again[:2] == ids
    assert again[3] == ids[0]
    assert set(task_changes.tasks_of(ls, project.id)) == set(again)


def test_an_asset_id_is_matched_whole_and_letter_by_letter(ls: LabelStudio, project: Project) -> None:
    names = ["a", "A", "aa", "a%", 'a"b', "ü/1.jpg", "a'b"]
    new = [NewTask(name, "http://127.0.0.1:1/x.jpg", n) for n, name in enumerate(names)]
    ids = [one.task for one in queue_tasks.add(ls, project.id, new[1:], "run-1")]
    assert len(set(ids)) == len(ids)
    found = queue_tasks.assets_in_project(ls, project.id, names)
    assert {name: one.task for name, one in found.items()} == dict(zip(names[1:], ids, strict=True))
    assert [found[one.asset_id].key for one in new[1:]] == [one.key for one in new[1:]]


def test_reorder_leaves_out_what_vanished_meanwhile(ls: LabelStudio, project: Project, expert: ExpertSession) -> None:
    stand = queue_tasks.add(ls, project.id, new_tasks([0.1, 0.2, 0.3, 0.4]), "run-1")
    ids = [one.task for one in stand]
    assert queue_tasks.retire(ls, project.id, stand[1:2]) == ids[1:2]
    vanished = queue_tasks.reorder(ls, project.id, {task: -n for n, task in enumerate([*ids, 10**9])}, "run-2", "run-1")
    assert vanished == [ids[1], 10**9]
    assert answered(expert, project, 3) == [ids[3], ids[2], ids[0]]
    assert expert.next_task(project.id) is None


def test_retire_keeps_what_was_answered_skipped_or_begun(
    ls: LabelStudio, project: Project, expert: ExpertSession
) -> None:
    stand = queue_tasks.add(ls, project.id, new_tasks([0.1, 0.2, 0.3, 0.4, 0.5]), "run-1")
    ids = [one.task for one in stand]
    expert.answer(ids[0], "romance")
    expert.skip(ids[1])
    expert.draft(ids[2], "romance")
    another = replace(stand[4], key="another's")  # the id was given to this task since
    assert queue_tasks.retire(ls, project.id, [*stand[:4], stand[3], another, Address(10**9, "k")]) == [ids[3]]
    assert set(task_changes.tasks_of(ls, project.id)) == {*ids[:3], ids[4]}
    assert queue_tasks.open_tasks(ls, project.id) == [ids[2], ids[4]]


def test_retiring_the_last_task_leaves_the_experts_link_working(
    ls: LabelStudio, project: Project, expert: ExpertSession
) -> None:
    stand = queue_tasks.add(ls, project.id, new_tasks([0.1, 0.2, 0.3]), "run-1")
    assert sorted(queue_tasks.retire(ls, project.id, stand)) == [one.task for one in stand]
    assert task_changes.tasks_of(ls, project.id) == {}
    views = ls.request("GET", "/api/dm/views/", query={"project": project.id})
    assert [view["id"] for view in views] == [project.view]
    assert expert.next_task(project.id) is None
    assert queue_tasks.retire(ls, project.id, stand) == []


def test_images_get_new_addresses_and_keep_their_asset(ls: LabelStudio, project: Project) -> None:
    stand = queue_tasks.add(ls, project.id, new_tasks([0.1, 0.2, 0.3]), "run-1")
    stale = Address(stand[2].task, "key of before", "another")
    images = {one: f"http://127.0.0.1:1/new-{one.task}.jpg" for one in [*stand[:2], stale, Address(10**9, "k")]}
    assert queue_tasks.refresh_images(ls, project.id, images) == [one.task for one in stand[:2]]
    rows = {row["id"]: row["data"] for row in tasks.listed(ls, project.id)}
    assert rows[stand[1].task] == {"image": images[stand[1]], "asset_id": "asset-1", KEY: stand[1].key}
    assert "new" not in rows[stale.task]["image"]  # the id was given to another question: it keeps its own image


def test_pages_hold_every_task_once(ls: LabelStudio, project: Project) -> None:
    ids = [one.task for one in queue_tasks.add(ls, project.id, new_tasks([float(n) for n in range(11)]), "run-1")]
    assert [row["id"] for row in tasks.listed(ls, project.id, page=4)] == ids
    assert [row["id"] for row in tasks.listed(ls, project.id, tasks.is_open(), ids=ids[2:9], page=3)] == ids[2:9]


def test_places_keep_the_order_of_any_scores() -> None:
    scores = [-1e9, -40.0, -1.5, -0.2, 0.0, 1e-9, 0.5, 1.0, 39.0, 40.0, 1e6]
    places = [place(score) for score in scores]
    assert places == sorted(set(places))
    assert 0 <= places[0] < places[-1] <= 1
    with pytest.raises(DataError, match="finite"):
        place(float("nan"))


def test_a_project_that_is_gone_is_told_by_its_status(ls: LabelStudio, project: Project) -> None:
    projects.delete(ls, project)
    projects.delete(ls, project)
    with pytest.raises(LabelStudioRefused, match="404") as caught:
        queue_tasks.add(ls, project.id, new_tasks([0.1]), "run-1")
    assert caught.value.status == 404
