"""The job `map`: lay out a map of a space, or put images that came later on the one that is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from attune.labeler.assets.active_pool import PoolView
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.maps import layouts, positions
from attune.labeler.records.schema import Layout
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import spaces
from attune.models.errors import EmptyPool
from attune.models.maps import layout as plane
from attune.models.vectors.pool import IntArray

AT_ONCE = 4_096  # vectors that are placed at once
SAVED_EVERY = 20 * AT_ONCE  # a killed job has at most so many to place again


def run(
    settings: Settings,
    report: Report = quiet,
    space: str = spaces.FINAL,
    seed: int = 0,
    anew: bool = False,
    who: str = "",
) -> dict[str, Any]:
    """Place what is not on the newest map of ``space``; without one, or ``anew``, lay one out first.

    Returns ``{"map", "images", "placed", "landmarks"}``. Raises EmptyPool, DataError for no such space, and of
    ``taste`` UnknownProbe without a version in use, EncoderMismatch.
    """
    with reading(settings) as session:
        view = spaces.open_space(settings, session, space)
        row = layouts.latest(session, space)
    if not (view.keys >= 0).any():
        raise EmptyPool(f"There are no images in the space {space}. To list the spaces: `attune spaces list`")
    # Of a map that was made, and killed before its first image was placed, the layout is there.
    if row is None or (anew and row.file is not None):
        row = _laid_out(settings, report, view, space, seed, who)
    waiting = _waiting(settings, row, view)
    total = plane.STEPS + -(-len(waiting) // AT_ONCE)
    landmarks = positions.load_landmarks(settings, row.landmarks_digest)
    images = row.images
    for begin in range(0, max(1, len(waiting)), SAVED_EVERY):
        part = waiting[begin : begin + SAVED_EVERY]
        places = np.empty((len(part), 2), dtype=np.uint16)
        for start in range(0, len(part), AT_ONCE):
            places[start : start + AT_ONCE] = landmarks.place(view.pool.rows(part[start : start + AT_ONCE]))
            report(plane.STEPS + (begin + start) // AT_ONCE + 1, total)
        images = layouts.add(settings, row.id, view.keys[part], places)
    return {"map": row.id, "images": images, "placed": len(waiting), "landmarks": row.landmarks}


def _laid_out(settings: Settings, report: Report, view: PoolView, space: str, seed: int, who: str) -> Layout:
    among: npt.NDArray[np.bool_] = view.keys >= 0
    total, done = plane.STEPS + -(-int(among.sum()) // AT_ONCE), 0
    report(0, total)

    def step() -> None:
        nonlocal done
        done += 1
        report(done, total)

    landmarks, _ = plane.make(view.pool, among, seed, step)
    kept = layouts.keep(settings, space, view.fingerprint, seed, landmarks, who)
    with reading(settings) as session:
        return session.get_one(Layout, kept)


def _waiting(settings: Settings, row: Layout, view: PoolView) -> IntArray:
    """The pool indices of what is not on the map."""
    there = np.flatnonzero(view.keys >= 0)
    held = positions.load(settings, row.file).keys if row.file else positions.NONE.keys
    return there[~np.isin(view.keys[there], held)].astype(np.intp)
