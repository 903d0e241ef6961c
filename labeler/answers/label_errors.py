"""Suspected label errors in the records: the newest list, which of it still holds, and the answers that were confirmed.

The list is replaced as a whole after a run. Between two lists it shrinks by itself: an answer that was changed,
withdrawn, excluded or confirmed since is not suspected any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, select, true
from sqlalchemy.orm import Session

from attune.labeler.answers import change, own_errors, told_errors
from attune.labeler.answers.counting import current
from attune.labeler.attributes import attributes
from attune.labeler.people.viewer import Viewer, may_see, waiting
from attune.labeler.records.schema import (
    Annotation,
    Asset,
    ConfirmedAnswer,
    Expert,
    LabelError,
    SuspectedAnswer,
    ToldLabelError,
)
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.labels.answers import SKIP
from attune.models.labels.label_errors import SuspectedError

MOST = 500  # answers in one list: who has checked those gets another

COLUMNS = (
    "asset_id", "title_id", "expert", "answer", "expected", "probe_probability", "right_probability", "others",
    "answered_at", "run",
)  # fmt: skip
# Commands on this machine see all.
EVERYBODY = Viewer("admin", "")


def replace(session: Session, attribute_id: int, run: int, suspected: Sequence[SuspectedError]) -> int:
    """Make ``suspected``, the least likely right first, the attribute's list after ``run``; how many are on it.

    Answers that changed while the list was made are left out. A list of a later run stays. Experts read the list of a
    run whose figures they are shown, until the next such run (`told_errors`).
    """
    change.one_writer(session, attribute_id)
    told = told_errors.shown_as(session, attribute_id, run)
    if told is not None:
        told_errors.remember(
            session, attribute_id, told, _replace(session, ToldLabelError, attribute_id, told, suspected)
        )
    return _replace(session, LabelError, attribute_id, run, suspected)


def _replace(
    session: Session,
    kind: type[LabelError] | type[ToldLabelError],
    attribute_id: int,
    run: int,
    suspected: Sequence[SuspectedError],
) -> int:
    newest = select(func.max(kind.run)).where(kind.attribute_id == attribute_id)
    if (session.scalar(newest) or 0) > run:
        return 0
    session.execute(delete(kind).where(kind.attribute_id == attribute_id))
    named = select(Asset.id).where(Asset.asset_id.in_({one.asset_id for one in suspected[:MOST]}))
    answer = current([attribute_id], assets=named)
    rows = session.execute(
        select(Asset.asset_id, Expert.email, answer.c.value, answer.c.id)
        .join(Asset, Asset.id == answer.c.asset_pk)
        .join(Expert, Expert.id == answer.c.expert_id)
    )
    annotations = {(asset_id, email, value): annotation for asset_id, email, value, annotation in rows}
    place = 0
    for one in suspected[:MOST]:
        annotation = annotations.get((one.asset_id, one.expert, one.given))
        if annotation is not None:
            place += 1
            facts: dict[str, Any] = {"given": one.given, "expected": one.expected}
            facts |= {"probe": one.probe, "right": one.right}
            session.add(kind(attribute_id=attribute_id, annotation_id=annotation, run=run, place=place, **facts))
    return place


def listed(session: Session, settings: Settings, viewer: Viewer, attribute_id: int) -> Select[SuspectedAnswer]:
    """The rows of the list that ``viewer`` may see and that still hold, the least likely right first.

    Those who manage see all but what waits in a queue of their own; an expert sees only some of the own answers
    (`own_errors`).
    """
    kind = list_of(viewer)
    named = select(Annotation.asset_pk).join(kind, kind.annotation_id == Annotation.id)
    named = named.where(kind.attribute_id == attribute_id)
    answer = current([attribute_id], assets=named)
    whose = true() if viewer.manages else own_errors.visible(session, settings, viewer, attribute_id, answer)
    rows: Select[Any] = (
        select(kind)
        .join(answer, and_(answer.c.id == kind.annotation_id, answer.c.value == kind.given))
        .join(Asset, Asset.id == answer.c.asset_pk)
        .where(kind.attribute_id == attribute_id, ~_confirmed(kind), may_see(viewer, named))
        .where(Asset.id.not_in(waiting(viewer)), whose)
        .order_by(kind.place)
    )
    return rows


def list_of(viewer: Viewer) -> type[LabelError] | type[ToldLabelError]:
    """The table that ``viewer`` reads."""
    return LabelError if viewer.manages else ToldLabelError


def _confirmed(kind: type[LabelError] | type[ToldLabelError]) -> ColumnElement[bool]:
    same = and_(ConfirmedAnswer.annotation_id == kind.annotation_id, ConfirmedAnswer.value == kind.given)
    return select(ConfirmedAnswer.id).where(same).exists()


def total(session: Session, settings: Settings, viewer: Viewer, attribute_id: int) -> int:
    """How many answers are suspected that ``viewer`` may see."""
    rows = listed(session, settings, viewer, attribute_id).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def find(session: Session, settings: Settings, viewer: Viewer, name: str, annotation_id: int) -> SuspectedAnswer | None:
    """The row of one answer to the attribute ``name``, if ``viewer`` may see it. Raises UnknownAttribute."""
    one = attributes.find(session, name)
    mine = list_of(viewer).annotation_id == annotation_id
    return session.scalar(listed(session, settings, viewer, one.id).where(mine))


def confirm(settings: Settings, viewer: Viewer, name: str, annotation_id: int) -> bool:
    """Keep a suspected answer, by ``viewer``; False where it is not on the list. The answer itself does not change.

    Raises UnknownAttribute.
    """
    with writing(settings) as session:
        change.one_writer(session, attributes.find(session, name).id)  # two clicks at once confirm once
        row = find(session, settings, viewer, name, annotation_id)
        if row is None:
            return False
        session.add(ConfirmedAnswer(annotation_id=annotation_id, value=row.given, who=viewer.name, at=now()))
    return True


def unconfirm(settings: Settings, viewer: Viewer, name: str, annotation_id: int) -> bool:
    """Undo ``viewer``'s own confirmation of an answer; False where there is none. Raises UnknownAttribute."""
    with writing(settings) as session:
        one = attributes.find(session, name)
        mine = select(ConfirmedAnswer).join(Annotation, Annotation.id == ConfirmedAnswer.annotation_id)
        kept = session.scalars(
            mine.where(
                Annotation.attribute_id == one.id,
                ConfirmedAnswer.annotation_id == annotation_id,
                ConfirmedAnswer.who == viewer.name,
            )
        ).all()
        for row in kept:
            session.delete(row)
    return bool(kept)


