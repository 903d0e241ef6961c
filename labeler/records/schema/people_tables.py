"""Tables of people who log in: users, sessions, links, tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from attune.labeler.records.schema.base import Base


class User(Base):
    """A login of the console: expert, owner or admin."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    expert_id: Mapped[int | None] = mapped_column(ForeignKey("experts.id"))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    # Kinds of notices that this person wants in the console alone. The default is for an older release.
    no_mail: Mapped[list[str]] = mapped_column(default=list, server_default="[]")


class ConsoleSession(Base):
    """One browser in which a person is logged in; only the sha256 of the key in its cookie is kept."""

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    network_address: Mapped[str]
    browser: Mapped[str]  # in words, as "Firefox on Windows"
    made_at: Mapped[datetime]
    last_seen: Mapped[datetime]  # some minutes coarse
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInLink(Base):
    """A link that lets one person into the console once; only its sha256 is kept."""

    __tablename__ = "sign_in_links"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]  # also set where a newer link replaced it
    made_by: Mapped[str] = mapped_column(default="")  # an address, or a user of the machine; empty: not known


class Token(Base):
    """A bearer token of a machine; only its sha256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
