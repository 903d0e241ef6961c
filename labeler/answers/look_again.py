"""An owner asks an expert to look at an answer once more: a notice that leads to it and says why to nobody.

It tells neither what a probe nor what anybody else says of the image. The first answer measures whatever comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from attune.labeler.answers import counting
from attune.labeler.attributes import attributes
from attune.labeler.labelling import corrections
from attune.labeler.notices import notices
from attune.labeler.notices.notices import News
from attune.labeler.people.viewer import Viewer, may_compare
from attune.labeler.queues.asking import is_asking
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Notice, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.clock import iso
from attune.models.errors import DataError

CANNOT = (
    "This answer cannot be looked at again: it was taken back, cannot be changed any more, is your own, or its expert "
    "has no open queue for this question. Ask another expert instead."
)


@dataclass(frozen=True)
class Answered:
    """An answer whose expert can be asked again; ``asked_at``: since when they are, None where they are not."""

    annotation: int
    expert: str
    asked_at: datetime | None


def offered(
    session: Session, viewer: Viewer, attribute: Attribute, assets: Sequence[int]
) -> Mapping[int, Sequence[Answered]]:
    """By key of the image, of ``assets``, the answers that others gave and can change, for those who manage; without
    the images that have none."""
    if not viewer.manages:
        return {}
    rows = list(session.scalars(_answers(viewer, attribute, assets).options(joinedload(Annotation.expert))))
    able = corrections.correctable(session, [row.id for row in rows])
    keys = {_key(row): row for row in rows if row.id in able}
    asked: dict[str, datetime] = dict(session.execute(select(Notice.key, Notice.at).where(Notice.key.in_(keys))).all())
    found: dict[int, list[Answered]] = {}
    for key, row in keys.items():
        found.setdefault(row.asset_pk, []).append(Answered(row.id, row.expert.name, asked.get(key)))
    return found


def ask(settings: Settings, viewer: Viewer, name: str, annotation: int) -> str:
    """Ask for another look at ``annotation``, once for each state of it; the expert's name.

    Raises UnknownAttribute, and DataError where the answer is not one that `offered` offers.
    """
    with reading(settings) as session:
        one = attributes.find(session, name)
        image = select(Annotation.asset_pk).where(Annotation.id == annotation)
        row = session.scalar(_answers(viewer, one, image).where(Annotation.id == annotation))
        if row is None or not viewer.manages or row.id not in corrections.correctable(session, [row.id]):
            raise DataError(CANNOT)
        person = row.expert.name
        news = News(
            _key(row), notices.LOOK, f"{one.name}: look at one of your answers again",
            "An owner asks you to look at your answer on one image once more. You may keep it or change it.",
            f"{notices.page(one.name)}/answers/{row.id}", one.id, expert=row.expert_id,
        )  # fmt: skip
    notices.record_news(settings, [news])
    return person


def _answers(viewer: Viewer, attribute: Attribute, assets: Sequence[int] | Select[int]) -> Select[Annotation]:
    """What others last said of the images of these keys, each expert once."""
    asking = select(Queue.expert_id).where(Queue.attribute_id == attribute.id, is_asking())
    last = counting.current([attribute.id], assets=assets)
    return (
        select(Annotation)
        .join(last, last.c.id == Annotation.id)
        .join(Asset, Asset.id == Annotation.asset_pk)
        .join(Expert, Expert.id == Annotation.expert_id)
        .where(
            Expert.removed_at.is_(None), Annotation.expert_id.in_(asking),
            Annotation.expert_id != (viewer.expert_id or 0), may_compare(viewer, attribute.id, assets),
        )
        .order_by(Expert.name)
    )  # fmt: skip


def _key(row: Annotation) -> str:
    return f"look again:{row.id}:{iso(row.updated_at)}"
