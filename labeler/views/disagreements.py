"""Images that experts answered differently, with who said what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import held_answers, threads
from attune.labeler.answers.counting import current
from attune.labeler.people.viewer import Viewer, may_compare
from attune.labeler.records.paging import Page
from attune.labeler.records.schema import Asset, Expert
from attune.labeler.views.pictures import PageImage, picture
from attune.models.labels.answers import SKIP, UNSURE

AT_ONCE = 10_000  # keys in one question to the database


@dataclass(frozen=True)
class DisputedImage:
    """One asset and the people behind each answer on it; ``sides`` in the order of the classes, "unsure" last.

    ``comments``: how many its thread has.
    """

    picture: PageImage
    sides: Sequence[tuple[str, Sequence[str]]]
    comments: int


def disputed_images(
    session: Session, viewer: Viewer, attribute_id: int, classes: Sequence[str], page: int = 1, size: int = 6
) -> Page[DisputedImage]:
    """Assets that got two classes or more, the most evenly split first; only those that the viewer has answered.

    Those who manage the attribute see all of them.
    """
    keys = visible_disputes(session, viewer, attribute_id)
    number = max(1, min(page, -(-len(keys) // size) or 1))
    here = keys[(number - 1) * size : number * size]
    rows = {asset.id: asset for asset in session.scalars(select(Asset).where(Asset.id.in_(here)))}
    asset_page = Page([rows[key] for key in here], number, size, len(keys))
    said = sides(session, attribute_id, here, [*classes, UNSURE])
    comments = threads.counts(session, attribute_id, here)
    return asset_page.map(lambda asset: DisputedImage(picture(asset), said[asset.id], comments.get(asset.id, 0)))


def visible_disputes(session: Session, viewer: Viewer, attribute_id: int) -> list[int]:
    """The keys of the disputed assets that the viewer may compare, the most evenly split first."""
    keys = held_answers.of(session, attribute_id).disputed.tolist()
    if not keys:
        return []
    seen: set[int] = set()
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        allowed = may_compare(viewer, attribute_id, some)
        seen.update(session.scalars(select(Asset.id).where(Asset.id.in_(some), allowed)))
    return [key for key in keys if key in seen]


def sides(
    session: Session, attribute_id: int, assets: Sequence[int], order: Sequence[str]
) -> dict[int, list[tuple[str, list[str]]]]:
    """Who gave which answer on ``assets``, by their keys: answers in ``order``, skips left out."""
    answer = current([attribute_id], assets=assets)
    rows = session.execute(
        select(answer.c.asset_pk, answer.c.value, Expert.name)
        .join(Expert, Expert.id == answer.c.expert_id)
        .where(answer.c.value != SKIP)
        .order_by(Expert.name)
    )
    answers: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for asset, value, name in rows:
        answers[asset][value].append(name)
    return {
        asset: [(value, by_value[value]) for value in order if by_value.get(value)]
        for asset, by_value in answers.items()
    }
