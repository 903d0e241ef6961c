"""The gallery of an attribute's results: images by class with the probe's probability, filtered and sorted.

Owners see the whole pool, less what waits in a queue of their own. Experts see only what they have answered, by their
own answer and without the probe's say: a probe fits what it has learned from, so its say would tell audits apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import held_answers
from attune.labeler.explore import pool_scores, search
from attune.labeler.explore.pool_scores import PoolScores, RankedRight
from attune.labeler.explore.search import Query
from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer, may_compare
from attune.labeler.records.paging import Page
from attune.labeler.records.schema import Asset, Attribute
from attune.labeler.settings import Settings
from attune.labeler.views import gallery_answers, gallery_filter
from attune.labeler.views.gallery_answers import Sides
from attune.labeler.views.pictures import PageImage, picture
from attune.models.labels.answers import UNSURE
from attune.models.probes.decision import NO_LABEL

PAGE = 15
EVERY = "*"
SORTS = {"high": "Most certain first", "low": "Most doubtful first", "new": "Newest image first"}
SHOWS = {
    "": "All images",
    "differ": "Experts and probe disagree",
    "answered": "With answers",
    "open": "Without answers",
}


@dataclass(frozen=True)
class GalleryRequest:
    """What a gallery was asked for, as its address says; ``lo`` and ``hi`` are probabilities in percent.

    ``by``: a class, ``EVERY`` for all, or empty for what comes first: owners' first class, all of an expert's answers.
    """

    by: str = ""
    sort: str = "high"
    show: str = ""
    lo: int = 0
    hi: int = 100
    title: str = ""
    column: str = ""
    value: str = ""
    page: int = 1
    name_columns: tuple[str, ...] = ()  # in which ``title`` is looked for too: names of titles

    @property
    def query(self) -> Query:
        """The filter of Explore."""
        return Query(title=self.title, column=self.column, value=self.value, name_columns=self.name_columns)

    @property
    def narrowed(self) -> bool:
        """Whether more than the class is filtered."""
        return bool(self.show or self.lo > 0 or self.hi < 100 or self.query.filters)


@dataclass(frozen=True)
class GalleryImage:
    """An image; ``says``: the probe's class with its ``probability`` in [0, 1], None where there is none to tell.

    ``sides``: the classes that experts gave, and how many did; ``differs``: most of them say otherwise than the probe.
    """

    picture: PageImage
    says: str | None = None
    probability: float | None = None
    sides: Sequence[tuple[str, int]] = ()
    differs: bool = False


@dataclass(frozen=True)
class Gallery:
    """One page. ``by``: the class shown; ``counts``: how many images each class has under the same filters, and
    ``EVERY`` stands for all.

    ``scored``: whether the probe's say is told at all, ``run``: whose it is, ``ranked``: of each class, what is known
    of the highest ranked images.
    """

    asked: GalleryRequest
    by: str
    images: Page[GalleryImage]
    counts: Mapping[str, int]
    columns: Sequence[str]
    scored: bool
    run: int | None = None
    ranked: Mapping[str, RankedRight] = field(default_factory=dict)


def gallery(
    session: Session, settings: Settings, viewer: Viewer, attribute: Attribute, asked: GalleryRequest
) -> Gallery:
    """The gallery of ``attribute`` as ``viewer`` may see it; without scores where no run has left any yet."""
    keys, counts, scores, sides = _found(session, settings, viewer, attribute, asked)
    number = max(1, min(asked.page, -(-len(keys) // PAGE) or 1))
    here = keys[(number - 1) * PAGE : number * PAGE]
    rows = {one.id: one for one in session.scalars(select(Asset).where(Asset.id.in_(here)))}
    images = [_image(rows[key], scores, sides) for key in here if key in rows]
    return Gallery(
        asked,
        _class_of(viewer, attribute, asked) if scores is not None or not viewer.manages else EVERY,
        Page(images, number, PAGE, len(keys)),
        counts,
        search.columns_of(session) if viewer.manages else (),
        scores is not None,
        scores.summary.run if scores else None,
        _ranked(session, viewer, attribute, scores),
    )


def _ranked(
    session: Session, viewer: Viewer, attribute: Attribute, scores: PoolScores | None
) -> Mapping[str, RankedRight]:
    if scores is None:
        return {}
    own = visible_runs.labelled(session, [attribute.id], viewer)
    return scores.summary.held if own else scores.summary.ranked


def _class_of(viewer: Viewer, attribute: Attribute, asked: GalleryRequest) -> str:
    """The class that is shown, or ``EVERY``."""
    if asked.by in attribute.classes:
        return asked.by
    return str(attribute.classes[0]) if viewer.manages and not asked.by else EVERY


def order(
    session: Session, settings: Settings, viewer: Viewer, attribute: Attribute, asked: GalleryRequest
) -> list[int]:
    """The keys (``Asset.id``) of all images that ``asked`` finds, in its order."""
    return _found(session, settings, viewer, attribute, asked)[0]


def _found(
    session: Session, settings: Settings, viewer: Viewer, attribute: Attribute, asked: GalleryRequest
) -> tuple[list[int], dict[str, int], PoolScores | None, Sides]:
    if not viewer.manages:
        own, counts = _own(session, viewer, attribute, asked)
        return list(own), counts, None, {key: {value: 1} for key, value in own.items()}
    asked = replace(asked, name_columns=search.name_columns(session, asked.title))
    sides = gallery_answers.sides(session, attribute)
    scores = pool_scores.load(settings, attribute)
    if scores is None:
        condition = may_compare(viewer, attribute.id) & search.allowed_by(asked.query)
        newest = select(Asset.id).where(condition).order_by(Asset.id.desc())
        return list(session.scalars(newest)), {}, None, sides
    keep = gallery_filter.visible(session, viewer, asked.query, scores.keys)
    keep &= (scores.shown >= asked.lo / 100) & (scores.shown <= asked.hi / 100)
    keep &= _shown(asked.show, attribute, scores, sides)
    counts = {name: int((keep & (scores.said == i)).sum()) for i, name in enumerate(attribute.classes)}
    counts[EVERY] = int(keep.sum())
    by = _class_of(viewer, attribute, asked)
    if by != EVERY:
        keep &= scores.said == list(attribute.classes).index(by)
    rows = np.flatnonzero(keep)
    cost = _cost(scores, asked.sort)[rows]
    return scores.keys[rows[np.argsort(cost, kind="stable")]].tolist(), counts, scores, sides


def _cost(scores: PoolScores, sort: str) -> npt.NDArray[Any]:
    """What each image (N,) is sorted by, the lowest first; doubt is what home means by it."""
    if sort == "new":
        return -scores.keys
    if sort == "low":
        return pool_scores.margin(scores.probabilities, scores.summary.classes, scores.summary.thresholds)
    return -scores.shown


def _shown(show: str, attribute: Attribute, scores: PoolScores, sides: Sides) -> npt.NDArray[np.bool_]:
    if show not in ("differ", "answered", "open"):
        return np.ones(len(scores.keys), dtype=bool)
    wanted = list(sides)
    if show == "differ":
        said = dict(zip(wanted, scores.rows(wanted).tolist(), strict=True))
        wanted = [key for key in wanted if said[key] >= 0 and _differs(sides[key], _name(scores, said[key]))]
    mask = gallery_filter.among(scores.keys, np.asarray(wanted, dtype=np.int64))
    return ~mask if show == "open" else mask


def _name(scores: PoolScores, row: int) -> str | None:
    said = int(scores.said[row])
    return None if said == NO_LABEL else str(scores.summary.classes[said])


def _differs(sides: Mapping[str, int], says: str | None) -> bool:
    """Whether most of the experts who name a class name another than ``says``; a tie of theirs is no disagreement."""
    votes = {value: count for value, count in sides.items() if value != UNSURE}
    if not votes or says is None:
        return False
    most = max(votes.values())
    leaders = [value for value, count in votes.items() if count == most]
    return len(leaders) == 1 and leaders[0] != says


def _image(asset: Asset, scores: PoolScores | None, sides: Sides) -> GalleryImage:
    own = sides.get(asset.id, {})
    row = int(scores.rows([asset.id])[0]) if scores else -1
    if scores is None or row < 0:
        return GalleryImage(picture(asset), sides=tuple(own.items()))
    says = _name(scores, row)
    return GalleryImage(picture(asset), says, float(scores.shown[row]), tuple(own.items()), _differs(own, says))


def _own(
    session: Session, viewer: Viewer, attribute: Attribute, asked: GalleryRequest
) -> tuple[dict[int, str], dict[str, int]]:
    """What an expert has answered on which image, the newest first, and how many of each answer."""
    table = held_answers.of(session, attribute.id)
    rows = table.newest[(table.is_answer & (table.experts == (viewer.expert_id or 0)))[table.newest]]
    keys = table.assets[rows]
    # Whatever an expert answered, they may see, unless it was removed.
    ascending = np.sort(keys)
    there = ascending[gallery_filter.there(session, asked.query, ascending)]
    seen = np.isin(keys, there)
    given = list(
        zip(keys[seen].tolist(), [table.words[code] for code in table.codes[rows[seen]].tolist()], strict=True)
    )
    counts = {name: sum(value == name for _, value in given) for name in attribute.classes}
    by = _class_of(viewer, attribute, asked)
    return {key: value for key, value in given if by in (EVERY, value)}, counts
