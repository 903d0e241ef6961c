"""What a cluster's images have in common, as an owner reads it.

Nobody reads what a model or other people say of a question that they label, and experts read none of it: they should
answer without. So an owner who labels an attribute does not read it here, either.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.people import visible_runs
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Attribute, Clustering, Description
from attune.labeler.spaces import descriptions
from attune.labeler.spaces.description_words import figures, in_order, sentence
from attune.labeler.spaces.descriptions import Basis
from attune.labeler.spaces.traits import PHRASE
from attune.labeler.views.explore_jobs import Progress, progress


@dataclass(frozen=True)
class Said:
    """One sentence, and the figures behind it."""

    sentence: str
    figures: str


@dataclass(frozen=True)
class Described:
    """What is said of a cluster as of ``at`` (None: not described yet); ``stale``: answers or champions changed since.

    ``words``: phrases that suit it, or ``no_words`` says why there are none. ``held_back``: attributes that the viewer
    labels, of which nothing is said.
    """

    at: datetime | None
    stale: bool
    words: Sequence[str]
    said: Sequence[Said]
    held_back: Sequence[str]
    no_words: str
    tests: int
    job: Progress


def described(session: Session, viewer: Viewer, row: Clustering, number: int) -> Described | None:
    """What is said of cluster ``number``; None for a viewer who may not read any of it."""
    if not viewer.manages:
        return None
    found, held_back = readable(session, viewer, row.id, number)
    basis = Basis.of(row)
    stale = row.described_at is not None and descriptions.is_stale(basis, *descriptions.today(session))
    words = [one.value for one in found if one.kind == PHRASE]
    said = [Said(sentence(one), figures(one)) for one in found if one.kind != PHRASE]
    why = "" if words else basis.no_phrases or "No words: none suits this cluster clearly more often than the others."
    job = progress(session, (descriptions.KIND,))
    return Described(row.described_at, stale, words, said, held_back, why, basis.tests, job)


def readable(
    session: Session, viewer: Viewer, clustering: int, number: int | None = None
) -> tuple[list[Description], list[str]]:
    """The descriptions that ``viewer`` may read, in their order, and the attributes of which some are held back."""
    if not viewer.manages:
        return [], []
    found = in_order(descriptions.of_clustering(session, clustering, number))
    of_attributes = {one.attribute_id for one in found if one.attribute_id is not None}
    own = visible_runs.labelled(session, list(of_attributes), viewer)
    names = session.scalars(select(Attribute.name).where(Attribute.id.in_(own)).order_by(Attribute.name))
    return [one for one in found if one.attribute_id not in own], list(names)


def first_words(session: Session, viewer: Viewer, clustering: int, numbers: Collection[int]) -> dict[int, str]:
    """Of each cluster of ``numbers`` its words, or else the first thing that is said of it."""
    told: dict[int, str] = {}
    for one in readable(session, viewer, clustering)[0]:
        if one.number in numbers:
            told.setdefault(one.number, one.value if one.kind == PHRASE else sentence(one))
    return told


def first_phrases(session: Session, viewer: Viewer, clustering: int) -> dict[int, str]:
    """Of each cluster that has any the first of its words, by its number."""
    found = readable(session, viewer, clustering)[0]
    return {one.number: one.value for one in reversed(found) if one.kind == PHRASE}
