"""The spaces of the pool and its clusters, as the API answers them: for owners and admins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypedDict

from flask import Response, jsonify
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.explore.clusters import names_of
from attune.labeler.records.paging import page_of
from attune.labeler.records.schema import Cluster, Clustering
from attune.labeler.records.session import reading
from attune.labeler.spaces import clusterings, members, origins, spaces
from attune.labeler.spaces.clusterings import Saved
from attune.labeler.spaces.description_words import lift, sentence
from attune.labeler.spaces.origins import Origin
from attune.labeler.views.cluster_described import readable
from attune.labeler.views.explore_clusters import is_loose
from attune.labeler.web import auth
from attune.labeler.web.api.cluster_performed import PerformedOut, performed
from attune.labeler.web.api.described import PAGES, error, json_answer
from attune.labeler.web.api.routes import get
from attune.models.clock import iso

FOR = "For owners and admins."
_GONE = {404: error("The clustering or the cluster does not exist."), 422: error("A number or the page is not valid.")}


class SpaceOut(TypedDict):
    """A way of seeing the pool."""

    space: Annotated[str, "final, colour, taste or layer:N."]
    version: Annotated[int | None, "Of taste, the one in use; null of the others."]
    good_for: str
    images: Annotated[int, "Images that have a vector in it."]
    dimension: Annotated[int, "Numbers in a vector."]
    intrinsic_dimension: Annotated[float | None, "By TwoNN; null where it is not measured."]
    digest: Annotated[str, "Of the fingerprint: another one is another version of the space."]
    computed_at: datetime | None


class Spaces(TypedDict):
    """All spaces that have vectors."""

    spaces: list[SpaceOut]


class ClusteringOut(TypedDict):
    """One making of clusters."""

    clustering: Annotated[int, "Its number, RUN in commands."]
    space: str
    space_version: Annotated[int | None, "Of taste, the one that it was made in; null of other spaces."]
    space_digest: str
    older: Annotated[bool, "Whether the vectors of the space are made in another way now."]
    within: Annotated[str, "RUN:N for sub-clusters, else empty."]
    clusters: int
    images: int
    seed: int
    made_by: str
    made_at: datetime
    described_at: datetime | None


class Clusterings(TypedDict):
    """A page of clusterings."""

    clusterings: list[ClusteringOut]
    page: int
    pages: int
    total: int


class Told(TypedDict):
    """One thing that a cluster's images have in common."""

    kind: Annotated[str, "audit, answers, column, probe or phrase."]
    name: Annotated[str, "The attribute or the column."]
    value: Annotated[str, "The class, the value or the phrase."]
    share: float | None
    lo: Annotated[float | None, "Of the share, 95 %."]
    hi: float | None
    rest: Annotated[float | None, "The share in all other clusters."]
    lift: float | None
    q: Annotated[float | None, "False discovery rate over all clusters; null where nothing was tested."]
    n: int
    titles: int
    sentence: str


class ClusterOut(TypedDict):
    """A cluster of a clustering."""

    number: int
    name: str
    note: str
    size: int
    stability: float | None
    loose: bool
    nearest: list[int]
    descriptions: Annotated[list[Told], "Without those of attributes that the caller labels."]


class ClusteringWhole(ClusteringOut):
    """A clustering with its clusters, the largest first."""

    changes: Annotated[dict[str, Any], "What became of the clusters before: born, died, split, merged, lost."]
    parts: list[ClusterOut]


class Member(TypedDict):
    """An image of a cluster."""

    asset_id: str
    cosine: Annotated[float, "To the cluster's centre."]


class ClusterWhole(ClusterOut):
    """A cluster with a page of its images, the most typical first."""

    clustering: int
    performance: list[PerformedOut]
    assets: list[Member]
    page: int
    pages: int
    total: int


@get("/spaces", "List the spaces", {200: json_answer("The spaces that have vectors.", Spaces)}, about=FOR)
def list_spaces() -> Response:
    """`final`, layers from early to late, `colour`, `taste`."""
    rows = [
        SpaceOut(
            space=one.name, version=one.version, good_for=one.good_for, images=one.images, dimension=one.dimension,
            intrinsic_dimension=one.measures.get("two_nn"), digest=one.digest, computed_at=_time(one.added_at),
        )
        for one in spaces.listed(auth.settings())
    ]  # fmt: skip
    return jsonify(Spaces(spaces=rows))


