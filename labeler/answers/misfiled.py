"""Answers that the records have on another image, or as another person's, than Label Studio shows them.

Until tasks carried keys of ours, an id that Label Studio gave away could bring an answer to the wrong image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import select

from attune.labeler.answers import annotation_values, uncounted
from attune.labeler.answers.annotation_values import ReadAnnotation
from attune.labeler.attributes import revisions
from attune.labeler.label_studio import accounts, tasks
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Queue, Stray
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import LabelStudioRefused, UnknownAnnotationShape


@dataclass(frozen=True)
class Misfiled:
    """One annotation of Label Studio's: where it is, and where the records have it (empty: nowhere)."""

    attribute: str
    label_studio_id: int
    image: str
    author: str
    recorded_image: str
    recorded_author: str

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def compare(settings: Settings, ls: LabelStudio) -> list[Misfiled]:
    """Every answer that Label Studio holds in an open queue of ours, against the records. Nothing is changed.

    Uncounted answers are left out: they are named by themselves. Raises LabelStudioUnreachable.
    """
    by_id = accounts.addresses(ls)
    with reading(settings) as session:
        queues = list(session.scalars(select(Queue).where(Queue.closed_at.is_(None)).order_by(Queue.id)))
    return [mismatch for queue in queues for mismatch in _of_queue(settings, ls, queue, by_id)]


def _of_queue(settings: Settings, ls: LabelStudio, queue: Queue, by_id: Mapping[int, str]) -> Iterator[Misfiled]:
    with reading(settings) as session:
        attribute = session.get_one(Attribute, queue.attribute_id)
        classes = revisions.every_class(session, attribute.id)
        own = session.get_one(Expert, queue.expert_id).email
        stray = set(session.scalars(select(Stray.label_studio_id).where(Stray.project == queue.project)))
    try:
        entries = [
            entry
            for row in tasks.listed(ls, queue.project, whole=True)
            for entry in _read(row, classes, attribute, by_id)
        ]
    except LabelStudioRefused:  # a project that someone deleted, or another's: the sync says so
        return
    recorded = _recorded(settings, [entry.label_studio_id for entry in entries])
    for entry in entries:
        image, author, attribute_id = recorded.get(entry.label_studio_id, ("", "", attribute.id))
        right = (
            image == entry.asset_id and attribute_id == attribute.id and (not entry.author or entry.author == author)
        )
        if not right and entry.label_studio_id not in stray and not entry.wrong:
            yield Misfiled(attribute.name, entry.label_studio_id, entry.asset_id, entry.author or own, image, author)


def _read(
    row: dict[str, object], classes: list[str], attribute: Attribute, by_id: Mapping[int, str]
) -> Iterator[ReadAnnotation]:
    annotations, data = row.get("annotations") or (), row.get("data") or {}
    assert isinstance(annotations, list | tuple)
    assert isinstance(data, dict)
    for annotation in annotations:
        try:
            yield annotation_values.read(
                annotation, int(str(row["id"])), data, classes, uncounted.renamed(attribute), by_id
            )
        except UnknownAnnotationShape:
            continue


def _recorded(settings: Settings, ids: list[int]) -> dict[int, tuple[str, str, int]]:
    """Label Studio's id -> image, author's address and attribute's id, also of answers that do not count."""
    rows = (
        select(Annotation.label_studio_id, Asset.asset_id, Expert.email, Annotation.attribute_id)
        .join(Asset, Asset.id == Annotation.asset_pk)
        .join(Expert, Expert.id == Annotation.expert_id)
    )
    recorded: dict[int, tuple[str, str, int]] = {}
    with reading(settings) as session:
        for start in range(0, len(ids), 500):
            some = rows.where(Annotation.label_studio_id.in_(ids[start : start + 500]))
            for number, image, email, attribute in session.execute(some):
                recorded[number or 0] = (image, email, attribute)
    return recorded
