"""The map of the pool as its page needs it, and the images behind its points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets.pool_size import pool_size
from attune.labeler.explore import search
from attune.labeler.maps import layouts
from attune.labeler.people.viewer import Viewer, check_space, may_explore
from attune.labeler.queues import pinned
from attune.labeler.records.schema import Asset, Job, Layout
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import origins, spaces
from attune.labeler.spaces.origins import Origin
from attune.labeler.spaces.spaces import FINAL
from attune.labeler.views import map_wire
from attune.labeler.views.explore_clusters import offered
from attune.labeler.views.map_colours import Choice, choices
from attune.labeler.views.pictures import PageImage, by_id, picture
from attune.models.errors import DataError
from attune.models.vectors.vector_store import VectorStore

MOST = pinned.MOST  # images in one selection, and so looked up at once
LIT_LEAST, LIT_SHARE = 50, 0.03  # of a search by text: so many light up, or this share of the pool
STALE = "The map has changed since you opened the page. Load the page again."


@dataclass(frozen=True)
class MapPage:
    """``digest`` names the state of the map, empty where there is none; ``waiting`` images have a vector and no place.

    ``focus``: the point of the image that was asked for, None where it is not on the map. ``picked``: images that were
    chosen before, each with its point, None where it has none. ``assets``: how many images the pool has. ``spaces``:
    those to choose from; ``unseen`` images have no vector in this one. ``failure``: why the last job failed.
    ``origin``: in which version the map was made.
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
    space: str = FINAL
    spaces: Sequence[str] = (FINAL,)
    unseen: int = 0
    failure: str = ""
    origin: Origin | None = None


def map_page(
    settings: Settings, viewer: Viewer, asset_id: str = "", picks: Sequence[str] = (), space: str = FINAL
) -> MapPage:
    """The newest map of ``space``; one of an older version of it where there is none of today's.

    Raises DataError for no such space, AccessError where the viewer may not see it.
    """
    check_space(viewer, spaces.check_name(space))
    choices_of_space = offered(settings, viewer)
    with reading(settings) as session:
        today = layouts.latest(session, space)
        row = today if today is not None and today.file is not None else layouts.newest(session, space)
        stored = spaces.stored_of(session, space)
        assets = pool_size(session)
        unseen = assets - (VectorStore(settings.vectors).count(stored) if stored else 0)
        found = MapPage(
            "", 0, 0, assets, None, layouts.at_work(session, space), (), asset_id, None,
            _picked(settings, session, viewer, row, picks), search.why_unread(session), space,
            choices_of_space if space in choices_of_space else [*choices_of_space, space], max(0, unseen),
            layouts.failure(session, space),
        )  # fmt: skip
        if row is None:
            return found
        return replace(
            found, digest=row.file or "", images=layouts.shown(settings, session, row),
            waiting=layouts.waiting(settings, session, row), made_at=row.made_at, colours=choices(session, viewer),
            focus=_point(settings, session, viewer, row, asset_id), origin=origins.of(session, [row])[row.id],
        )  # fmt: skip


def _point(settings: Settings, session: Session, viewer: Viewer, row: Layout, asset_id: str) -> int | None:
    if not asset_id:
        return None
    key = session.scalar(select(Asset.id).where(Asset.asset_id == asset_id, may_explore(viewer)))
    found = points(settings, row.file or "", [] if key is None else [key])
    return found[0] if found else None


def _picked(
    settings: Settings, session: Session, viewer: Viewer, row: Layout | None, picks: Sequence[str]
) -> list[tuple[PageImage, int | None]]:
    """The images that were chosen before, each with its point, None where it has none."""
    found = by_id(session, picks, may_explore(viewer))
    place = _places(settings, row.file or "", [one.pk for one in found.values()]) if row else {}
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
        keys = keys_of_state(settings, session, viewer, digest)
        if any(not 0 <= one < len(keys) for one in at):
            raise DataError(STALE)
        wanted = [int(keys[one]) for one in at]
        found = {
            one.id: picture(one)
            for one in session.scalars(select(Asset).where(Asset.id.in_(wanted), may_explore(viewer)))
        }
    return [(point, found[key]) for point, key in zip(at, wanted, strict=True) if key in found]


def keys_of_state(settings: Settings, session: Session, viewer: Viewer, digest: str) -> map_wire.Keys:
    """The assets' keys by point. Raises DataError where no map has such a state any more, AccessError for a map that
    the viewer may not see."""
    space = session.scalar(select(Layout.space).where(Layout.file == digest).limit(1))
    if space is not None:
        check_space(viewer, space)
    try:
        return map_wire.keys_of(settings, digest)
    except DataError as error:
        raise error if space is not None else DataError(STALE) from error


def lit(settings: Settings, viewer: Viewer, digest: str, hits: Sequence[str]) -> list[int]:
    """The points of the images that a search found, the nearest first: as many as stand out."""
    with reading(settings) as session:
        total = len(keys_of_state(settings, session, viewer, digest))
        names = list(hits)[: max(LIT_LEAST, int(LIT_SHARE * total))]
        rows = session.execute(select(Asset.asset_id, Asset.id).where(Asset.asset_id.in_(names), may_explore(viewer)))
        keys = {one.asset_id: one.id for one in rows}
    return points(settings, digest, [keys[name] for name in names if name in keys])
