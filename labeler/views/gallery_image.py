"""One image of a gallery, large: what the probe and the experts say of it, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting, look_again
from attune.labeler.answers.look_again import Answered
from attune.labeler.attributes import attributes
from attune.labeler.explore import pool_scores
from attune.labeler.labelling import corrections
from attune.labeler.people.viewer import Viewer, may_compare
from attune.labeler.records.schema import Asset, Attribute, Expert, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.attribute_page import Head, head
from attune.labeler.views.gallery import GalleryRequest, order
from attune.labeler.views.pictures import PageImage, picture
from attune.models.errors import UnknownAsset


@dataclass(frozen=True)
class LargeImage:
    """``columns``: the asset table's own, which may hold earlier labels, for those who manage alone.

    ``probabilities`` by class, empty where none may be told; ``sides``: each answer and the people behind it.

    ``again``: answers of others that can be looked at again, for those who manage.

    ``own``: the viewer's answer, ``annotation`` its key where it can be corrected. ``before`` and ``after``: asset ids
    of the images beside it in the gallery, ``place`` its number there from 1, 0 where the filters do not find it.
    """

    head: Head
    picture: PageImage
    columns: Mapping[str, str]
    probabilities: Sequence[tuple[str, float]]
    sides: Sequence[tuple[str, Sequence[str]]]
    own: str | None
    annotation: int | None
    again: Sequence[Answered]
    queue: bool
    before: str | None
    after: str | None
    place: int
    total: int


def large_image(settings: Settings, viewer: Viewer, name: str, asset_id: str, asked: GalleryRequest) -> LargeImage:
    """The image ``asset_id`` in the gallery of ``name`` that ``asked`` describes.

    Raises UnknownAttribute; UnknownAsset also for an image that the viewer may not see here.
    """
    with reading(settings) as session:
        one = attributes.find(session, name)
        asset = _visible(session, viewer, one, asset_id)
        keys = order(session, settings, viewer, one, asked)
        at = keys.index(asset.id) if asset.id in keys else -1
        beside = [keys[at + step] if at >= 0 and 0 <= at + step < len(keys) else None for step in (-1, 1)]
        names: dict[int, str] = dict(
            session.execute(select(Asset.id, Asset.asset_id).where(Asset.id.in_(beside))).all()
        )
        answers = _answers(session, viewer, one, asset)
        own = next((row for row in answers if viewer.expert_id is not None and row[2] == viewer.expert_id), None)
        open_queue = select(Queue.id).where(
            Queue.attribute_id == one.id, Queue.expert_id == viewer.expert_id, Queue.closed_at.is_(None)
        )
        return LargeImage(
            head=head(session, settings, viewer, one),
            picture=picture(asset),
            columns={str(key): str(value) for key, value in (asset.columns or {}).items()} if viewer.manages else {},
            probabilities=_probabilities(settings, one, asset.id) if viewer.manages else (),
            sides=_sides(answers),
            own=own[0] if own else None,
            annotation=own[3] if own and corrections.correctable(session, [own[3]]) else None,
            again=look_again.offered(session, viewer, one, [asset.id]).get(asset.id, ()),
            queue=session.scalar(open_queue.limit(1)) is not None,
            before=names.get(beside[0] or 0),
            after=names.get(beside[1] or 0),
            place=at + 1,
            total=len(keys),
        )


def _visible(session: Session, viewer: Viewer, attribute: Attribute, asset_id: str) -> Asset:
    allowed = may_compare(viewer, attribute.id)
    if not viewer.manages:
        named = select(Asset.id).where(Asset.asset_id == asset_id)
        own = counting.answers([attribute.id], [viewer.expert_id or 0], assets=named)
        # Whatever an expert answered, they may see, unless it was removed.
        allowed = Asset.removed_at.is_(None) & Asset.id.in_(select(own.c.asset_pk))
    asset = session.scalar(select(Asset).where(Asset.asset_id == asset_id, allowed))
    if asset is None:
        raise UnknownAsset(f"The image {asset_id[:80]!r} is not among these results, or it was removed from the pool.")
    return asset


def _answers(session: Session, viewer: Viewer, attribute: Attribute, asset: Asset) -> list[tuple[str, str, int, int]]:
    """Value, name, expert and annotation of each answer; of an expert who may not compare, the own alone."""
    allowed = may_compare(viewer, attribute.id, [asset.id])
    compares = session.scalar(select(Asset.id).where(Asset.id == asset.id, allowed))
    experts = None if compares is not None else [viewer.expert_id or 0]
    answer = counting.answers([attribute.id], experts, assets=[asset.id])
    rows = session.execute(
        select(answer.c.value, Expert.name, answer.c.expert_id, answer.c.id)
        .join(Expert, Expert.id == answer.c.expert_id)
        .order_by(Expert.name)
    )
    return [(value, name, expert, key) for value, name, expert, key in rows]


def _sides(answers: Sequence[tuple[str, str, int, int]]) -> list[tuple[str, list[str]]]:
    values = dict.fromkeys(row[0] for row in answers)
    return [(value, [row[1] for row in answers if row[0] == value]) for value in values]


def _probabilities(settings: Settings, attribute: Attribute, key: int) -> list[tuple[str, float]]:
    scores = pool_scores.load(settings, attribute)
    row = int(scores.rows([key])[0]) if scores else -1
    if scores is None or row < 0:
        return []
    return [(name, float(p)) for name, p in zip(attribute.classes, scores.at([row])[0], strict=True)]
