"""Tables of scoping: groups of images that the decision line of a question cuts through, and decisions about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from attune.labeler.records.schema.base import Base


class ScopeGroups(Base):
    """The groups of one attribute (`attune.labeler.scope.groups`). In a cache, to clear it would bring others."""

    __tablename__ = "scope_groups"
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"), primary_key=True)
    run: Mapped[int]
    revision: Mapped[int]
    steps: Mapped[int]
    groups: Mapped[list[Any]]


class ScopeDecision(Base):
    """One person's decision about one group: ``said`` is all, none, ticked or skip (`attune.labeler.scope`).

    ``shown`` and ``ticked`` are keys of assets. ``written``: the revision whose examples come from it, None before.
    """

    __tablename__ = "scope_decisions"
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"), index=True)
    once: Mapped[str] = mapped_column(String(36), unique=True)  # names this decision for good, however often it is sent
    revision: Mapped[int]  # that the person read
    who: Mapped[str]  # an address, or a user of the machine
    expert_id: Mapped[int | None] = mapped_column(ForeignKey("experts.id"))
    said: Mapped[str] = mapped_column(String(10))
    shown: Mapped[list[Any]]
    ticked: Mapped[list[Any]]
    note: Mapped[str] = mapped_column(Text, default="")
    answers: Mapped[int] = mapped_column(default=0)  # that were stored with it
    written: Mapped[int | None]
    decided_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undoing_at: Mapped[datetime | None]  # an undo began then, and its answers may still be there
