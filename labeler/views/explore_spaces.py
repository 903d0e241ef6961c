"""The spaces of the pool as a page shows them: what each sees, in pictures and in a sentence on its dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from attune.labeler.assets.active_encoder import active_fingerprint
from attune.labeler.assets.pool_size import pool_size
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.schema import Clustering
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import spaces
from attune.labeler.spaces.learned import TASTE
from attune.labeler.spaces.spaces import SpaceRow
from attune.labeler.views.explore_jobs import Progress, progress
from attune.labeler.views.pictures import PageImage, by_id
from attune.labeler.views.taste import Taste, taste

KIND = "layers"
FEW, MANY = 8, 20  # directions: below, a few clusters tell most of a pool; from the other on, there are no sharp ones


@dataclass(frozen=True)
class SpaceCard:
    """A space: ``strips`` of an image and the nearest to it; ``clustering`` is the newest of the whole pool in it."""

    row: SpaceRow
    title: str
    dimension: str
    strips: Sequence[Sequence[PageImage]]
    clustering: int | None
    outgrown: str


@dataclass(frozen=True)
class SpacesPage:
    """All spaces; ``layers`` says whether the encoder has any to compute, ``assets`` how many images the pool has.

    ``taste`` is for owners alone.
    """

    cards: Sequence[SpaceCard]
    job: Progress
    layers: bool
    assets: int
    taste: Taste | None = None


def spaces_page(settings: Settings, viewer: Viewer) -> SpacesPage:
    """The spaces that have vectors: `final`, layers from early to late, `colour`, and `taste` for owners."""
    rows = [row for row in spaces.listed(settings) if row.images and (viewer.manages or row.name != TASTE)]
    ids = {name for row in rows for strip in row.measures.get("nearest", ()) for name in strip}
    with reading(settings) as session:
        images = by_id(session, ids, may_explore(viewer))
        newest = select(Clustering.space, func.max(Clustering.id)).where(Clustering.scope == "")
        made = dict(session.execute(newest.group_by(Clustering.space)).all())
        there = pool_size(session)
        active = active_fingerprint(session)
        job = progress(session, (KIND,))
        learned = taste(session) if viewer.manages else None
    names = [row.name for row in rows]
    cards = [
        SpaceCard(row, title(row.name, names), dimension(row.measures.get("two_nn")), _strips(row, images),
                  made.get(row.name), outgrown(row))
        for row in rows
    ]  # fmt: skip
    return SpacesPage(cards, job, active is not None and not active.is_external, there, learned)


def title(name: str, layers: Sequence[str] = ()) -> str:
    """A space's name as a heading; ``layers`` that there are tell an early one from a late one."""
    index = spaces.layer_index(name)
    known = {spaces.FINAL: "Meaning", spaces.COLOUR: "Colours", TASTE: "Taste"}
    if index is None:
        return known.get(name, name)
    depth = spaces.depth(name, layers)
    return f"{depth.capitalize()} layer ({index})" if depth else f"Layer {index}"


def dimension(value: float | None) -> str:
    """What the intrinsic dimension means for clusters, as a sentence or two."""
    if value is None:
        return "How clearly images fall into clusters here is not known yet. It takes 100 images that differ."
    about = f"(Its images use about {value:.0f} directions.)"
    if value < FEW:
        return f"Images fall into clear clusters here. {about}"
    if value < MANY:
        return f"Clusters are useful here, but their borders are not sharp. {about}"
    return f"There are no sharp clusters here: each clustering is one of many possible ones. {about}"


def outgrown(row: SpaceRow) -> str:
    """That the space was fitted to a far smaller pool, and what to do; empty where it was not."""
    if not row.outgrown:
        return ""
    return (
        f"Fitted to {row.outgrown:,} images; the pool has more than twice as many now. To fit it to today's pool, as a "
        f"new version: `attune spaces layers {row.name} --refit`"
    )


def _strips(row: SpaceRow, images: dict[str, PageImage]) -> list[list[PageImage]]:
    strips = [[images[name] for name in strip if name in images] for strip in row.measures.get("nearest", ())]
    return [strip for strip in strips if len(strip) > 1]
