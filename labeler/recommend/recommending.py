"""Titles for viewers by what they liked: near to it in the taste space, with the reason; plain ways stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from attune.labeler.explore import space_index
from attune.labeler.explore.space_index import SpaceIndex
from attune.labeler.recommend import histories
from attune.labeler.settings import Settings
from attune.labeler.spaces.learned import TASTE
from attune.labeler.spaces.spaces import FINAL
from attune.models.errors import EncoderMismatch, UnknownProbe
from attune.models.recommend import by_vectors
from attune.models.recommend.by_others import ItemNeighbours, popularity
from attune.models.recommend.history_rows import ReadHistory, Watch
from attune.models.vectors.pool import unit_length

BLOCK = 8192
FEWEST_VIEWERS = 5  # who liked a title, before it is told from kept histories: of fewer it would be their own taste
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Titles:
    """The pool's titles: ``names`` (t,), a vector each (t, d) of unit length, and an image each; "" where all went."""

    names: list[str]
    vectors: Floats
    images: list[str]
    number: dict[str, int]


_known: WeakKeyDictionary[SpaceIndex, Titles] = WeakKeyDictionary()


@dataclass(frozen=True)
class Suggestion:
    """A title for a viewer: an image of it, how near it is to what they liked, and the liked titles nearest to it."""

    title_id: str
    asset_id: str
    score: float
    because: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ForViewer:
    """What one viewer gets. ``popular`` and ``item_knn`` come from histories that are kept: titles that at least
    ``FEWEST_VIEWERS`` liked, of ``item_knn`` together with one that this viewer liked. Empty without any."""

    user: str
    liked: int
    titles: list[Suggestion]
    popular: list[Suggestion]
    item_knn: list[Suggestion]
    why: str = ""


@dataclass(frozen=True)
class Recommended:
    """The viewers in the order of the history, the ``space`` that was used, and how many histories stand beside.

    ``fewest_viewers``: a title that fewer of them liked is not told.
    """

    space: str
    viewers: list[ForViewer]
    kept_viewers: int
    fewest_viewers: int = FEWEST_VIEWERS


def recommend(settings: Settings, history: ReadHistory, top: int = 10, new_only: bool = False) -> Recommended:
    """``top`` titles for each viewer of ``history``, never one that they watched.

    ``new_only``: only titles that nobody watched in this history, less those that ``FEWEST_VIEWERS`` of the kept ones
    liked: to leave out what fewer liked would tell what they watched. In the space of the champion of taste, else as
    the images look. Raises EmptyPool.
    """
    space, index = _index(settings)
    titles = _titles(index)
    others = histories.stored(settings, titles.number)
    told = others.liked_by(FEWEST_VIEWERS)
    allowed = np.array([bool(image) for image in titles.images], dtype=np.bool_)
    if new_only:
        watched = [titles.number[row.title] for row in history.rows if row.title in titles.number]
        allowed[watched] = False
        allowed[told.title] = False
    popular = popularity(told) if len(told) else None
    neighbours = ItemNeighbours(told, fewest=FEWEST_VIEWERS) if len(told) else None
    viewers = [
        _for_viewer(titles, user, rows, top, allowed, popular, neighbours) for user, rows in history.by_user().items()
    ]
    return Recommended(space, viewers, len(others.users))


def _index(settings: Settings) -> tuple[str, SpaceIndex]:
    try:
        return TASTE, space_index.opened(settings, TASTE)
    except (UnknownProbe, EncoderMismatch):
        return FINAL, space_index.opened(settings, FINAL)


def _titles(index: SpaceIndex) -> Titles:
    if index not in _known:
        names, first = np.unique(index.view.pool.title_ids, return_index=True)
        total = np.zeros((len(names), index.vectors(np.array([0])).shape[1]), dtype=np.float32)
        there = np.flatnonzero(index.view.keys >= 0)
        for start in range(0, len(there), BLOCK):
            rows = there[start : start + BLOCK]
            np.add.at(total, index.titles[rows], index.vectors(rows))
        images = [""] * len(first)
        for row in there[::-1].tolist():
            images[index.titles[row]] = str(index.view.pool.asset_ids[row])
        held = names.tolist()
        _known[index] = Titles(held, unit_length(total), images, {name: place for place, name in enumerate(held)})
    return _known[index]


def _for_viewer(
    titles: Titles,
    user: str,
    rows: Sequence[Watch],
    top: int,
    allowed: Bools,
    popular: Floats | None,
    neighbours: ItemNeighbours | None,
) -> ForViewer:
    known = [row for row in rows if row.title in titles.number]
    seen = np.array(sorted({titles.number[row.title] for row in known}), dtype=np.intp)
    each = dict.fromkeys(titles.number[row.title] for row in reversed(known) if row.liked)
    liked = np.array(list(each)[::-1], dtype=np.intp)
    if not len(liked):
        return ForViewer(user, 0, [], [], [], "No title that this viewer liked is in the pool with a vector.")
    found = by_vectors.scores(titles.vectors, liked)
    chosen = by_vectors.recommend(found, seen, top, allowed)
    suggestions = [
        Suggestion(
            titles.names[one], titles.images[one], round(float(found[one]), 4),
            [titles.names[near] for near in by_vectors.reasons(titles.vectors, liked, int(one))],
        )
        for one in chosen
    ]  # fmt: skip
    by_fans = neighbours.scores(liked) if neighbours else None
    popular_ones = _by_others(titles, popular, seen, top, allowed)
    return ForViewer(user, len(liked), suggestions, popular_ones, _by_others(titles, by_fans, seen, top, allowed))


def _by_others(
    titles: Titles, scores: Floats | None, seen: npt.NDArray[np.intp], top: int, allowed: Bools
) -> list[Suggestion]:
    """By what others watched: only titles that they say something about."""
    if scores is None:
        return []
    chosen = by_vectors.recommend(scores, seen, top, allowed & (scores > 0))
    return [Suggestion(titles.names[one], titles.images[one], round(float(scores[one]), 4)) for one in chosen]