@get(
    "/clusters",
    "List the clusterings",
    {200: json_answer("One page, the newest first.", Clusterings), 422: error("The page number is not valid.")},
    query=PAGES,
    about=FOR,
)
def list_clusterings(page: int, size: int) -> Response:
    """Every saved clustering."""
    with reading(auth.settings()) as session:
        shown = page_of(session, select(Clustering).order_by(Clustering.id.desc()), page, size)
        made = origins.of(session, shown.items)
        rows = [_clustering(clusterings.find(session, row.id), made[row.id]) for row in shown.items]
    return jsonify(Clusterings(clusterings=rows, page=shown.number, pages=shown.pages, total=shown.total))


@get(
    "/clusters/<run>",
    "Get a clustering",
    {200: json_answer("The clustering with its clusters.", ClusteringWhole)} | _GONE,
    about=FOR,
)
def clustering(run: str) -> Response:
    """A clustering with what is said of each cluster."""
    with reading(auth.settings()) as session:
        saved = _found(session, run)
        told = readable(session, auth.viewer(), saved.row.id)[0]
        origin = origins.of(session, [saved.row])[saved.row.id]
    parts = [_cluster(one, [row for row in told if row.number == one.number]) for one in saved.clusters]
    return jsonify(ClusteringWhole(**_clustering(saved, origin), changes=saved.row.changes, parts=parts))


@get(
    "/clusters/<run>/<number>",
    "Get a cluster and its images",
    {200: json_answer("The cluster with a page of its images, the most typical first.", ClusterWhole)} | _GONE,
    query=PAGES,
    about=FOR,
)
def cluster(run: str, number: str, page: int, size: int) -> Response:
    """A cluster with its images; those that were removed since are left out."""
    settings = auth.settings()
    with reading(settings) as session:
        saved = _found(session, run)
        one = saved.cluster(_number(number))
        told = readable(session, auth.viewer(), saved.row.id, one.number)[0]
        held = members.load(settings, saved.row.file)
        rows = held.rows(one.place)
        names = names_of(session, held.keys[rows].tolist())
    there = [row for row in rows.tolist() if int(held.keys[row]) in names]
    pages = -(-len(there) // size) or 1
    page = min(page, pages)
    shown = there[(page - 1) * size : page * size]
    assets = [Member(asset_id=names[int(held.keys[row])], cosine=round(float(held.cosines[row]), 4)) for row in shown]
    whole = ClusterWhole(
        **_cluster(one, told),
        clustering=saved.row.id,
        performance=performed(settings, saved.row.id, one.number),
        assets=assets,
        page=page,
        pages=pages,
        total=len(there),
    )
    return jsonify(whole)


def _found(session: Session, run: str) -> Saved:
    return clusterings.find(session, _number(run))


def _number(text: str) -> int:
    """The number in an address; 0, which nothing has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0


def _time(at: datetime | None) -> Any:
    return iso(at) if at else None


def _clustering(saved: Saved, origin: Origin) -> ClusteringOut:
    row = saved.row
    return ClusteringOut(
        clustering=row.id, space=row.space, space_version=origin.version, space_digest=row.space_digest,
        older=origin.older,
        within=f"{row.within_id}:{row.within_number}" if row.within_id else "", clusters=len(saved.clusters),
        images=row.assets, seed=row.seed, made_by=row.made_by, made_at=_time(row.made_at),
        described_at=_time(row.described_at),
    )  # fmt: skip


def _cluster(one: Cluster, told: Sequence[Any]) -> ClusterOut:
    said = [
        Told(
            kind=row.kind, name=row.name, value=row.value, share=row.share, lo=row.lo, hi=row.hi, rest=row.rest,
            lift=lift(row), q=row.q, n=row.n, titles=row.titles, sentence=sentence(row),
        )
        for row in told
    ]  # fmt: skip
    return ClusterOut(
        number=one.number, name=one.name, note=one.note, size=one.size, stability=one.stability, loose=is_loose(one),
        nearest=list(one.near), descriptions=said,
    )  # fmt: skip
