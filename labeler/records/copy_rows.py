"""All rows of the records from one database to another: SQLite to PostgreSQL and back, ids and all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table, create_engine, exists, func, insert, inspect, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from attune.labeler.records.schema import Base
from attune.labeler.records.session import configuration, engine_to_read
from attune.labeler.settings import hidden, values
from attune.models.errors import AlreadyThere, DataError, ServiceDown, SettingsError

BLOCK = 2000
Report = Callable[[int, int], None]


def address(text: str) -> str:
    """The address of a database that a person typed. Raises SettingsError where it is none of SQLite or PostgreSQL."""
    try:
        return values.url("sqlite", "postgresql")(text)
    except ValueError as error:
        raise SettingsError(
            f"--to is {hidden(text)}, but must be sqlite:///FILE or postgresql+psycopg://user:password@host/database."
        ) from error


def copy(source: str, target: str, report: Report) -> int:
    """Copy every row at ``source``, as it is at one moment, to ``target``; returns how many.

    Both are addresses of SQLAlchemy. ``target`` is brought to the newest schema first and must hold no rows; ``source``
    has that schema already. All or nothing: the rows are written in one transaction and counted before it ends. Raises
    AlreadyThere where ``target`` holds rows, DataError where a table has not as many as it should, ServiceDown where a
    database does not answer.
    """
    from alembic import command

    check_empty(target)
    command.upgrade(configuration(target), "head")
    reading, writing = engine_to_read(source), create_engine(target)
    try:
        with reading.connect().execution_options(yield_per=BLOCK) as there, writing.begin() as here:
            counts = {table: _count(there, table) for table in Base.metadata.sorted_tables}
            total, done = sum(counts.values()), 0
            for table in Base.metadata.sorted_tables:
                for block in there.execute(_in_order(table)).mappings().partitions(BLOCK):
                    here.execute(insert(table), [dict(row) for row in block])
                    report(done := done + len(block), total)
                _check_count(table, counts[table], _count(here, table))
                _go_on_counting(here, table)
        return total
    finally:
        reading.dispose()
        writing.dispose()


def check_empty(target: str) -> None:
    """Raise AlreadyThere where the database at ``target`` has tables of Attune with rows or of another release,
    ServiceDown where it does not answer. Nothing is changed."""
    opened = create_engine(target)
    try:
        with opened.connect() as connection:
            there = set(inspect(connection).get_table_names())
            tables = [table for table in Base.metadata.sorted_tables if table.name in there]
            full = [table.name for table in tables if connection.scalar(select(exists(select(1).select_from(table))))]
    except (OperationalError, NoSuchModuleError, ArgumentError) as error:
        raise _no_answer(target) from error
    finally:
        opened.dispose()
    if full:
        raise AlreadyThere(
            f"The database at {hidden(target)} already has rows ({', '.join(full[:3])}). Nothing was copied. Name an "
            "empty database."
        )


def _no_answer(target: str) -> ServiceDown:
    return ServiceDown(
        f"The database at {hidden(target)} does not answer. Nothing was copied. Check the address (as "
        "postgresql+psycopg://user:password@host/database), that its server runs, and that the database is there."
    )


def _in_order(table: Table) -> Any:
    # A clustering names one of before it: rows in the order of their ids have what they name there already.
    return select(table).order_by(*table.primary_key.columns)


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _check_count(table: Table, wanted: int, found: int) -> None:
    if wanted != found:
        raise DataError(
            f"The table {table.name} has {wanted:,} rows, but {found:,} arrived. Nothing was copied. Stop Attune, and "
            "copy again."
        )


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let new rows get ids above those that came; SQLite does so by itself, a sequence of PostgreSQL must be told."""
    key = table.primary_key.columns.values()[0]
    if connection.dialect.name != "postgresql" or key.name != "id":
        return
    sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, key.name)))
    if sequence:
        connection.execute(
            text("SELECT setval(:sequence, greatest(:highest, 1), :highest > 0)"),
            {"sequence": sequence, "highest": connection.scalar(select(func.coalesce(func.max(key), 0)))},
        )
