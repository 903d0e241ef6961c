"""Tables of jobs and notices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from attune.labeler.records.schema.base import Base


class Job(Base):
    """What was asked of the workers, mirrored here so that it survives a lost Redis."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str | None] = mapped_column(index=True)  # the attribute it is about
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(index=True)  # queued, running, done, failed, lost
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Notice(Base):
    """Something that happened and someone should know; ``key`` keeps it from being told twice.

    With an expert it is that expert's alone, with a user that login's alone; without either it is for those who manage.
    """

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    attribute_id: Mapped[int | None] = mapped_column(ForeignKey("attributes.id"))
    expert_id: Mapped[int | None] = mapped_column(ForeignKey("experts.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(index=True)  # of `users`
    title: Mapped[str]
    text: Mapped[str] = mapped_column(Text, default="")
    link: Mapped[str]  # a path of the console
    at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)  # when to send it next; None where nothing is left
    sent: Mapped[dict[str, Any]] = mapped_column(default=dict)  # channel -> {"state", "tries", "at", "error"}


class NoticeRead(Base):
    """A notice that one login has marked as read."""

    __tablename__ = "notice_reads"
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    at: Mapped[datetime]
