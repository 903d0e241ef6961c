"""An expert's own answers, newest first, each with why the image was asked: told after the answer, never before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from attune.labeler.answers import counting, first_answers, held_answers
from attune.labeler.labelling import corrections
from attune.labeler.people.viewer import Viewer, may_see, waiting
from attune.labeler.records.paging import Page
from attune.labeler.records.schema import Annotation, Asset, Expert, Task
from attune.labeler.views import gallery_filter
from attune.labeler.views.pictures import PageImage, picture
from attune.models.clock import now
from attune.models.labels.answers import AUDIT

T = TypeVar("T")

# Audit and spread share one sentence, true of both: an expert who recognised audits might answer them differently.
COVERS = "It helps to cover the whole pool, not only difficult or likely images."
NEUTRAL = frozenset({AUDIT, "spread"})
# A reason may tell what the probe says: nobody reads it while a correction still counts as the first answer.
LATER = "You can read why after your next answer, or after two minutes."


@dataclass(frozen=True)
class GivenAnswer:
    """One answer that was given; ``correctable`` by the viewer."""

    annotation: int
    picture: PageImage
    value: str
    expert: str
    answered_at: datetime
    reason: str
    correctable: bool


def reason_of(task: Task | None, purpose: str = "") -> str:
    """Why an image was asked, in words that never show that it was an audit."""
    if task is None and purpose == "seed":
        return "It was on a page of images."
    if task is None:
        return "The answer was imported."
    return COVERS if task.purpose in NEUTRAL else task.reason


def recent(
    session: Session, viewer: Viewer, attribute_id: int, page: int = 1, size: int = 12, expert: int | None = None
) -> Page[GivenAnswer]:
    """The viewer's own answers on an attribute; for those who manage it everyone's, less those on images that wait in
    a queue of their own. ``expert``: the answers of this one alone."""
    table = held_answers.of(session, attribute_id)
    own = table.experts == (viewer.expert_id or 0)
    keep = ~np.isin(table.assets, gallery_filter.keys_of(session, counting.answered_and_removed(attribute_id)))
    keep &= (own | ~np.isin(table.assets, gallery_filter.keys_of(session, waiting(viewer)))) if viewer.manages else own
    if expert is not None:
        keep &= table.experts == expert
    rows = table.newest[keep[table.newest]]
    number = max(1, min(page, -(-len(rows) // size) or 1))
    here = rows[(number - 1) * size : number * size]
    ids, keys = table.ids[here].tolist(), table.assets[here].tolist()
    there = select(Annotation).join(Asset, Asset.id == Annotation.asset_pk)
    given = {one.id: one for one in session.scalars(there.where(Annotation.id.in_(ids), may_see(viewer, keys)))}
    return _answer_page(session, viewer, Page([given[key] for key in ids if key in given], number, size, len(rows)))


def _answer_page(session: Session, viewer: Viewer, answer_page: Page[Annotation]) -> Page[GivenAnswer]:
    tasks = _by_id(session, Task, Task.id, [one.task_id for one in answer_page.items])
    assets = _by_id(session, Asset, Asset.id, [one.asset_pk for one in answer_page.items])
    experts = _by_id(session, Expert, Expert.id, [one.expert_id for one in answer_page.items])
    correctable = corrections.correctable(session, [one.id for one in answer_page.items])
    newest = {one.attribute_id: _newest(session, viewer, one.attribute_id) for one in answer_page.items}

    def given(entry: Annotation) -> GivenAnswer:
        task = tasks.get(entry.task_id or 0)
        own = viewer.expert_id is not None and entry.expert_id == viewer.expert_id
        fresh = entry.answered_at == newest[entry.attribute_id] and now() - entry.answered_at < first_answers.SLIP
        return GivenAnswer(
            entry.id, picture(assets[entry.asset_pk]), entry.value, experts[entry.expert_id].name, entry.answered_at,
            LATER if own and task is not None and fresh else reason_of(task, entry.purpose),
            own and entry.id in correctable,
        )  # fmt: skip

    return answer_page.map(given)


def _newest(session: Session, viewer: Viewer, attribute_id: int) -> datetime | None:
    """When the viewer answered the attribute last."""
    mine = (Annotation.attribute_id == attribute_id, Annotation.expert_id == viewer.expert_id)
    return session.scalar(select(Annotation.answered_at).where(*mine).order_by(Annotation.answered_at.desc()).limit(1))


def _by_id(
    session: Session, kind: type[T], column: InstrumentedAttribute[int], ids: Iterable[int | None]
) -> dict[int, T]:
    wanted = {one for one in ids if one is not None}
    return dict(session.execute(select(column, kind).where(column.in_(wanted))).all())
