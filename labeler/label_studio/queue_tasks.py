"""An expert's queue of open tasks: filled, put in order, and cleared of what is stale.

The link's view, and the project's sampling as well, serve the lowest score first among the predictions of the
project's model version. The score is thus a place in the queue and no probability, and a new order is a new model
version.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import uuid4

from attune.labeler.label_studio import projects, tasks
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.task_address import KEY, Address
from attune.models.errors import DataError, LabelStudioRefused

BATCH = 200  # tasks or predictions in one request: each is taken whole or not at all
ASSETS_AT_ONCE = 50  # conditions in one filter


@dataclass(frozen=True)
class NewTask:
    """An asset to put to the expert: its signed address, its place, lowest first, and the key of the task."""

    asset_id: str
    image_url: str
    score: float
    key: str = field(default_factory=lambda: uuid4().hex)


def add(
    ls: LabelStudio, project: int, new: Sequence[NewTask], version: str = "", anew: Collection[str] = ()
) -> list[Address]:
    """Put ``new`` into the queue, placed by score under model version ``version``; where they stand, in that order.

    Without a version the tasks have no place until `reorder` gives them one, which is the safe way while others write:
    an import was seen to answer 201 and lose the predictions that came with it. An asset that the project holds
    already keeps its task, whose id and key are returned and whose place `reorder` changes; one of ``anew``, whose
    answer holds no longer, gets another beside the answered one, which would never be served again. Tasks without a
    place in the project's version are served after all that have one.
    """
    existing = assets_in_project(ls, project, [task.asset_id for task in new], anew)
    missing = list({task.asset_id: task for task in new if task.asset_id not in existing}.values())
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        request = [
            {
                "data": {"image": task.image_url, "asset_id": task.asset_id, KEY: task.key},
                "predictions": [{"result": [], "score": place(task.score), "model_version": version}]
                if version
                else [],
            }
            for task in batch
        ]
        with ls.errors():
            reply = ls.sdk.projects.import_tasks(id=project, request=request, return_task_ids=True)
        ids = list(reply.task_ids or ())
        if len(ids) != len(batch):
            raise LabelStudioRefused(
                f"Label Studio made {len(ids)} of {len(batch)} tasks in project {project}. To try again: "
                "`attune sync --all`"
            )
        existing.update(
            {task.asset_id: Address(at, task.key, task.asset_id) for task, at in zip(batch, ids, strict=True)}
        )
    if missing:
        projects.serve_by(ls, project, projects.BY_SCORE)
    return [existing[task.asset_id] for task in new]


def place(score: float) -> float:
    """``score`` squeezed into 0..1 in the same order, outside of which Label Studio drops a prediction without a word.

    Raises DataError where the score is not finite.
    """
    if not math.isfinite(score):
        raise DataError(f"A position in the queue is {score}. Expected a finite number.")
    return 0.5 + 0.5 * score / (1 + abs(score))


def assets_in_project(
    ls: LabelStudio, project: int, asset_ids: Sequence[str], anew: Collection[str] = ()
) -> dict[str, Address]:
    """Where each of ``asset_ids`` stands that the project has a task for (the oldest of two); of ``anew`` only where it
    is open. The key is empty for a task that has none: one of before keys, or made by hand."""
    addresses: dict[str, Address] = {}
    for start in range(0, len(asset_ids), ASSETS_AT_ONCE):
        filters = tasks.of_assets(asset_ids[start : start + ASSETS_AT_ONCE])
        for row in tasks.listed(ls, project, filters, conjunction="or", page=1000):
            name = row["data"]["asset_id"]
            if name not in anew or not (row["total_annotations"] or row["cancelled_annotations"]):
                addresses.setdefault(name, Address(row["id"], str(row["data"].get(KEY) or ""), name))
    return addresses


def reorder(ls: LabelStudio, project: int, scores: Mapping[int, float], version: str, previous: str) -> list[int]:
    """Serve the tasks of ``scores`` (task id -> score) lowest first from the next fetch on; the ids that vanished.

    New predictions come first, then the switch, then the old ones go: a crash between leaves one whole order or the
    other. Ids that Label Studio knows no more are left out. ``previous`` is the version served until now ("" for none).
    """
    pending = dict(scores)
    if not _import(ls, project, pending, version):
        existing = {row["id"] for row in tasks.listed(ls, project, ids=list(pending), page=1000)}
        pending = {task: score for task, score in pending.items() if task in existing}
        if not _import(ls, project, pending, version):
            raise LabelStudioRefused(
                f"Tasks of project {project} disappear while Attune sorts them. Run the command again.", 400
            )
    if pending:
        serve(ls, project, version)
        if previous and previous != version:
            drop_version(ls, project, previous)
    return [task for task in scores if task not in pending]


def serve(ls: LabelStudio, project: int, version: str) -> None:
    """Serve by the places of ``version`` from the next fetch on; it must have some.

    Not by the SDK, whose reading of the whole project that comes back takes longer than the change.
    """
    ls.request("PATCH", f"/api/projects/{project}/", {"model_version": version})


def versions(ls: LabelStudio, project: int) -> list[str]:
    """The model versions that the project holds predictions of."""
    return list(ls.request("GET", f"/api/projects/{project}/model-versions/"))


def _import(ls: LabelStudio, project: int, scores: Mapping[int, float], version: str) -> bool:
    """Import predictions; False where Label Studio knows one of the tasks no more (then that batch is not stored)."""
    items = list(scores.items())
    for start in range(0, len(items), BATCH):
        request = [
            {"task": task, "model_version": version, "score": place(score), "result": []}
            for task, score in items[start : start + BATCH]
        ]
        try:
            with ls.errors():
                reply = ls.sdk.projects.import_predictions(id=project, request=request)
        except LabelStudioRefused as error:
            if error.status == 400 and "task" in str(error):
                return False
            raise
        if reply.created != len(request):
            raise LabelStudioRefused(
                f"Label Studio stored {reply.created} of {len(request)} positions in project {project}. Run the "
                "command again."
            )
    return True


def drop_version(ls: LabelStudio, project: int, version: str) -> None:
    """Delete the predictions of one model version; one that has none is fine."""
    try:
        ls.request("DELETE", f"/api/projects/{project}/model-versions/", {"model_version": version})
    except LabelStudioRefused as error:
        if error.status != 404:
            raise


def retire(ls: LabelStudio, project: int, stale: Iterable[Address]) -> list[int]:
    """Delete those of ``stale`` that no one has answered, skipped or begun; returns the ids really deleted.

    A task that is not ours any more, as its id was given to another, is left alone. Label Studio applies the condition
    in the very request that deletes, so an answer given in the meantime is kept.
    """
    ours = {address.task: address for address in stale}
    if not ours:
        return []
    everything = {row["id"]: row["data"] for row in tasks.listed(ls, project, tasks.is_open(), page=1000)}
    task_ids = [task for task, address in ours.items() if task in everything and address.is_at(everything[task])]
    # The action takes a project's views along with its last task, and so the expert's link: one task goes by itself.
    last_task = [task_ids.pop()] if task_ids and len(task_ids) == len(everything) else []
    _delete(ls, project, task_ids)
    for task in (
        [row["id"] for row in tasks.listed(ls, project, tasks.is_untouched(), ids=last_task)] if last_task else ()
    ):
        with ls.errors():
            ls.sdk.tasks.delete(id=str(task))
    if last_task and not any(tasks.listed(ls, project, page=1)):
        projects.serve_by(ls, project, projects.WHILE_EMPTY)
    task_ids_to_delete = [*task_ids, *last_task]
    remaining = (
        {row["id"] for row in tasks.listed(ls, project, ids=task_ids_to_delete, page=1000)}
        if task_ids_to_delete
        else set()
    )
    return [task for task in task_ids_to_delete if task not in remaining]


def _delete(ls: LabelStudio, project: int, ids: Sequence[int]) -> None:
    if ids:
        body = {
            "selectedItems": {"all": False, "included": list(ids)},
            "filters": {"conjunction": "and", "items": tasks.is_untouched()},
        }
        ls.request("POST", "/api/dm/actions", body, query={"id": "delete_tasks", "project": project})


def open_tasks(ls: LabelStudio, project: int) -> list[int]:
    """Ids of the tasks with neither an answer nor a skip, in the order they were made."""
    return [row["id"] for row in tasks.listed(ls, project, tasks.is_open(), page=1000)]


def refresh_images(ls: LabelStudio, project: int, images: Mapping[Address, str]) -> list[int]:
    """Give tasks a newly signed image address; the ids changed, without those that vanished.

    An id that was given to another task is left alone, or that task would show this image. One without a key gets ours.
    """
    rows = {row["id"]: row["data"] for row in tasks.listed(ls, project, ids=[one.task for one in images], page=1000)}

    def renew(address: Address) -> int:
        data = {**rows[address.task], KEY: address.key, "image": images[address]}
        ls.request("PATCH", f"/api/tasks/{address.task}/", {"data": data})
        return address.task

    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(renew, [one for one in images if one.task in rows and one.is_at(rows[one.task])]))