def others(session: Session, attribute_id: int, rows: Sequence[Annotation]) -> dict[int, list[tuple[str, str]]]:
    """What everyone else said on the images of ``rows``: pairs (name, value) by the id of the annotation."""
    answer = current([attribute_id], assets=[one.asset_pk for one in rows])
    found = session.execute(
        select(answer.c.asset_pk, answer.c.expert_id, answer.c.value, Expert.name)
        .join(Expert, Expert.id == answer.c.expert_id)
        .where(answer.c.value != SKIP)
        .order_by(Expert.name, Expert.id)
    ).all()
    return {
        one.id: [(name, value) for asset, who, value, name in found if asset == one.asset_pk and who != one.expert_id]
        for one in rows
    }


def table(settings: Settings, name: str, limit: int) -> list[dict[str, Any]]:
    """The first ``limit`` suspected answers to ``name`` as plain values, for files and commands. UnknownAttribute."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        rows = session.scalars(listed(session, settings, EVERYBODY, one.id).limit(limit)).all()
        ids = [row.annotation_id for row in rows]
        given = {kept.id: kept for kept in session.scalars(select(Annotation).where(Annotation.id.in_(ids)))}
        said = others(session, one.id, list(given.values()))
        return [
            {
                "asset_id": given[row.annotation_id].asset.asset_id,
                "title_id": given[row.annotation_id].asset.title_id,
                "expert": given[row.annotation_id].expert.email,
                "answer": row.given,
                "expected": row.expected,
                "probe_probability": round(row.probe, 4),
                "right_probability": round(row.right, 4),
                "others": "; ".join(f"{who}: {value}" for who, value in said[row.annotation_id]),
                "answered_at": given[row.annotation_id].answered_at,
                "run": row.run,
            }
            for row in rows
        ]
