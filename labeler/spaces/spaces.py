"""The spaces of the active encoder: their names, what makes their vectors, and what is known of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets.active_encoder import active_encoder, active_fingerprint
from attune.labeler.assets.active_pool import PoolView, open_pool, view_of
from attune.labeler.records.schema import Space
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, taste_space, towers
from attune.labeler.spaces.learned import TASTE
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError, EmptyPool
from attune.models.similarity.projected_pool import version_of
from attune.models.vectors.vector_store import VectorStore

STRIPS, STRIP = 3, 5  # images that show what a space sees, and how many of the nearest beside each
SPREAD = 2_654_435_761  # keys times this, modulo 2^32: an order that has nothing to do with when an image came (Knuth)
FITTED = "fitted_on"
LEAST_LAYERS = 3  # of which the first is called early and the last late
OUTGROWN = 2  # times as many images as the components come from: they may miss what came since
FINAL, COLOUR, LAYER = "final", "colour", "layer:"
NAME = re.compile(r"final|colour|taste|layer:(0|[1-9][0-9]{0,3})")
GOOD_FOR = {
    FINAL: "Meaning: people, objects, genre, mood.",
    COLOUR: "Palettes: images of the same colours.",
    LAYER: "Early layers: colour, edges, texture. Late layers: objects.",
    "early": "Light and colour, edges, texture.",
    "middle": "Between the two: patterns, and parts of things.",
    "late": "What is in the picture, hardly its colours.",
    TASTE: "Taste: what a column of the asset table taught it, such as genre, together with looks.",
}


@dataclass(frozen=True)
class SpaceRow:
    """A space in a list: how many assets have a vector in it, its ``measures``, the ``version`` of a learned one."""

    name: str
    digest: str
    dimension: int
    images: int
    good_for: str
    measures: Mapping[str, Any]
    added_at: datetime | None = None
    version: int | None = None

    @property
    def outgrown(self) -> int:
        """How many images its components come from, where the pool is far larger now; else 0."""
        fitted = int(self.measures.get(FITTED, 0))
        return fitted if 0 < OUTGROWN * fitted <= self.images else 0


def check_name(name: str) -> str:
    """``name`` where it names a space. Raises DataError."""
    if not NAME.fullmatch(name):
        raise DataError(
            f"{name[:60]!r} is not a space. Use final, colour, taste, or a layer of the encoder, such as layer:4. To "
            "list the spaces: `attune spaces list`"
        )
    return name


def layer_index(name: str) -> int | None:
    """Which layer ``layer:4`` names; None for another space."""
    return int(name.removeprefix(LAYER)) if name.startswith(LAYER) else None


def check_computed(name: str) -> str:
    """``name`` where images are read to compute the space. Raises DataError."""
    if check_name(name) == TASTE:
        raise DataError(f"The space taste is learned, not computed. {learned.HOW}")
    return name


def fingerprint_of(session: Session, name: str) -> Fingerprint | None:
    """What makes the vectors of a space of the active encoder; None where they were never computed.

    Of ``taste`` those of the version in use.
    """
    active = active_fingerprint(session)
    if check_name(name) == FINAL:
        return active
    if name == TASTE:
        champion = taste_space.champion(session)
        return None if champion is None else taste_space.fingerprint_of(champion)
    base = None if name == COLOUR else active.digest if active else ""
    row = session.scalar(
        select(Space).where(Space.name == name, Space.base_digest == base).order_by(Space.id.desc()).limit(1)
    )
    return Fingerprint.from_dict(row.fingerprint) if row else None


def open_space(settings: Settings, session: Session, name: str) -> PoolView:
    """The pool as the space ``name`` sees it. Raises DataError for no such space, EmptyPool without vectors in it; of
    ``taste`` UnknownProbe without a version in use, EncoderMismatch."""
    if check_name(name) == FINAL:
        return open_pool(settings, session)
    if name == TASTE:
        return taste_space.open_champion(settings, session)
    fingerprint = fingerprint_of(session, name)
    view = view_of(settings, session, fingerprint) if fingerprint else None
    if view is None or not len(view.pool):
        raise EmptyPool(f"No image has a vector in the space {name} yet. Compute them: `attune spaces layers {name}`")
    return view


def stored_of(session: Session, name: str) -> Fingerprint | None:
    """What makes the vectors that are stored for a space: of ``taste`` those that it projects."""
    if check_name(name) != TASTE:
        return fingerprint_of(session, name)
    row = taste_space.champion(session)
    return None if row is None else towers.vectors_of(learned.load(row)[1])


def listed(settings: Settings) -> list[SpaceRow]:
    """The spaces of the active encoder that have vectors: `final`, its layers from early to late, `colour`, `taste`."""
    store = VectorStore(settings.vectors)
    with reading(settings) as session:
        encoder = active_encoder(session)
        rows = {row.digest: (row.measures, row.added_at) for row in session.scalars(select(Space))}
        wanted = Space.base_digest.is_(None) | (Space.base_digest == (encoder.digest if encoder else ""))
        there = {*session.scalars(select(Space.name).where(wanted)), TASTE} - {FINAL}
        names = [FINAL, *sorted(there, key=_order)]
        made = [(name, fingerprint_of(session, name), stored_of(session, name)) for name in names]
        champion = taste_space.champion(session)
    if encoder is not None:
        rows[encoder.digest] = (rows.get(encoder.digest, ({}, None))[0], encoder.added_at)
    if champion is not None:
        digest, known = taste_space.fingerprint_of(champion).digest, champion.manifest.get("intrinsic_dimension")
        measured = {} if known is None else {"two_nn": known}
        rows[digest] = (rows.get(digest, (measured, None))[0], champion.created_at)
    found = []
    for name, one, stored in made:
        if one is not None and stored is not None:
            measures, at = rows.get(one.digest, ({}, None))
            images, words = store.count(stored), good_for(name, names)
            found.append(SpaceRow(name, one.digest, one.dimension, images, words, measures, at, version_of(one)))
    return found


def good_for(name: str, names: Sequence[str] = ()) -> str:
    """What a space is good for, in words; ``names`` of all spaces tell an early layer from a late one."""
    return GOOD_FOR[depth(name, names) or (LAYER if name.startswith(LAYER) else name)]


def depth(name: str, names: Sequence[str]) -> str:
    """Whether the layer ``name`` is early, middle or late among the layers of ``names``; empty for another space, and
    where there are too few layers to tell."""
    known = sorted(index for one in names if (index := layer_index(one)) is not None)
    index = layer_index(name)
    if index not in known or len(known) < LEAST_LAYERS:
        return ""
    return "early" if index == known[0] else "late" if index == known[-1] else "middle"


def layers(session: Session) -> Sequence[str]:
    """The names of the active encoder's layers that were computed."""
    encoder = active_encoder(session)
    base = encoder.digest if encoder else ""
    return session.scalars(select(Space.name).where(Space.name.startswith(LAYER), Space.base_digest == base)).all()


