"""What a webhook of Label Studio says: a hint that comes at once and once, and ends where the sync's reading does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from labeler import grid_answers, ingest, revisions, seen, strays, withdrawn
from labeler.records.schema import Attribute, Queue
from labeler.records.session import writing
from labeler.settings import Settings
from models.errors import UnknownAnnotationShape


def from_webhook(settings: Settings, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Store what a webhook of Label Studio says and ask for a learning round; answers what was done.

    Actions that carry no annotation, and projects that are no queue of ours, are answered and left alone: the sync will
    find whatever matters. Raises UnknownAnnotationShape for a payload that cannot be read.
    """
    action = payload.get("action")
    if not isinstance(action, str):
        raise UnknownAnnotationShape("The webhook's body has no `action`; expected Label Studio's JSON with `action`.")
    with writing(settings) as session:
        if action == "ANNOTATIONS_DELETED":
            touched = _delete_payload(session, payload)
        elif action in {"ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED"}:
            touched = _store_payload(session, payload)
        else:
            return {"action": action, "stored": 0}
        names = list(session.scalars(select(Attribute.name).where(Attribute.id.in_(touched))))
    for name in names:
        ingest.ask_to_learn(settings, name)
    return {"action": action, "stored": len(names)}


def _queue_of(session: Session, payload: Mapping[str, Any]) -> Queue | None:
    project = payload.get("project")
    project_id = project.get("id") if isinstance(project, Mapping) else project
    return session.scalar(select(Queue).where(Queue.project == project_id)) if isinstance(project_id, int) else None


def _delete_payload(session: Session, payload: Mapping[str, Any]) -> set[int]:
    try:
        gone = [int(item["id"]) for item in payload.get("annotations") or ()]
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownAnnotationShape(
            "The webhook's body has no `annotations` with an id each; Label Studio sends both with a deletion."
        ) from error
    queue = _queue_of(session, payload)
    if queue is None:
        return grid_answers.delete_reported(session, payload, gone)
    return withdrawn.reported(session, queue, gone)


def _store_payload(session: Session, payload: Mapping[str, Any]) -> set[int]:
    queue = _queue_of(session, payload)
    if queue is None:
        return grid_answers.from_payload(session, payload)
    classes = revisions.every_class(session, queue.attribute_id)
    renamed = strays.renamed(session.get_one(Attribute, queue.attribute_id))
    # Of several at once Label Studio sends lists, under the names of one.
    annotations = _several(payload.get("annotations") or payload.get("annotation"))
    tasks = _several(payload.get("tasks") or payload.get("task"))
    if not all(isinstance(item, Mapping) for item in [*annotations, *tasks]) or not all("id" in one for one in tasks):
        raise UnknownAnnotationShape(
            "The webhook's body has no `annotation` and `task` objects with an id; Label Studio sends both."
        )
    by_id = {task["id"]: task for task in tasks}
    changed = False
    for annotation in annotations:
        task = tasks[0] if len(tasks) == 1 else by_id.get(annotation.get("task"))
        if task is None:
            raise UnknownAnnotationShape(
                f"Annotation {annotation.get('id')} names the task {annotation.get('task')}, which the webhook lacks; "
                "the next sync brings it."
            )
        found = seen.read(annotation, int(task["id"]), task.get("data") or {}, classes, renamed)
        changed |= ingest.store(session, queue, found, "webhook")
    return {queue.attribute_id} if changed else set()


def _several(what: Any) -> list[Any]:
    return what if isinstance(what, list) else [what]
