"""Saved maps: find the one of a space, keep a new one, and add images to it without moving any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.jobs import failures
from attune.labeler.maps import positions
from attune.labeler.records.schema import Asset, Job, Layout
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import spaces
from attune.labeler.spaces.spaces import FINAL
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError
from attune.models.maps.placing import Landmarks, Places
from attune.models.similarity.projected_pool import version_of
from attune.models.vectors.vector_store import VectorStore

KIND = "map"  # of the job


def latest(session: Session, space: str = FINAL) -> Layout | None:
    """The newest map of a space, as its vectors are made today; None where there is none.

    Raises DataError for no such space.
    """
    fingerprint = spaces.fingerprint_of(session, space)
    if fingerprint is None:
        return None
    mine = (Layout.space == space, Layout.space_digest == fingerprint.digest)
    return session.scalar(select(Layout).where(*mine).order_by(Layout.id.desc()).limit(1))


def newest(session: Session, space: str = FINAL) -> Layout | None:
    """The newest map of a space whose images are placed, also of vectors that are made in another way today."""
    placed = select(Layout).where(Layout.space == space, Layout.file.is_not(None))
    return session.scalar(placed.order_by(Layout.id.desc()).limit(1))


def needed(session: Session, space: str = FINAL) -> Layout:
    """The newest map of a space, with its images placed. Raises DataError where there is none."""
    found = latest(session, space)
    if found is None or found.file is None:
        raise DataError(f"There is no map of the space {space} yet. Make it: `attune map make --space {space}`")
    return found


def listed(session: Session) -> Sequence[Layout]:
    """All maps, the newest first."""
    return session.scalars(select(Layout).order_by(Layout.id.desc())).all()


def at_work(session: Session, space: str = FINAL) -> Job | None:
    """The job that makes or fills the map of a space, if one waits or runs."""
    return _newest_job(session, space, ("queued", "running"))


def failure(session: Session, space: str = FINAL) -> str:
    """Why the newest job of a space's map failed, as a page shows it; empty where it did not."""
    last = _newest_job(session, space, ("done", "failed", "lost"))
    return failures.shown(last.id, last.error) if last is not None and last.state != "done" else ""


def failed_since(session: Session, space: str, moment: datetime) -> bool:
    """Whether the newest job of a space's map has failed, after ``moment``."""
    last = _newest_job(session, space, ("done", "failed", "lost"))
    return last is not None and last.state != "done" and last.created_at > moment


def _newest_job(session: Session, space: str, states: Sequence[str]) -> Job | None:
    mine = (Job.kind == KIND, Job.state.in_(states), func.coalesce(Job.arguments["space"].as_string(), FINAL) == space)
    return session.scalar(select(Job).where(*mine).order_by(Job.created_at.desc()).limit(1))


def shown(settings: Settings, session: Session, layout: Layout) -> int:
    """How many images the map shows: those that have a place, without the removed ones."""
    held = _placed(settings, layout)
    removed = np.fromiter(session.scalars(select(Asset.id).where(Asset.removed_at.is_not(None))), dtype=np.int64)
    return len(held) - int(np.isin(removed, held).sum())


def waiting(settings: Settings, session: Session, layout: Layout) -> int:
    """How many images have a vector in the map's space, and no place on the map yet, whenever they came.

    An image without a vector waits for that first. A map of vectors that are made in another way today waits for none.
    """
    made, stored = (find(session, layout.space) for find in (spaces.fingerprint_of, spaces.stored_of))
    if made is None or stored is None or made.digest != layout.space_digest:
        return 0
    store = VectorStore(settings.vectors)
    if store.count(stored) <= shown(settings, session, layout):  # who has a place has a vector: nobody else has one
        return 0
    rows = session.execute(select(Asset.id, Asset.asset_id).where(Asset.removed_at.is_(None)).order_by(Asset.id)).all()
    keys = np.fromiter((row.id for row in rows), dtype=np.int64, count=len(rows))
    without = np.flatnonzero(~np.isin(keys, _placed(settings, layout)))
    names = [rows[place].asset_id for place in without.tolist()]
    return len(names) - len(store.missing(stored, names))


def _placed(settings: Settings, layout: Layout) -> npt.NDArray[np.int64]:
    return positions.load(settings, layout.file).keys if layout.file else positions.NONE.keys


def keep(settings: Settings, space: str, made: Fingerprint, seed: int, landmarks: Landmarks, who: str = "") -> int:
    """Save a new map, of the vectors that ``made`` says, with its landmarks alone; its id.

    A killed job can go on from here.
    """
    digest = positions.save_landmarks(settings, landmarks)
    with writing(settings) as session:
        row = Layout(
            space=space, space_digest=made.digest, space_version=version_of(made), seed=seed,
            landmarks=len(landmarks.positions), landmarks_digest=digest, made_by=who, made_at=now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


def add(settings: Settings, layout_id: int, keys: npt.NDArray[np.int64], places: Places) -> int:
    """Put images on a map; how many it has now. One that is on it already stays where it is.

    Two jobs that add at once lose nothing: the file is read again under the lock of the records.
    """
    with writing(settings) as session:
        row = session.get_one(Layout, layout_id, with_for_update=True)
        held = positions.load(settings, row.file) if row.file else positions.NONE
        joined = held.with_others(keys, places)
        row.file, row.images = positions.save(settings, joined), len(joined.keys)
        row.placed_at = now()
        named = [one for one in session.scalars(select(Layout.file)) if one]
    positions.forget(settings, named)
    return len(joined.keys)
