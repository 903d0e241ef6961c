"""Images that experts answered differently, with who said what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import threads
from attune.labeler.answers.counting import current
from attune.labeler.people.viewer import Viewer, may_compare
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Asset, Expert
from attune.labeler.views.pictures import PageImage, picture
from attune.models.labels.answers import SKIP, UNSURE


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
    answer = current([attribute_id])
    decided = answer.c.value.not_in([SKIP, UNSURE])
    votes = (
        select(answer.c.asset_pk, answer.c.value, func.count().label("votes"))
        .where(decided)
        .group_by(answer.c.asset_pk, answer.c.value)
        .subquery()
    )
    split = (
        select(
            votes.c.asset_pk,
            (1.0 * func.max(votes.c.votes) / func.sum(votes.c.votes)).label("share"),
            func.sum(votes.c.votes).label("votes"),
        )
        .group_by(votes.c.asset_pk)
        .having(func.count() > 1)
        .subquery()
    )
    query = (
        select(Asset)
        .join(split, split.c.asset_pk == Asset.id)
        .where(may_compare(viewer, attribute_id))
        .order_by(split.c.share, split.c.votes.desc(), Asset.id)
    )
    asset_page = page_of(session, query, page, size)
    keys = [asset.id for asset in asset_page.items]
    said = sides(session, attribute_id, keys, [*classes, UNSURE])
    comments = threads.counts(session, attribute_id, keys)
    return asset_page.map(lambda asset: DisputedImage(picture(asset), said[asset.id], comments.get(asset.id, 0)))


def sides(
    session: Session, attribute_id: int, assets: Sequence[int], order: Sequence[str]
) -> dict[int, list[tuple[str, list[str]]]]:
    """Who gave which answer on ``assets``, by their keys: answers in ``order``, skips left out."""
    answer = current([attribute_id])
    rows = session.execute(
        select(answer.c.asset_pk, answer.c.value, Expert.name)
        .join(Expert, Expert.id == answer.c.expert_id)
        .where(answer.c.asset_pk.in_(assets), answer.c.value != SKIP)
        .order_by(Expert.name)
    )
    answers: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for asset, value, name in rows:
        answers[asset][value].append(name)
    return {
        asset: [(value, by_value[value]) for value in order if by_value.get(value)]
        for asset, by_value in answers.items()
    }
