"""Tables of the catalog: runs, versions, aliases, promotions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from attune.labeler.records.schema.base import Base
from attune.labeler.records.types import WIDE


class Run(Base):
    """One learning round of one attribute, and the probe it ended with (safetensors bytes)."""

    __tablename__ = "runs"
    __table_args__ = (UniqueConstraint("attribute_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    number: Mapped[int]
    revision: Mapped[int]
    token: Mapped[int]
    encoder_digest: Mapped[str]
    answers_counter: Mapped[int]
    answers: Mapped[int]  # skips not counted, audits counted
    chosen: Mapped[int] = mapped_column(default=0, server_default="0")  # of them, on images that their experts chose
    labels: Mapped[dict[str, Any]]  # counts per class, experts, purposes
    seed: Mapped[int] = mapped_column(WIDE)  # its last 63 bits (`attributes.kept_with_runs`)
    data_digest: Mapped[str]
    code_version: Mapped[str]
    metrics: Mapped[dict[str, Any]]
    advice: Mapped[dict[str, Any]] = mapped_column(default=dict)
    probe: Mapped[bytes] = mapped_column(LargeBinary)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]


class Version(Base):
    """A run's probe, published: immutable. Its number is the run's number."""

    __tablename__ = "versions"
    __table_args__ = (UniqueConstraint("attribute_id", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    version: Mapped[int]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    manifest: Mapped[dict[str, Any]]
    digest: Mapped[str]  # sha256 of manifest.json
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    scored_at: Mapped[datetime | None]
    scores: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Alias(Base):
    """A movable pointer to a version: champion, challenger."""

    __tablename__ = "aliases"
    __table_args__ = (UniqueConstraint("attribute_id", "alias"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    alias: Mapped[str]
    version: Mapped[int]


class Promotion(Base):
    """One line of the history that answers what was champion on a date; append-only."""

    __tablename__ = "promotions"
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"), index=True)
    at: Mapped[datetime]
    who: Mapped[str]
    action: Mapped[str]  # promote, rollback, retire
    alias: Mapped[str | None]
    version: Mapped[int]
    before: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text)
    gates: Mapped[list[Any]] = mapped_column(default=list)
