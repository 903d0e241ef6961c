"""The answers of each attribute, kept in memory until they change: pages count and list them many times between two.

`counting.current` reads and sorts every annotation, which takes a third of a second for 40,000. A process keeps what it
read, and after an answer reads only the attributes, on SQLite only the images, that its history names. The key is all
that decides what counts: the attribute's counter of answers, the newest line of any answer's history (each change
writes one in its own transaction, and none is ever deleted) and the attribute's newest revision. The counter alone
would miss an answer that is given again as it was, and so replaces the same expert's other one on the image. Nothing is
kept of a transaction that writes, as it may be rolled back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.answers import counting
from attune.labeler.answers.answer_table import AnswerTable, table_of
from attune.labeler.answers.kept_tables import Held, KeptTables, Stamp
from attune.labeler.records.schema import Annotation, AnnotationEvent, Attribute, AttributeRevision, GridAnswer
from attune.labeler.records.session import only_reads

ANEW = 2_000  # answers with news; for more, all of their attributes' answers are read again
AT_ONCE = 10_000  # rows that the database hands over at once
_kept = KeptTables()
os.register_at_fork(after_in_child=_kept.unlock)


def of(session: Session, attribute_id: int) -> AnswerTable:
    """The answers of one attribute; none of one that there is not."""
    return of_each(session, [attribute_id]).get(attribute_id) or table_of(())


def of_each(session: Session, attribute_ids: Sequence[int]) -> dict[int, AnswerTable]:
    """The answers of several attributes by their ids, in a few questions to the database whatever their number."""
    stamps = _stamps(session, attribute_ids)
    if not only_reads(session):
        return _read(session, list(stamps))
    url = session.get_bind().engine.url
    good = _kept.good(url, stamps)
    with ExitStack() as readers:
        for key in sorted(stamps.keys() - good.keys()):  # in one order, so that no two wait for each other
            readers.enter_context(_kept.reader(url, key))
        good = _kept.good(url, stamps) | good  # another request may have read them meanwhile
        missing = {key: one for key, one in stamps.items() if key not in good}
        fresh = _renewed(session, missing, _kept.held(url, missing))
        fresh |= _read(session, [key for key in missing if key not in fresh])
        _kept.keep(url, {key: (stamps[key], table) for key, table in fresh.items()}, good)
    return good | fresh


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

    PostgreSQL may commit a lower id after a higher one, so there the lines after the last seen do not name every image
    with news: an attribute whose counter moved is read whole. A reader of an older moment finds no news after its end.
    """
    by_image = session.get_bind().dialect.name == "sqlite"
    same = {
        key: one
        for key, one in held.items()
        if one[0].revision == stamps[key].revision
        and one[0].event <= stamps[key].event
        and (by_image or one[0].counter == stamps[key].counter)
    }
    if not same:
        return {}
    since = min(one[0].event for one in same.values())
    # Of the lines alone: with the attributes as a condition, SQLite would walk through all of their answers.
    told = Annotation.id.in_(select(AnnotationEvent.annotation_id).where(AnnotationEvent.id > since))
    names = same.keys() & set(session.scalars(select(Annotation.attribute_id).where(told).distinct()))
    quiet = {key: one[1] for key, one in same.items() if key not in names}
    if not names or not by_image:
        return quiet
    news = session.execute(select(Annotation.attribute_id, Annotation.asset_pk).where(told).limit(ANEW + 1)).all()
    if len(news) > ANEW:
        return quiet
    assets = sorted({asset for key, asset in news if key in names})
    parts = _read(session, sorted(names), assets, {key: same[key][1].words for key in names})
    return quiet | {key: _joined(same[key][1], assets, part) for key, part in parts.items()}


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
            answer.c.answered_at, Annotation.lead_seconds, GridAnswer.page_id,
        )
        .join(Annotation, Annotation.id == answer.c.id)
        .outerjoin(GridAnswer, GridAnswer.annotation_id == answer.c.id)
        .order_by(answer.c.attribute_id),
        execution_options={"yield_per": AT_ONCE},  # rows take ten times their table: those of one attribute at a time
    )  # fmt: skip
    told = words or {}
    found = {key: table_of([row[1:] for row in some], told.get(key, ())) for key, some in groupby(rows, itemgetter(0))}
    return {key: table_of((), told.get(key, ())) for key in attribute_ids} | found
