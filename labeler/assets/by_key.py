"""One column of many assets by their primary keys, some thousand to a query."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from attune.labeler.records.schema import Asset

KEYS_AT_ONCE = 10_000  # in one query


def by_key(
    session: Session, keys: Sequence[int], column: InstrumentedAttribute[str], *conditions: ColumnElement[bool]
) -> dict[int, str]:
    """The ``column`` of each of the assets ``keys`` that fulfils the ``conditions``."""
    found: dict[int, str] = {}
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = Asset.id.in_(keys[start : start + KEYS_AT_ONCE])
        found.update((key, value) for key, value in session.execute(select(Asset.id, column).where(some, *conditions)))
    return found
