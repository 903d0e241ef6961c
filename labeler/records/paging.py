"""One page of a longer list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Page(Generic[T]):
    """``items`` of page ``number`` (from 1) out of ``total`` items, ``size`` a page."""

    items: Sequence[T]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        """Number of the first item shown, from 1; 0 where there is none."""
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last(self) -> int:
        """Number of the last item shown."""
        return (self.number - 1) * self.size + len(self.items)

    def map(self, change: Callable[[T], R]) -> Page[R]:
        """The same page with every item changed."""
        return Page([change(item) for item in self.items], self.number, self.size, self.total)


def page_of(session: Session, query: Select[T], number: int, size: int) -> Page[T]:
    """Page ``number`` of a query of one column or entity; a number beyond the last gives the last."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number = max(1, min(number, -(-total // size) or 1))
    items = session.scalars(query.limit(size).offset((number - 1) * size)).all()
    return Page(items, number, size, total)


def page_of_keys(session: Session, query: Select[T], number: int, size: int) -> Page[T]:
    """As `page_of`, of a query of one column whose condition no index answers: one pass counts and finds the page."""
    number = max(1, number)
    counted = query.add_columns(func.count().over())
    rows = session.execute(counted.limit(size).offset((number - 1) * size)).all()
    if rows:
        return Page([key for key, _ in rows], number, size, rows[0][1])
    return Page((), 1, size, 0) if number == 1 else page_of(session, query, number, size)
