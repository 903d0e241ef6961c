"""One cluster as a page shows it: its core, its edge and some at random, what is beside it and what is inside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.people.viewer import Viewer, may_open
from attune.labeler.records.schema import Cluster, Clustering
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, members, origins
from attune.labeler.spaces.clusterings import Saved
from attune.labeler.spaces.members import Members
from attune.labeler.spaces.origins import Origin
from attune.labeler.views.beside import another
from attune.labeler.views.cluster_described import Described, described, first_phrases
from attune.labeler.views.cluster_performed import Performance, performance
from attune.labeler.views.cluster_unlike import nearest_named, unlike
from attune.labeler.views.explore_clusters import Card, cards_of, found, is_loose, pictures_of
from attune.labeler.views.explore_jobs import Progress, progress
from attune.labeler.views.pictures import PageImage

CORE, EDGE, RANDOM = 10, 5, 5
HALF = 2  # the core is the more typical half
POSITIVES, NEAR_MISSES = 6, 6  # examples of a new question
SPARE = 4  # times as many are read, as some were removed or share a title
INSIDE = 6  # pictures of clusters inside


@dataclass(frozen=True)
class Question:
    """What a new question would begin with: images that count, near misses, and all of them for the queues."""

    counts: Sequence[PageImage]
    near_misses: Sequence[PageImage]

    @property
    def picks(self) -> list[str]:
        """The ids of all of them, each once."""
        return list(dict.fromkeys(one.asset_id for one in (*self.counts, *self.near_misses)))


@dataclass(frozen=True)
class Inside:
    """A clustering of this cluster's images alone."""

    row: Clustering
    cards: Sequence[Card]


@dataclass(frozen=True)
class ClusterPage:
    """Cluster ``one`` of ``saved``: images of its ``core`` (most typical first), ``edge`` (least first), at ``random``.

    ``near`` are the nearest clusters, ``inside`` the newest clustering of this cluster's images.
    """

    saved: Saved
    one: Cluster
    loose: bool
    core: Sequence[PageImage]
    edge: Sequence[PageImage]
    random: Sequence[PageImage]
    near: Sequence[Card]
    inside: Inside | None
    question: Question
    job: Progress
    described: Described | None
    known: Sequence[str]  # of a cluster without words: what it is most unlike the others in, counted and not tested
    near_named: str  # of the same, the nearest cluster that has a name or words, as a sentence
    performed: Performance | None
    origin: Origin
    other: int | None  # a clustering to look at beside this one, of another space where there is one


def cluster_page(settings: Settings, viewer: Viewer, run: int, number: int) -> ClusterPage:
    """Cluster ``number`` of clustering ``run``.

    Raises DataError where there is none, or its file is gone, AccessError where the viewer may not see it.
    """
    with reading(settings) as session:
        saved = found(session, viewer, run)
        origin = origins.of(session, [saved.row])[run]
        one = saved.cluster(number)
        held = members.load(settings, saved.row.file)
        core, edge, random = _parts(session, viewer, held.of(one.place), run)
        near = [other for key in one.near for other in saved.clusters if other.number == key]
        nearest = _first_titles(_some(session, viewer, _core_keys(held, near[0])), NEAR_MISSES // 2) if near else []
        inner = _inside(session, viewer, run, number)
        job = progress(session, ("clusters",))
        told = described(session, viewer, saved.row, number)
        silent = told is None or not told.words
        tested = told is not None and bool(told.said)
        known = unlike(settings, session, viewer, held, one, run, columns=not tested) if silent else []
        near_named = nearest_named(one, saved.clusters, first_phrases(session, viewer, run)) if silent else ""
        performed = performance(settings, session, viewer, run, number)
        other = another(session, viewer, saved.row)
    spread = _first_titles(core, POSITIVES)
    misses = [*_first_titles(edge, NEAR_MISSES - len(nearest)), *nearest]
    inside = None
    if inner is not None:
        inside = Inside(inner.row, cards_of(settings, viewer, inner, inner.clusters[:INSIDE]))
    beside = cards_of(settings, viewer, saved, near)
    return ClusterPage(
        saved,
        one,
        is_loose(one),
        core[:CORE],
        edge[:EDGE],
        random,
        beside,
        inside,
        Question(spread, misses),
        job,
        told,
        known,
        near_named,
        performed,
        origin,
        other,
    )


def _parts(
    session: Session, viewer: Viewer, keys: npt.NDArray[np.int64], run: int
) -> tuple[list[PageImage], list[PageImage], list[PageImage]]:
    """Images of the core, of the edge and at random; no image stands in two of them, a small cluster has only a core.

    The random ones are drawn by the clustering's number, so that a page looks the same again.
    """
    core = _some(session, viewer, keys[: max(CORE, len(keys) // HALF)][: SPARE * CORE])
    rest = keys[len(core) :]
    edge = _some(session, viewer, rest[::-1][: SPARE * EDGE])
    there = {one.pk for one in (*core[:CORE], *edge[:EDGE])}
    left = np.array([key for key in keys.tolist() if key not in there], dtype=np.int64)
    drawn = np.random.default_rng(run).permutation(left)[: SPARE * RANDOM]
    return core, edge, _some(session, viewer, drawn)[:RANDOM]


def _core_keys(held: Members, one: Cluster) -> npt.NDArray[np.int64]:
    return held.of(one.place)[: SPARE * NEAR_MISSES]


def _some(session: Session, viewer: Viewer, keys: npt.NDArray[np.int64]) -> list[PageImage]:
    """The images of ``keys`` that ``viewer`` may see, in that order."""
    order = keys.tolist()
    images = pictures_of(session, viewer, order)
    return [images[key] for key in order if key in images]


def _first_titles(images: Sequence[PageImage], count: int) -> list[PageImage]:
    """At most ``count`` images, evenly spread over the list, of as many titles as there are."""
    first: dict[str, PageImage] = {}
    for one in images:
        first.setdefault(one.title_id, one)
    apart = list(first.values())
    apart += [one for one in images if one not in apart][: max(0, count - len(apart))]
    places = np.linspace(0, len(apart) - 1, min(count, len(apart))).round().astype(int)
    return [apart[place] for place in places]


def _inside(session: Session, viewer: Viewer, run: int, number: int) -> Saved | None:
    """The newest clustering of the cluster's images alone that ``viewer`` may see."""
    mine = select(Clustering.id).where(
        Clustering.within_id == run, Clustering.within_number == number, may_open(viewer)
    )
    newest = session.scalar(mine.order_by(Clustering.id.desc()).limit(1))
    return None if newest is None else clusterings.find(session, newest)
