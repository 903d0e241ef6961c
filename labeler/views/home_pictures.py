"""The images on the home page: a few large ones of each question.

Owners see what the newest probe finds likeliest of each class, most doubtful, and the newest of the pool; experts the
definition's examples and their own newest answers, and nothing of what a probe says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting, held_answers
from attune.labeler.explore import pool_scores
from attune.labeler.explore.pool_scores import PoolScores, RankedRight
from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer, waiting
from attune.labeler.records.schema import Asset, Attribute
from attune.labeler.settings import Settings
from attune.labeler.views import gallery_filter
from attune.labeler.views.gallery import EVERY
from attune.labeler.views.pictures import PageImage, by_id, picture

SHOWN = 4  # images of a group at most
ROOM = 3.7  # and as many as fit in a row: the sum of their widths over their heights
ALONE = 5.6  # the same, for a last group that has the whole width
SPARE = 8  # to choose them from: some may not be the viewer's to see, some are too wide for what is left of the row


@dataclass(frozen=True)
class Thumb:
    """An image and what is said of it: a class, and in the probe's case how likely, in [0, 1]."""

    picture: PageImage
    says: str | None = None
    probability: float | None = None


@dataclass(frozen=True)
class Group:
    """A heading and its images; ``by`` and ``sort`` lead to the same images in the results, empty where they do not."""

    title: str
    thumbs: Sequence[Thumb]
    by: str = ""
    sort: str = ""


@dataclass(frozen=True)
class Pictures:
    """What a card shows beside the facts: groups of images, none of them empty, and for owners how many of the highest
    ranked audit images are of the first class."""

    groups: Sequence[Group] = ()
    ranked: RankedRight | None = None


def pictures(
    session: Session, settings: Settings, viewer: Viewer, attributes: Sequence[Attribute]
) -> dict[int, Pictures]:
    """The images of each attribute by its id."""
    if not viewer.manages:
        found = _experts(session, viewer, attributes)
        return {key: Pictures(_fitting(some)) for key, some in found.items()}
    scores = {one.id: pool_scores.load(settings, one) for one in attributes}
    found = _owners(session, viewer, attributes, scores)
    own = visible_runs.labelled(session, list(scores), viewer)
    ranked = {
        key: (one.summary.held if key in own else one.summary.ranked).get(one.summary.classes[0])
        for key, one in scores.items()
        if one
    }
    return {key: Pictures(_fitting(some), ranked.get(key)) for key, some in found.items()}


def _fitting(groups: Sequence[Group]) -> list[Group]:
    shown = [one for one in groups if one.thumbs]
    alone = len(shown) if len(shown) % 2 else 0
    return [_row(one, ALONE if place == alone else ROOM) for place, one in enumerate(shown, 1)]


def _row(group: Group, room: float) -> Group:
    """The group with the images that fit in a row of so much ``room``, in their order, at least one."""
    kept: list[Thumb] = []
    for one in group.thumbs:
        ratio = one.picture.width / max(one.picture.height, 1)
        if len(kept) < SHOWN and (ratio <= room or not kept):
            kept.append(one)
            room -= ratio
    return replace(group, thumbs=kept)


def _owners(
    session: Session, viewer: Viewer, attributes: Sequence[Attribute], scores: Mapping[int, PoolScores | None]
) -> dict[int, list[Group]]:
    kept = [one.summary for one in scores.values() if one]
    keys = {key for one in kept for some in (*one.top.values(), one.doubtful) for key in some}
    visible = Asset.removed_at.is_(None) & Asset.id.not_in(waiting(viewer))
    newest = list(session.scalars(select(Asset).where(visible).order_by(Asset.id.desc()).limit(SPARE)))
    images = {one.id: picture(one) for one in session.scalars(select(Asset).where(Asset.id.in_(keys), visible))}
    images |= {one.id: picture(one) for one in newest}
    added = [one.id for one in newest]
    return {one.id: _of_probe(one, scores[one.id], images, added) for one in attributes}


def _of_probe(
    attribute: Attribute, scores: PoolScores | None, images: Mapping[int, PageImage], newest: Sequence[int]
) -> list[Group]:
    if scores is None:
        return [Group("Newest images", [Thumb(images[key]) for key in newest])]
    summary = scores.summary
    found = [
        Group(f"Most likely {name}", _thumbs(scores, images, summary.top[name], name), name, "high")
        for name in attribute.classes
    ]
    found.append(Group("Most doubtful", _thumbs(scores, images, summary.doubtful), EVERY, "low"))
    return [*found, Group("Newest images", _thumbs(scores, images, newest), EVERY, "new")]


def _thumbs(
    scores: PoolScores, images: Mapping[int, PageImage], keys: Iterable[int], name: str | None = None
) -> list[Thumb]:
    """The first few of ``keys`` that may be seen, each with the class ``name``, or the one that the probe gives it."""
    there = [key for key in keys if key in images][:SPARE]
    classes, rows = list(scores.summary.classes), scores.rows(there)
    thumbs = []
    for key, row, p in zip(there, rows.tolist(), scores.at(np.maximum(rows, 0).tolist()), strict=True):
        column = classes.index(name) if name else int(p.argmax())
        thumbs.append(Thumb(images[key], classes[column], float(p[column])) if row >= 0 else Thumb(images[key]))
    return thumbs


def _experts(session: Session, viewer: Viewer, attributes: Sequence[Attribute]) -> dict[int, list[Group]]:
    names = {name for one in attributes for name in (*one.in_scope, *one.out_of_scope)}
    examples = {name: Thumb(one) for name, one in by_id(session, names, Asset.removed_at.is_(None)).items()}
    answered = _own_answers(session, viewer, [one.id for one in attributes])

    def of(one: Attribute) -> list[Group]:
        several = len(one.classes) > 2  # as which of them it counts, the examples do not say
        heads = ("Meant", "Not meant") if several else ("Counts", "Does not count")
        kinds = zip(heads, (one.in_scope, one.out_of_scope), strict=True)
        shown = [Group(title, [examples[name] for name in kind if name in examples]) for title, kind in kinds]
        return [*shown, Group("Your newest answers", answered.get(one.id, ()))]

    return {one.id: of(one) for one in attributes}


def _own_answers(session: Session, viewer: Viewer, ids: Sequence[int]) -> dict[int, list[Thumb]]:
    """The viewer's newest answers on each attribute whose images are still there."""
    tables = held_answers.of_each(session, ids)
    newest: dict[int, dict[int, str]] = {}
    for key, table in tables.items():
        mine = table.newest[(table.is_answer & (table.experts == (viewer.expert_id or 0)))[table.newest]]
        removed = gallery_filter.keys_of(session, counting.answered_and_removed(key))
        rows = mine[~np.isin(table.assets[mine], removed)][:SPARE]
        said = (table.words[code] for code in table.codes[rows].tolist())
        newest[key] = dict(zip(table.assets[rows].tolist(), said, strict=True))
    wanted = {asset for answers in newest.values() for asset in answers}
    images = {one.id: picture(one) for one in session.scalars(select(Asset).where(Asset.id.in_(wanted)))}
    return {key: [Thumb(images[asset], value) for asset, value in answers.items()] for key, answers in newest.items()}
