"""What the records and Label Studio hold of answers, as the trials of this folder compare them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from attune.labeler.label_studio import LabelStudio
from attune.labeler.records.schema import Annotation, Asset, Expert, Queue


def recorded(session: Session) -> Sequence[Row[tuple[int, str, str]]]:
    """(project, asset id, value) of each annotation in the records that was not deleted."""
    return session.execute(
        select(Queue.project, Asset.asset_id, Annotation.value)
        .select_from(Annotation)
        .join(Asset, Asset.id == Annotation.asset_pk)
        .join(Expert, Expert.id == Annotation.expert_id)
        .join(Queue, (Queue.expert_id == Expert.id) & (Queue.attribute_id == Annotation.attribute_id))
        .where(Annotation.deleted_at.is_(None))
    ).all()


def exported(ls: LabelStudio, projects: Iterable[int]) -> Iterator[tuple[int, str, int]]:
    """(project, asset id, number of annotations) of each answered task in Label Studio's export."""
    for project in projects:
        for task in ls.request("GET", f"/api/projects/{project}/export", query={"exportType": "JSON"}):
            yield project, task["data"]["asset_id"], len(task["annotations"])
