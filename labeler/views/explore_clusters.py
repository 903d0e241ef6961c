"""A clustering as a page shows it: each cluster with its most typical images, and what else was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.assets.pool_size import pool_size
from attune.labeler.explore import clusters
from attune.labeler.people.viewer import Viewer, check_clustering, may_explore, may_open
from attune.labeler.records.paging import Page
from attune.labeler.records.schema import Asset, Cluster, Clustering
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import cluster_performance, clusterings, members, origins, spaces
from attune.labeler.spaces.clusterings import Saved
from attune.labeler.spaces.learned import TASTE
from attune.labeler.spaces.origins import Origin
from attune.labeler.spaces.performance_words import first_lines
from attune.labeler.spaces.words import changed, fewer
from attune.labeler.views.cluster_described import first_phrases, first_words
from attune.labeler.views.cluster_unlike import nearest_named
from attune.labeler.views.explore_jobs import Progress, progress
from attune.labeler.views.pictures import PageImage, picture

PAGE = 24
TYPICAL = 5  # images that stand for a cluster
LISTED = 30  # clusterings, the newest


@dataclass(frozen=True)
class Card:
    """One cluster of clustering ``run``: its most typical images, and the first thing that is said of it (or what it is
    near to).

    ``performed``: the surest difference in performance, for owners.
    """

    run: int
    number: int
    size: int
    name: str
    loose: bool
    pictures: Sequence[PageImage]
    said: str = ""
    performed: str = ""


@dataclass(frozen=True)
class Other:
    """A clustering in a list: how many clusters it has, and how many of them are loose."""

    row: Clustering
    clusters: int
    loose: int
    origin: Origin


@dataclass(frozen=True)
class ClustersPage:
    """A page of the clusters of ``row``, None where none were made yet.

    ``gone``: its file is not there any more. ``fewer`` says that there are fewer clusters than asked for, ``changes``
    what became of the clusters before; ``others`` are all clusterings, the newest first, ``spaces`` those to choose.
    ``origin``: in which version of its space it was made.
    """

    cards: Page[Card]
    row: Clustering | None
    assets_now: int
    job: Progress
    spaces: Sequence[str]
    others: Sequence[Other] = ()
    gone: bool = False
    fewer: Sequence[str] = ()
    changes: Sequence[str] = ()
    origin: Origin | None = None


def clusters_page(settings: Settings, viewer: Viewer, page: int = 1, run: int | None = None) -> ClustersPage:
    """Clustering ``run``, or the newest of the whole pool, largest cluster first.

    Raises DataError for no such run, AccessError for one that the viewer may not see.
    """
    with reading(settings) as session:
        saved = found(session, viewer, run) if run else newest(session, viewer)
        origin = origins.of(session, [saved.row])[saved.row.id] if saved else None
        there = pool_size(session)
        job = progress(session, (clusters.KIND,))
        others = listed(session, viewer)
    choices = offered(settings, viewer)
    if saved is None:
        return ClustersPage(Page([], 1, PAGE, 0), None, there, job, choices, others)
    number = max(1, min(page, -(-len(saved.clusters) // PAGE) or 1))
    shown = saved.clusters[(number - 1) * PAGE : number * PAGE]
    cards = Page(cards_of(settings, viewer, saved, shown), number, PAGE, len(saved.clusters))
    gone = not members.there(settings, saved.row.file)
    notes = fewer(saved.row.k, len(saved.clusters)), changed(saved.row.changes)
    return ClustersPage(cards, saved.row, there, job, choices, others, gone, *notes, origin)


def offered(settings: Settings, viewer: Viewer) -> list[str]:
    """The spaces with vectors that ``viewer`` may choose from; `final` where there are none yet."""
    there = [one.name for one in spaces.listed(settings) if one.images and (viewer.manages or one.name != TASTE)]
    return there or [spaces.FINAL]


def found(session: Session, viewer: Viewer, run: int) -> Saved:
    """Clustering ``run``. Raises UnknownClustering, and AccessError where the viewer may not see it."""
    saved = clusterings.find(session, run)
    check_clustering(viewer, saved.row)
    return saved


def newest(session: Session, viewer: Viewer) -> Saved | None:
    """The newest clustering of the whole pool, in whatever space; None where there is none."""
    whole = select(Clustering.id).where(Clustering.scope == "", may_open(viewer))
    there = session.scalar(whole.order_by(Clustering.id.desc()).limit(1))
    return None if there is None else clusterings.find(session, there)


def listed(session: Session, viewer: Viewer) -> list[Other]:
    """The newest clusterings, with how many clusters each has."""
    mine = select(Clustering).where(may_open(viewer))
    rows = session.scalars(mine.order_by(Clustering.id.desc()).limit(LISTED)).all()
    made = origins.of(session, rows)
    counts = select(Cluster.clustering_id, func.count(), func.count().filter(Cluster.stability < clusters.LOOSE))
    counts = counts.where(Cluster.clustering_id.in_([row.id for row in rows])).group_by(Cluster.clustering_id)
    by_id = {key: (many, loose) for key, many, loose in session.execute(counts)}
    return [Other(row, *by_id.get(row.id, (0, 0)), made[row.id]) for row in rows]


def cards_of(settings: Settings, viewer: Viewer, saved: Saved, shown: Sequence[Cluster]) -> list[Card]:
    """Cards of some clusters of ``saved``; without pictures where its file is gone."""
    keys: dict[int, list[int]] = {}
    if members.there(settings, saved.row.file):
        held = members.load(settings, saved.row.file)
        keys = {one.place: held.of(one.place)[: 2 * TYPICAL].tolist() for one in shown}
    with reading(settings) as session:
        images = pictures_of(session, viewer, [key for some in keys.values() for key in some])
        words = first_words(session, viewer, saved.row.id, {one.number for one in shown})
        phrases = first_phrases(session, viewer, saved.row.id)
    did = first_lines(cluster_performance.load(settings, saved.row.id)) if viewer.manages else {}
    said = {one.number: words.get(one.number) or nearest_named(one, saved.clusters, phrases) for one in shown}
    told = {one.number: (said[one.number], did.get(one.number, "")) for one in shown}
    return [_card(saved.row.id, one, keys.get(one.place, ()), images, told[one.number]) for one in shown]


def pictures_of(session: Session, viewer: Viewer, keys: Sequence[int]) -> dict[int, PageImage]:
    """The images of ``keys`` that ``viewer`` may see."""
    rows = session.scalars(select(Asset).where(Asset.id.in_(keys), may_explore(viewer)))
    return {asset.id: picture(asset) for asset in rows}


def _card(run: int, one: Cluster, keys: Sequence[int], images: Mapping[int, PageImage], told: tuple[str, str]) -> Card:
    shown = [images[key] for key in keys if key in images][:TYPICAL]
    return Card(run, one.number, one.size, one.name, is_loose(one), shown, *told)


def is_loose(one: Cluster) -> bool:
    """Whether other samples of the pool make another cluster of it."""
    return one.stability is not None and one.stability < clusters.LOOSE
