"""Tables of what owners bring: histories of viewers, imports of performance."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from attune.labeler.records.schema.base import Base
from attune.labeler.records.types import WIDE


class Watched(Base):
    """A title that a viewer liked, kept until ``expires_at``. ``viewer`` is an HMAC: nobody's name is here."""

    __tablename__ = "watched"
    __table_args__ = (UniqueConstraint("viewer", "title_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    viewer: Mapped[str] = mapped_column(String(64))
    title_id: Mapped[str] = mapped_column(index=True)
    at: Mapped[float]  # seconds, as the history has it, or the row's number
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PerformanceImport(Base):
    """An import of measured performance. Its rows are in the Parquet file ``file`` (`labeler.performance.imports`).

    A row that a later import has, too, counts as the later one says. A removed import keeps its record and no file.
    """

    __tablename__ = "performance_imports"
    id: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[str] = mapped_column(String(64))  # sha256
    source: Mapped[str] = mapped_column(Text)
    source_digest: Mapped[str] = mapped_column(String(64), index=True)  # of the bytes, and how they were read
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the file's column of each field, and the arm
    rows: Mapped[int] = mapped_column(WIDE)
    rows_read: Mapped[int] = mapped_column(WIDE)
    rows_replaced: Mapped[int] = mapped_column(WIDE)  # of earlier imports
    faults: Mapped[dict[str, Any]] = mapped_column(default=dict)  # reason -> rows, and the first of them
    impressions: Mapped[int] = mapped_column(WIDE)
    takes: Mapped[float]
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str] = mapped_column(default="")
    removed_reason: Mapped[str] = mapped_column(Text, default="")
