"""What an expert said first of each image, as the history keeps it: only that measures.

Whoever sees what a first answer did, to the quality or beside another's answer, could correct it to please the probe or
to harm it. So a correction, a deletion or a new answer changes what is shown and what trains, and never the measure. A
slip of the hand is no answer yet: until `SLIP` is over, or the expert has answered another image of the same attribute,
the correction counts as the first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers.exclusion import BY_OWNER, SET_ASIDE, TAKEN_BACK
from attune.labeler.attributes import revisions
from attune.labeler.records.schema import Annotation, AnnotationEvent, Asset, Attribute, Expert
from attune.models.labels.answers import IMPORT, SKIP, Answer

SLIP = timedelta(minutes=2)
GIVES_VALUE = frozenset({"created", "changed", "restored"})
DELETED = "deleted"


@dataclass(frozen=True)
class Event:
    """One state of an answer: ``value`` None where it was deleted, ``at`` in Label Studio's time, ``begun`` when its
    annotation was made."""

    value: str | None
    at: datetime
    begun: datetime
    annotation: int


def closes(begun: datetime, others: Sequence[datetime]) -> datetime:
    """Until when an answer that was given at ``begun`` can be corrected as a slip; ``others`` are the times, in order,
    at which the expert answered other images of the attribute."""
    after = bisect_right(others, begun)
    return min([begun + SLIP, *others[after : after + 1]])


def first(events: Sequence[Event], others: Sequence[datetime]) -> Event | None:
    """The event that tells the first answer, of one expert on one image; None where there is none.

    ``events`` oldest first, ``others`` as for `closes`. A skip is no answer, nor is what a slip was turned into one.
    """
    current: Event | None = None
    for event in events:
        if current is not None and event.at > closes(current.begun, others):
            return current
        if event.value is not None or current is None or current.annotation == event.annotation:
            current = event if event.value not in (None, SKIP) else None
    return current


def read(session: Session, attribute: Attribute) -> list[Answer]:
    """The first answer of each expert on each image of ``attribute``, as the revisions since then read it; imported
    ones apart, which no one was asked for, and what an owner excluded."""
    rows: Sequence[Any] = session.execute(
        select(
            Annotation.id, Annotation.asset_pk, Annotation.expert_id, Annotation.value, Annotation.purpose,
            Annotation.inclusion, Annotation.answered_at, Annotation.updated_at, Annotation.deleted_at,
            Asset.asset_id, Asset.title_id, Expert.email,
        )
        .join(Asset, Asset.id == Annotation.asset_pk)
        .join(Expert, Expert.id == Annotation.expert_id)
        .where(Annotation.attribute_id == attribute.id, Annotation.purpose != IMPORT)
        .order_by(Annotation.answered_at, Annotation.id)
    ).all()  # fmt: skip
    groups: dict[tuple[int, int], list[Any]] = defaultdict(list)
    times: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for row in rows:
        groups[row.asset_pk, row.expert_id].append(row)
        times[row.expert_id].append((row.answered_at, row.asset_pk))
    past = revisions.history(session, attribute)
    events, excluded_since = _events(session, attribute, past), _excluded_since(session, attribute)
    answers = []
    for (asset, expert), group in groups.items():
        counted = [row for row in group if not _is_excluded(row, events.get(row.id), excluded_since.get(expert))]
        states = [event for row in counted for event in _states(row, events.get(row.id))]
        others = [at for at, other in times[expert] if other != asset] if len(states) > 1 else []
        event = first(sorted(states, key=lambda state: state.at), others)
        if event is not None and event.value is not None:
            row = next(row for row in counted if row.id == event.annotation)
            answers.append(
                Answer(row.asset_id, row.title_id, row.email, event.value, row.purpose, event.begun, row.inclusion)
            )
    return answers


def independent(session: Session, attribute: Attribute, answers: Sequence[Answer]) -> list[Answer]:
    """What was said before anyone could look at others: the first answers, and of ``answers`` the imported ones where
    the expert gave no other."""
    given = read(session, attribute)
    own = {(answer.asset_id, answer.expert) for answer in given}
    imported = [
        answer for answer in answers if answer.purpose == IMPORT and (answer.asset_id, answer.expert) not in own
    ]
    return [*given, *imported]


@dataclass(frozen=True)
class _History:
    states: Sequence[Event]
    is_excluded: bool


def _events(session: Session, attribute: Attribute, past: Sequence[revisions.PastRevision]) -> dict[int, _History]:
    """The history of each answer that has more than its first state."""
    several = (
        select(AnnotationEvent.annotation_id)
        .join(Annotation, Annotation.id == AnnotationEvent.annotation_id)
        .where(Annotation.attribute_id == attribute.id, Annotation.purpose != IMPORT)
        .group_by(AnnotationEvent.annotation_id)
        .having(func.count() > 1)
    )
    rows = session.execute(
        select(AnnotationEvent, Annotation.answered_at)
        .join(Annotation, Annotation.id == AnnotationEvent.annotation_id)
        .where(AnnotationEvent.annotation_id.in_(several))
        .order_by(AnnotationEvent.id)
    )
    states: dict[int, list[Event]] = defaultdict(list)
    owners: dict[int, str] = {}
    for event, begun in rows:
        if event.kind in GIVES_VALUE:
            value = revisions.read(
                event.value, [revision.reading for revision in past if revision.created_at > event.received_at]
            )
            if value is not None:  # else a revision ended it: what is said after it is the first that holds
                states[event.annotation_id].append(Event(value, event.updated_at, begun, event.annotation_id))
        elif event.kind == DELETED:
            states[event.annotation_id].append(Event(None, event.updated_at, begun, event.annotation_id))
        elif event.kind in (SET_ASIDE, TAKEN_BACK):
            owners[event.annotation_id] = event.kind
        states.setdefault(event.annotation_id, [])
    return {key: _History(events, owners.get(key) == SET_ASIDE) for key, events in states.items()}


def _excluded_since(session: Session, attribute: Attribute) -> dict[int, datetime]:
    """Expert -> since when an owner's exclusion of the answers before it stands."""
    rows = session.execute(
        select(Annotation.expert_id, AnnotationEvent.kind, AnnotationEvent.received_at)
        .join(Annotation, Annotation.id == AnnotationEvent.annotation_id)
        .where(Annotation.attribute_id == attribute.id, AnnotationEvent.via == BY_OWNER)
        .where(AnnotationEvent.kind.in_((SET_ASIDE, TAKEN_BACK)))
        .order_by(AnnotationEvent.id)
    )
    last: Mapping[int, tuple[str, datetime]] = {expert: (kind, at) for expert, kind, at in rows}
    return {expert: at for expert, (kind, at) in last.items() if kind == SET_ASIDE}


def _is_excluded(row: Any, history: _History | None, since: datetime | None) -> bool:
    """Whether an owner excluded the answer; one that its expert had deleted before goes with the others."""
    if history is not None and history.is_excluded:
        return True
    return row.deleted_at is not None and since is not None and row.updated_at <= since


def _states(row: Any, history: _History | None) -> Sequence[Event]:
    if history is not None:
        return history.states
    return () if row.deleted_at is not None else (Event(row.value, row.updated_at, row.answered_at, row.id),)
