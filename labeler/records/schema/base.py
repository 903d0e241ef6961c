"""The base of all tables: names of constraints, and which column each Python type gets."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, MetaData, String
from sqlalchemy.orm import DeclarativeBase

from attune.labeler.records.types import UtcDateTime


def new_key() -> str:
    """A key that no task or page ever had: 32 hexadecimal digits at random (UUID version 4)."""
    return uuid4().hex


class Base(DeclarativeBase):
    """Constraint names follow one rule, so that a migration can name what it drops."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own declaration
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[Any]: JSON,
        str: String(255),
    }
