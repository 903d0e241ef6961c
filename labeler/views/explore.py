"""Explore: a search of the pool as a page shows it, with the images chosen so far, and whose queues they may go to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from attune.labeler.attributes import attributes
from attune.labeler.explore import clusters, search
from attune.labeler.explore.search import Query, SearchResult
from attune.labeler.explore.similar import SPACES, Similar, similar
from attune.labeler.jobs import jobs
from attune.labeler.people.viewer import Viewer, explores, may_explore
from attune.labeler.queues import queues
from attune.labeler.queues.asking import is_asking
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Asset, Attribute, Expert, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces.learned import TASTE
from attune.labeler.views import explore_clusters, gallery_filter
from attune.labeler.views.pictures import PageImage, found_pictures, in_order, picture
from attune.models.errors import CatalogError, DataError, EncoderError, NotPrepared, PoolError

PAGE = 48
NAMES_AT_ONCE = 10_000  # in one query: a cluster may hold a large part of the pool
TEXT, LIKE, IMAGE, CLUSTER = "text", "like", "image", "cluster"


@dataclass(frozen=True)
class Place:
    """Where in Explore one is: ``kind`` is empty (the whole pool), text, like, image or cluster, ``key`` which."""

    kind: str = ""
    key: str = ""

    @classmethod
    def parse(cls, text: str) -> Place:
        """From an address, such as ``like:poster-7``; anything else is the whole pool."""
        kind, _, key = text.partition(":")
        return cls(kind, key) if kind in {LIKE, IMAGE, CLUSTER} and key else cls(TEXT if kind == TEXT else "")

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}" if self.key else self.kind


@dataclass(frozen=True)
class ExploreRequest:
    """What a page of Explore was asked for, as its address says."""

    place: Place = field(default_factory=Place)
    text: str = ""
    title: str = ""
    column: str = ""
    value: str = ""
    page: int = 1
    picks: Sequence[str] = ()
    attribute: str = ""
    space: str = ""  # in which ``like`` is compared; empty: as a search does it
    other: str = ""  # a column: no image that shares a value with ``like``
    name_columns: Sequence[str] = ()  # in which ``title`` is looked for too: names of titles

    @property
    def why(self) -> str:
        """How the images were found, for the person who is asked about them."""
        sources = {
            TEXT: f"the text “{self.text}”",
            LIKE: f"similarity to {self.place.key}",
            IMAGE: "similarity to an uploaded image",
            CLUSTER: "browsing a cluster",
        }
        return sources.get(self.place.kind, "browsing the pool")

    def wanted(self) -> Query:
        """The search that the workers are asked for. Raises DataError for a text that is too long."""
        like = self.place.key if self.place.kind == LIKE else ""
        text = self.text if self.place.kind == TEXT else ""
        names = tuple(self.name_columns)
        return Query(
            text=text, like=like, title=self.title, column=self.column, value=self.value, name_columns=names
        )  # fmt: skip


@dataclass(frozen=True)
class Switch:
    """Beside images like one: the ``spaces`` that the viewer may choose, the ``columns`` for "of other …", and what was
    kept apart. ``why`` says why there is nothing, and what to do. ``older``: newer images are not compared yet."""

    spaces: Mapping[str, str]
    columns: Sequence[str]
    own: Sequence[PageImage] = ()
    twins: Sequence[PageImage] = ()
    why: str = ""
    older: bool = False


@dataclass(frozen=True)
class Explore:
    """One page of Explore; ``search`` says how far it is, None where nothing had to be ranked.

    ``unread`` says why search by text is off, empty where it is not.
    """

    asked: ExploreRequest
    pictures: Page[PageImage]
    search: SearchResult | None
    example: PageImage | None
    cluster: clusters.Part | None
    columns: Sequence[str]
    unread: str
    workers: bool
    pool: int = 0  # images that the search compared
    switch: Switch | None = None

    @property
    def elsewhere(self) -> list[str]:
        """Images chosen on other pages, which this page carries along."""
        here = {one.asset_id for one in self.pictures.items}
        return [name for name in self.asked.picks if name not in here]


@dataclass(frozen=True)
class Target:
    """An attribute that images may be sent to, and the experts (address, name) whose queue may be meant."""

    name: str
    question: str
    experts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Sending:
    """The last look before a selection goes into the queues."""

    pictures: Sequence[PageImage]
    targets: Sequence[Target]


def explore(settings: Settings, viewer: Viewer, request: ExploreRequest, patience_seconds: float = 0.0) -> Explore:
    """The page of ``request``; a search that is not done after ``patience_seconds`` comes without pictures.

    Raises UnknownAsset, DataError, ServiceDown.
    """
    search_now, part, members, order, found = None, None, None, None, Similar([], [], [], 0)
    with reading(settings) as session:
        unread = search.why_unread(session)
        names = name_columns(session, viewer, request.title)
    request = replace(request, name_columns=names)
    if request.place.kind == IMAGE:
        search_now = search.wait_for_result(settings, request.place.key, patience_seconds)
        if search_now is None:
            raise DataError("This search has expired. Upload the image again.")
    elif request.place.kind == LIKE and request.space:
        search_now, found = _similar(settings, request)
    elif request.wanted().ranks and not (unread and request.place.kind == TEXT):
        search_now = search.wait_for_result(settings, search.start(settings, request.wanted()), patience_seconds)
    elif request.place.kind == CLUSTER:
        part, members = _cluster(settings, viewer, request.place.key)
    if search_now is not None:
        order = [asset for asset, _ in search_now.hits]
    is_waiting = search_now is not None and search_now.waits
    with reading(settings) as session:
        if members is not None:
            images = _of_cluster(session, viewer, request, members)
        else:
            images = _pictures(session, viewer, request, order)
        example = _one(session, viewer, request.place.key) if request.place.kind == LIKE else None
        columns = search.columns_of(session) if viewer.manages else []
        pool = _compared(session, viewer, request) if search_now is not None else 0
        switch = _switch(session, viewer, columns, found, search_now) if request.place.kind == LIKE else None
    return Explore(
        request, images, search_now, example, part, columns, unread,
        not is_waiting or jobs.workers_alive(settings, "explore"), pool, switch,
    )  # fmt: skip


def name_columns(session: Session, viewer: Viewer, title: str) -> tuple[str, ...]:
    """The columns in which a filter by ``title`` looks for names too: none for experts, who read no column of the
    table."""
    return search.name_columns(session, title) if viewer.manages else ()


def _similar(settings: Settings, request: ExploreRequest) -> tuple[SearchResult, Similar]:
    """What is similar in the space that was asked for, as the result of a search; its error where there is none."""
    try:
        found = similar(settings, request.place.key, request.space, request.other, patient=False)
    except (CatalogError, PoolError, EncoderError, DataError) as error:
        state = "queued" if isinstance(error, NotPrepared) else "done"
        return SearchResult("", state, [], str(error)), Similar([], [], [], 0)
    return SearchResult("", "done", list(found.hits)), found


def _switch(
    session: Session, viewer: Viewer, columns: Sequence[str], found: Similar, result: SearchResult | None
) -> Switch:
    spaces = {name: words for name, words in SPACES.items() if viewer.manages or name != TASTE}
    visible = select(Asset.asset_id).where(Asset.asset_id.in_([*found.own, *found.twins]), may_explore(viewer))
    there = set(session.scalars(visible))
    own, twins = ([name for name in names if name in there] for names in (found.own, found.twins))
    why = result.error if result is not None and result.state == "done" else ""
    return Switch(spaces, columns, in_order(session, own), in_order(session, twins), why, found.older)


def _cluster(settings: Settings, viewer: Viewer, key: str) -> tuple[clusters.Part, npt.NDArray[np.int64]]:
    run, _, number = key.rpartition(":")  # of the newest clusters where no clustering is named
    if not all(part.isdecimal() and len(part) <= 9 for part in (run or "1", number)):
        raise DataError(f"Cluster {key[:60]!r} does not exist. The page Clusters lists all clusters.")
    if run:
        with reading(settings) as session:
            explore_clusters.found(session, viewer, int(run))
    return clusters.part(settings, int(number), int(run) if run else None)


def _of_cluster(
    session: Session, viewer: Viewer, request: ExploreRequest, keys: npt.NDArray[np.int64]
) -> Page[PageImage]:
    """One page of the images ``keys`` (n,), in their order: a cluster may hold a large part of the pool, so only the
    rows that are shown are read."""
    ascending = np.sort(keys)
    there = gallery_filter.there(session, request.wanted(), ascending)
    visible = keys[there[np.searchsorted(ascending, keys)]] if explores(viewer) else keys[:0]
    number = max(1, min(request.page, -(-len(visible) // PAGE) or 1))
    here = visible[(number - 1) * PAGE : number * PAGE].tolist()
    images = explore_clusters.pictures_of(session, viewer, here)
    return Page([images[key] for key in here if key in images], number, PAGE, len(visible))


def _pictures(
    session: Session, viewer: Viewer, request: ExploreRequest, order: Sequence[str] | None
) -> Page[PageImage]:
    """One page of the images in ``order``, or of the filtered pool by id; none that the viewer may not see."""
    condition = may_explore(viewer) & search.allowed_by(request.wanted())
    if order is None:
        if search.parts(request.wanted()):
            return found_pictures(session, condition, request.page, PAGE)
        query = select(Asset).where(condition).order_by(Asset.asset_id)
        return page_of(session, query, request.page, PAGE).map(picture)
    # Asked in one condition, SQLite goes by the index of removals, through the whole pool.
    named = aliased(Asset)
    wanted = select(named.asset_id).where(select(Asset.id).where(Asset.id == named.id, condition).exists())
    there = {
        name
        for start in range(0, len(order), NAMES_AT_ONCE)
        for name in session.scalars(wanted.where(named.asset_id.in_(order[start : start + NAMES_AT_ONCE])))
    }
    visible = [name for name in order if name in there]
    number = max(1, min(request.page, -(-len(visible) // PAGE) or 1))
    here = visible[(number - 1) * PAGE : number * PAGE]
    return Page(in_order(session, here), number, PAGE, len(visible))


def _compared(session: Session, viewer: Viewer, request: ExploreRequest) -> int:
    condition = may_explore(viewer) & search.allowed_by(request.wanted())
    return session.scalar(select(func.count(Asset.id)).where(condition)) or 0


def _one(session: Session, viewer: Viewer, asset_id: str) -> PageImage | None:
    found = session.scalar(select(Asset).where(Asset.asset_id == asset_id, may_explore(viewer)))
    return picture(found) if found else None


def sending(settings: Settings, viewer: Viewer, picks: Sequence[str]) -> Sending:
    """The chosen images, and where ``viewer`` may send them: a manager to anyone, an expert to their own queue."""
    with reading(settings) as session:
        images = in_order(session, picks, may_explore(viewer))
        targets = [_target(session, viewer, one) for one in attributes.every(session)]
    return Sending(images, [one for one in targets if one.experts])


def _target(session: Session, viewer: Viewer, attribute: Attribute) -> Target:
    mine = (Queue.attribute_id == attribute.id) & is_asking()
    having = select(Expert).join(Queue, Queue.expert_id == Expert.id).where(mine, Expert.removed_at.is_(None))
    people = [*session.scalars(having.order_by(Expert.name)), *queues.experts_without_queue(session, attribute)]
    if not viewer.manages:
        people = [one for one in people if one.id == viewer.expert_id]
    return Target(attribute.name, attribute.question, [(one.email, one.name) for one in people])
