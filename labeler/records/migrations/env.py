"""Alembic's entry: run the migrations over one connection."""

from typing import Any

from alembic import context
from sqlalchemy import create_engine, event

from attune.labeler.records import asset_stamp
from attune.labeler.records.schema import Base
from attune.labeler.records.types import UtcDateTime


def _render(kind: str, item: Any, _context: Any) -> Any:
    """A migration outlives the code: it names SQLAlchemy's own types, not ours."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def _by_hand(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def run() -> None:
    """Upgrade or downgrade the database at the configured address."""
    connectable = create_engine(context.config.attributes["url"])
    if connectable.dialect.name == "sqlite":
        # pysqlite begins no transaction before DDL: a start killed in the middle would leave half a migration behind.
        event.listen(connectable, "connect", _by_hand)
        event.listen(connectable, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    with connectable.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            render_item=_render,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            asset_stamp.after_migration(connection)
    connectable.dispose()


run()
