"""Column types that SQLite and PostgreSQL both keep faithfully."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, types
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

# A whole number of up to 63 bits. An INTEGER of PostgreSQL ends at 2**31 - 1; SQLite's has 64 bits under that name.
WIDE = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(types.TypeDecorator[datetime]):
    """An aware datetime, stored as UTC; SQLite forgets the offset, so it is put back on reading.

    Raises ValueError for a naive datetime.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone. Use attune.models.clock.now().")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class elements(GenericFunction[Any]):  # noqa: N801 - reads as SQL
    """The elements of a JSON array as a table of the column ``value``; cast it, as PostgreSQL gives text."""

    inherit_cache = True


@compiles(elements)
def _each(element: elements, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(elements, "postgresql")
def _element_texts(element: elements, compiler: Any, **options: Any) -> str:
    return f"json_array_elements_text({compiler.process(element.clauses, **options)})"
