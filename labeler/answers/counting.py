"""What an answer is, once for everyone who counts or lists them: one expert on one asset.

Of an expert's annotations on one asset the newest that holds is the answer, whatever its task: two submits of one task,
two tasks of one image, an edit. Skips are no answers, and the newest skip takes an older answer back; audits count.
``current`` and ``answers`` say so in SQL, ``newest`` in Python; a test shows that they agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, exists, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import GenericFunction

from attune.labeler.records.schema import Annotation, Asset, Attribute, AttributeRevision
from attune.models.labels.answers import SKIP, newest_of_each


class by_bytes(GenericFunction[str]):  # noqa: N801 - reads as SQL
    """A text whose order is that of its code points, as Python's is, whatever the language of the database."""

    inherit_cache = True


@compiles(by_bytes)
def _plain(element: by_bytes, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(by_bytes, "postgresql")
def _collated(element: by_bytes, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)}) COLLATE "C"'


def is_valid() -> ColumnElement[bool]:
    """Not deleted, and given under a definition whose answers hold, or changed since it came."""
    ended = exists().where(
        AttributeRevision.attribute_id == Annotation.attribute_id,
        AttributeRevision.answers_hold.is_(False),
        AttributeRevision.revision > Annotation.revision,
        AttributeRevision.created_at > Annotation.updated_at,
    )
    return and_(Annotation.deleted_at.is_(None), ~ended.correlate(Annotation))


def oldest_first() -> list[Any]:
    """The order, as columns, in which an expert's annotations on one asset replace each other, as in
    `attune.models.labels.answers.latest`."""
    content_order = (by_bytes(Annotation.value), by_bytes(Annotation.purpose), func.coalesce(Annotation.inclusion, 0.0))
    return [Annotation.updated_at, *content_order, Annotation.id]


def current(
    attributes: Sequence[int] | None = None,
    experts: Sequence[int] | None = None,
    which: ColumnElement[bool] | None = None,
    first: Sequence[ColumnElement[Any]] = (),
    assets: Sequence[int] | Select[int] | None = None,
) -> CTE:
    """The newest annotation of each expert on each asset, skips among them: id, attribute_id, asset_pk, expert_id,
    value, answered_at, updated_at.

    Of these ``attributes``, ``experts`` and ``assets`` (keys), or all: of a few images nothing else is read. ``which``:
    among these annotations, those that hold unless given; ``first``: what comes before age, greatest first.
    """
    mine = (Annotation.attribute_id, Annotation.asset_pk, Annotation.expert_id)
    order = [key.desc() for key in (*first, *oldest_first())]
    rank = func.row_number().over(partition_by=mine, order_by=order).label("rank")
    ranked = select(Annotation.id, *mine, Annotation.value, Annotation.answered_at, Annotation.updated_at, rank)
    ranked = ranked.where(is_valid() if which is None else which)
    if attributes is not None:
        ranked = ranked.where(Annotation.attribute_id.in_(attributes))
    if experts is not None:
        ranked = ranked.where(Annotation.expert_id.in_(experts))
    if assets is not None:
        ranked = ranked.where(Annotation.asset_pk.in_(assets))
    inner = ranked.subquery()
    return select(inner).where(inner.c.rank == 1).cte()


def answers(
    attributes: Sequence[int] | None = None,
    experts: Sequence[int] | None = None,
    which: ColumnElement[bool] | None = None,
    assets: Sequence[int] | Select[int] | None = None,
) -> CTE:
    """The answers: `current` without skips."""
    every = current(attributes, experts, which, assets=assets)
    return select(every).where(every.c.value != SKIP).cte()


def newest(annotations: Iterable[Annotation]) -> list[Annotation]:
    """`current` among ``annotations`` that are available, whether they hold or not; by attribute, asset and expert."""
    latest = newest_of_each(
        annotations,
        key=lambda one: (one.attribute_id, one.asset_pk, one.expert_id),
        age=lambda one: (one.updated_at, one.value, one.purpose, one.inclusion or 0.0, one.id),
    )
    return [latest[key] for key in sorted(latest)]


def total(session: Session, attribute_id: int) -> int:
    """How many answers an attribute has."""
    return session.scalar(select(func.count()).select_from(answers([attribute_id]))) or 0


def answered_and_removed(attribute_id: int) -> Select[int]:
    """The keys of the images with an answer that left the pool: few, however many ever left it."""
    # For each removed image a look into the index: as a list, all answers would be read first.
    answered = exists().where(Annotation.attribute_id == attribute_id, Annotation.asset_pk == Asset.id)
    return select(Asset.id).where(Asset.removed_at.is_not(None), answered.correlate(Asset))


def by_value(session: Session, attribute_id: int) -> dict[str, int]:
    """An attribute's answers by what they say."""
    answer = answers([attribute_id])
    return dict(session.execute(select(answer.c.value, func.count()).group_by(answer.c.value)).all())


def by_expert(session: Session, experts: Sequence[int] | None = None) -> dict[int, tuple[int, datetime]]:
    """How many answers each expert has given to all attributes, and when the last; by the expert's id."""
    answer = answers(experts=experts)
    grouped = select(answer.c.expert_id, func.count(), func.max(answer.c.answered_at)).group_by(answer.c.expert_id)
    return {expert: (count, last) for expert, count, last in session.execute(grouped)}


def by_attribute(session: Session, expert: int, which: ColumnElement[bool] | None = None) -> dict[str, int]:
    """How many answers an expert has given, by the attribute's name; ``which`` as for `current`."""
    answer = answers(experts=[expert], which=which)
    counted = (
        select(Attribute.name, func.count())
        .join(answer, answer.c.attribute_id == Attribute.id)
        .group_by(Attribute.name)
        .order_by(Attribute.name)
    )
    return dict(session.execute(counted).all())
