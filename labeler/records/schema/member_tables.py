"""Tables of members: files of hashed rows that go again, groupings in versions, and which one is in use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from attune.labeler.records.schema.base import Base
from attune.labeler.records.types import WIDE


class MemberFile(Base):
    """Rows of members, kept until ``expires_at`` in the Parquet file ``file``. Members are HMACs: no name is there."""

    __tablename__ = "member_files"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # viewing, responses
    file: Mapped[str] = mapped_column(String(64))  # sha256; another one after a member was erased
    source: Mapped[str] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(WIDE)
    rows_read: Mapped[int] = mapped_column(WIDE)
    faults: Mapped[dict[str, Any]] = mapped_column(default=dict)  # reason -> rows, and the first of them
    simulated: Mapped[bool] = mapped_column(default=False, server_default=false())  # its file says that it is made up
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class MemberGrouping(Base):
    """A version of groups of members, immutable; its number is ``id``.

    ``figures`` is what may be told: no cell of it has fewer than 50 members. ``forecast`` are coefficients.
    """

    __tablename__ = "member_groupings"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # viewing, responses
    groups: Mapped[int]
    seed: Mapped[int]
    figures: Mapped[dict[str, Any]]
    forecast: Mapped[dict[str, Any]] = mapped_column(default=dict)
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class MemberPromotion(Base):
    """One line of the history of which version is in use; the last one counts."""

    __tablename__ = "member_promotions"
    id: Mapped[int] = mapped_column(primary_key=True)
    grouping_id: Mapped[int] = mapped_column(ForeignKey("member_groupings.id"))
    at: Mapped[datetime]
    who: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