def _order(name: str) -> tuple[int, int]:
    return (COLOUR, TASTE).index(name) + 1 if name in (COLOUR, TASTE) else 0, layer_index(name) or 0


def record(
    settings: Settings,
    name: str,
    fingerprint: Fingerprint,
    base: Fingerprint | None,
    measures: Mapping[str, Any] = {},
    fitted_on: int | None = None,
) -> None:
    """Write a space down, with what was measured of it; once more changes the measures alone.

    ``fitted_on``: how many images the pool had when the space's components were found; the first word counts.
    """
    with writing(settings) as session:
        row = session.scalar(select(Space).where(Space.digest == fingerprint.digest))
        if row is None:
            row = Space(name=name, digest=fingerprint.digest, fingerprint=fingerprint.to_dict(), added_at=now())
            row.base_digest = base.digest if base else None
            row.measures = {} if fitted_on is None else {FITTED: fitted_on}
            session.add(row)
        if measures:
            held = row.measures or {}
            row.measures = dict(measures) | ({FITTED: held[FITTED]} if FITTED in held else {})


def measure(settings: Settings, name: str, view: PoolView) -> None:
    """Estimate the intrinsic dimension of a space, and find what is near some images there, for a page to show.

    Not again while both are known for nearly as many assets.
    """
    from attune.models.spaces.intrinsic_dimension import SAMPLE, estimate

    there = np.flatnonzero(view.keys >= 0)
    with reading(settings) as session:
        row = session.scalar(select(Space).where(Space.digest == view.fingerprint.digest))
        base = active_fingerprint(session)
    known = row.measures.get("of", 0) if row and "nearest" in row.measures else 0
    if known >= 0.9 * len(there) > 0:
        return
    drawn = np.random.default_rng(len(there)).choice(there, min(SAMPLE, len(there)), replace=False)
    found = estimate(view.pool.rows(np.sort(drawn))).to_dict() | {"of": len(there), "nearest": _strips(view, there)}
    record(settings, name, view.fingerprint, None if name == COLOUR else base, found)


def _strips(view: PoolView, there: npt.NDArray[np.intp]) -> list[list[str]]:
    """The ids of a few images, each followed by the nearest in this space: the same images in every space."""
    from attune.models.vectors.neighbours import nearest  # here: it loads scikit-learn, which --help need not

    spread = (view.keys[there].astype(np.uint64) * np.uint64(SPREAD)) % np.uint64(2**32)
    shown = there[np.argsort(spread, kind="stable")[:STRIPS]]
    among = np.asarray(view.keys >= 0, dtype=np.bool_)
    strips = []
    for row, vector in zip(shown, view.pool.rows(shown), strict=True):
        index, _ = nearest(view.pool, vector, STRIP + 1, among)
        others = [place for place in index.tolist() if place != row][:STRIP]
        strips.append(view.pool.asset_ids[[int(row), *others]].tolist())
    return strips
