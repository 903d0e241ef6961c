"""The answers of each attribute, kept in memory until they change: pages count and list them many times between two.

`counting.current` reads and sorts every annotation, which takes a third of a second for 40,000. A process keeps what it
read, and after an answer reads only the images anew that its history names. The key is all that decides what counts:
the attribute's counter of answers, the newest line of any answer's history (each change writes one in its own
transaction, and none is ever deleted) and the attribute's newest revision. Nothing is kept of a transaction that
writes, as it may be rolled back.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import URL, func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting
from attune.labeler.answers.answer_table import AnswerTable, table_of
from attune.labeler.records.schema import Annotation, AnnotationEvent, Attribute, AttributeRevision, GridAnswer
from attune.labeler.records.session import only_reads

KEPT = 64  # attributes whose answers a process keeps
ANEW = 2_000  # lines of news; for more, all are read again


class Stamp(NamedTuple):
    """What decides an attribute's answers: its counter, the newest line of history, the newest revision."""

    counter: int
    event: int
    revision: int


def of(session: Session, attribute_id: int) -> AnswerTable:
    """The answers of one attribute."""
    return of_each(session, [attribute_id])[attribute_id]


def of_each(session: Session, attribute_ids: Sequence[int]) -> dict[int, AnswerTable]:
    """The answers of several attributes by their ids, in a few questions to the database whatever their number."""
    url, shared = session.get_bind().engine.url, only_reads(session)
    stamps = _stamps(session, attribute_ids)
    held = {key: one for key in stamps if shared and (one := _kept.find(url, key)) is not None}
    good = {key: one[1] for key, one in held.items() if one[0] == stamps[key]}
    fresh = _renewed(session, stamps, {key: one for key, one in held.items() if key not in good})
    fresh |= _read(session, [key for key in stamps if key not in good and key not in fresh])
    for key, table in fresh.items() if shared else ():
        _kept.keep(url, key, (stamps[key], table))
    return good | fresh


Held = tuple[Stamp, AnswerTable]


class _Kept:
    """The tables of this process, the one that was used longest ago first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tables: OrderedDict[tuple[URL, int], Held] = OrderedDict()

    def find(self, url: URL, attribute_id: int) -> Held | None:
        with self.lock:
            if (url, attribute_id) in self.tables:
                self.tables.move_to_end((url, attribute_id))
            return self.tables.get((url, attribute_id))

    def keep(self, url: URL, attribute_id: int, fresh: Held) -> None:
        """Keep ``fresh``, unless another request has read a later moment since."""
        with self.lock:
            held = self.tables.get((url, attribute_id))
            if held is None or held[0] <= fresh[0]:
                self.tables[url, attribute_id] = fresh
            while len(self.tables) > KEPT:
                self.tables.popitem(last=False)


_kept = _Kept()


def forget() -> None:
    """Read all answers anew, next time: where records were put in the place of others."""
    with _kept.lock:
        _kept.tables.clear()


def _stamps(session: Session, attribute_ids: Sequence[int]) -> dict[int, Stamp]:
    event = session.scalar(select(func.max(AnnotationEvent.id))) or 0
    revision = select(func.max(AttributeRevision.id)).where(AttributeRevision.attribute_id == Attribute.id)
    rows = session.execute(
        select(Attribute.id, Attribute.answers_counter, revision.scalar_subquery()).where(
            Attribute.id.in_(attribute_ids)
        )
    )
    return {key: Stamp(counter or 0, event, newest or 0) for key, counter, newest in rows}


def _renewed(session: Session, stamps: Mapping[int, Stamp], held: Mapping[int, Held]) -> dict[int, AnswerTable]:
    """The tables that are ``held`` with what changed since; without those that only reading all tells.

    PostgreSQL may commit a lower id after a higher one; a reader of an older moment finds no news after its end.
    """
    same = {
        key: one
        for key, one in held.items()
        if one[0].revision == stamps[key].revision and one[0].event <= stamps[key].event
    }
    if not same or session.get_bind().dialect.name != "sqlite":
        return {}
    lines = select(AnnotationEvent.annotation_id).where(AnnotationEvent.id > min(one[0].event for one in same.values()))
    told = set(session.scalars(lines.limit(ANEW + 1)))
    if len(told) > ANEW:
        return {}
    news = select(Annotation.attribute_id, Annotation.asset_pk).where(Annotation.id.in_(told))
    changed = [(key, asset) for key, asset in session.execute(news) if key in same]
    names, assets = {key for key, _ in changed}, sorted({asset for _, asset in changed})
    words = {key: same[key][1].words for key in names}
    parts = _read(session, sorted(names), assets, words) if names else {}
    return {key: _joined(one[1], assets, parts[key]) if key in parts else one[1] for key, one in same.items()}


def _joined(before: AnswerTable, assets: Sequence[int], fresh: AnswerTable) -> AnswerTable:
    """The rows of ``before`` with those on ``assets`` replaced by ``fresh``."""
    stay = ~np.isin(before.assets, assets)
    pairs = zip(before.columns(), fresh.columns(), strict=True)
    columns: Any = (np.concatenate([old[stay], new]) for old, new in pairs)
    return AnswerTable(fresh.words, *columns)


def _read(
    session: Session,
    attribute_ids: Sequence[int],
    assets: Sequence[int] | None = None,
    words: Mapping[int, Sequence[str]] | None = None,
) -> dict[int, AnswerTable]:
    """The answers on ``assets``, or all, of each attribute; its ``words`` keep their places."""
    if not attribute_ids:
        return {}
    answer = counting.current(attribute_ids, assets=assets)
    rows = session.execute(
        select(
            answer.c.attribute_id, answer.c.id, answer.c.asset_pk, answer.c.expert_id, answer.c.value,
            answer.c.answered_at, answer.c.updated_at, Annotation.lead_seconds, GridAnswer.page_id,
        )
        .join(Annotation, Annotation.id == answer.c.id)
        .outerjoin(GridAnswer, GridAnswer.annotation_id == answer.c.id)
    )  # fmt: skip
    mine: dict[int, list[Any]] = {key: [] for key in attribute_ids}
    for row in rows:
        mine[row[0]].append(row[1:])
    return {key: table_of(some, (words or {}).get(key, ())) for key, some in mine.items()}
