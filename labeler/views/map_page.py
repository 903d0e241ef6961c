"""The map of the pool as its page needs it, and the images behind its points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.explore import search
from attune.labeler.maps import layouts
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.queues import pinned
from attune.labeler.records.schema import Asset, Job, Layout
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views import map_wire
from attune.labeler.views.map_colours import Choice, choices
from attune.labeler.views.pictures import PageImage, picture
from attune.models.errors import DataError

MOST = pinned.MOST  # images in one selection, and so looked up at once
LIT_LEAST, LIT_SHARE = 50, 0.03  # of a search by text: so many light up, or this share of the pool
STALE = "The map has changed since you opened the page. Load the page again."


@dataclass(frozen=True)
class MapPage:
    """``digest`` names the state of the map, empty where there is none; ``waiting`` images have a vector and no place.

    ``focus``: the point of the image that was asked for, None where it is not on the map. ``picked``: images that were
    chosen before, each with its point. ``assets``: how many images the pool has.
    """

    digest: str
    images: int
    waiting: int
    assets: int
    made_at: datetime | None
    job: Job | None
    colours: Sequence[Choice]
    asked: str
    focus: int | None
    picked: Sequence[tuple[PageImage, int | None]]
    unread: str


def map_page(settings: Settings, viewer: Viewer, asset_id: str = "", picks: Sequence[str] = ()) -> MapPage:
    """The newest map of the encoder's own vectors."""
    with reading(settings) as session:
        row = layouts.latest(session)
        job = layouts.at_work(session)
        assets = session.scalar(select(func.count(Asset.id)).where(Asset.removed_at.is_(None))) or 0
        unread = search.why_unread(session)
        if row is None or row.file is None:
            return MapPage("", 0, 0, assets, None, job, (), asset_id, None, (), unread)
        here, waits = layouts.shown(settings, session, row), layouts.waiting(settings, session, row)
        return MapPage(
            row.file, here, waits, assets, row.made_at, job, choices(session, viewer),
            asset_id, _point(settings, session, viewer, row, asset_id),
            _picked(settings, session, viewer, row, picks), unread,
        )  # fmt: skip


def _point(settings: Settings, session: Session, viewer: Viewer, row: Layout, asset_id: str) -> int | None:
    if not asset_id:
        return None
    key = session.scalar(select(Asset.id).where(Asset.asset_id == asset_id, may_explore(viewer)))
    found = points(settings, row.file or "", [] if key is None else [key])
    return found[0] if found else None


def _picked(
    settings: Settings, session: Session, viewer: Viewer, row: Layout, picks: Sequence[str]
) -> list[tuple[PageImage, int | None]]:
    """The images that were chosen before, each with its point, None where it has none."""
    rows = session.scalars(select(Asset).where(Asset.asset_id.in_(picks), may_explore(viewer))) if picks else ()
    found = {one.asset_id: picture(one) for one in rows}
    place = _places(settings, row.file or "", [one.pk for one in found.values()])
    return [(found[name], place.get(found[name].pk)) for name in picks if name in found]


def points(settings: Settings, digest: str, keys: Sequence[int]) -> list[int]:
    """The points of assets' ``keys`` in their order, without those that are not on the map."""
    place = _places(settings, digest, keys)
    return [place[key] for key in keys if key in place]


def _places(settings: Settings, digest: str, keys: Sequence[int]) -> dict[int, int]:
    held = map_wire.keys_of(settings, digest)
    here = np.flatnonzero(np.isin(held, keys))
    return dict(zip(held[here].tolist(), here.tolist(), strict=True))


def images(settings: Settings, viewer: Viewer, digest: str, at: Sequence[int]) -> list[tuple[int, PageImage]]:
    """The points ``at`` with their images, in that order, without what was removed.

    Raises DataError for more than ``MOST``, for no such point, and where the map is another now.
    """
    if len(at) > MOST:
        raise DataError(f"{len(at)} images were asked for. At most {MOST} can be chosen at once.")
    with reading(settings) as session:
        keys = keys_of_state(settings, session, digest)
        if any(not 0 <= one < len(keys) for one in at):
            raise DataError(STALE)
        wanted = [int(keys[one]) for one in at]
        found = {
            one.id: picture(one)
            for one in session.scalars(select(Asset).where(Asset.id.in_(wanted), may_explore(viewer)))
        }
    return [(point, found[key]) for point, key in zip(at, wanted, strict=True) if key in found]


def keys_of_state(settings: Settings, session: Session, digest: str) -> map_wire.Keys:
    """The assets' keys by point. Raises DataError where no map has such a state any more."""
    try:
        return map_wire.keys_of(settings, digest)
    except DataError as error:
        known = session.scalar(select(Layout.id).where(Layout.file == digest))
        raise error if known is not None else DataError(STALE) from error


def lit(settings: Settings, viewer: Viewer, digest: str, hits: Sequence[str]) -> list[int]:
    """The points of the images that a search found, the nearest first: as many as stand out."""
    with reading(settings) as session:
        total = len(keys_of_state(settings, session, digest))
        names = list(hits)[: max(LIT_LEAST, int(LIT_SHARE * total))]
        rows = session.execute(select(Asset.asset_id, Asset.id).where(Asset.asset_id.in_(names), may_explore(viewer)))
        keys = {one.asset_id: one.id for one in rows}
    return points(settings, digest, [keys[name] for name in names if name in keys])
