"""Tables of the pool: encoders, assets, and what was decided about images that look alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from attune.labeler.records.schema.base import Base


class Encoder(Base):
    """An encoder that vectors of the pool were made with; at most one is active."""

    __tablename__ = "encoders"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=False)
    added_at: Mapped[datetime]


def _reading() -> int:
    from attune.models.images.decode import READING  # here, as most commands need no image library

    return READING


class Asset(Base):
    """An image in the pool. A removed one keeps its row and nothing else."""

    __tablename__ = "assets"
    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[str] = mapped_column(unique=True)
    title_id: Mapped[str] = mapped_column(index=True)
    uri: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(index=True)
    width: Mapped[int]
    height: Mapped[int]
    columns: Mapped[dict[str, Any]] = mapped_column(default=dict)
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None] = mapped_column(index=True)
    reading: Mapped[int] = mapped_column(default=_reading, index=True)  # the reading that its vector and size are of
    moved_at: Mapped[datetime | None]  # when a newer reading last showed another picture


class AssetStamp(Base):
    """Row 1 says which state the assets are in, row 2 their titles and columns: 32 hexadecimal digits at random, new
    with each commit that changed one (`records.asset_stamp`)."""

    __tablename__ = "asset_stamps"
    id: Mapped[int] = mapped_column(primary_key=True)
    stamp: Mapped[str]


class LookAlike(Base):
    """What an owner decided about images that are nearly the same, or unlike all others.

    ``kind``: ``apart`` (not duplicates), ``title`` (put under one title, ``titles_before`` says by key what each had)
    or ``belongs`` (no outlier). Nobody is asked about these images again until the decision is undone.
    """

    __tablename__ = "look_alikes"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    asset_pks: Mapped[list[Any]]
    title: Mapped[str] = mapped_column(default="")
    titles_before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
