"""Tables of what was answered: annotations, their history, comments, suspected label errors."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from attune.labeler.records.schema.base import Base
from attune.labeler.records.schema.pool_tables import Asset
from attune.labeler.records.schema.question_tables import Expert


class Annotation(Base):
    """One expert's answer on one asset as Label Studio last told it; deleted ones stay, marked.

    ``label_studio_id`` is an address: it is None once Label Studio has given the id to another annotation.
    """

    __tablename__ = "annotations"
    __table_args__ = (
        Index("ix_annotations_attribute_id_asset_pk", "attribute_id", "asset_pk"),
        Index("ix_annotations_attribute_id_answered_at", "attribute_id", "answered_at"),
        # Of few rows, and small: who asks for what counts would else be led through all of them by it.
        Index(
            "ix_annotations_deleted",
            "attribute_id",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    label_studio_id: Mapped[int | None] = mapped_column(unique=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    revision: Mapped[int]
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"), index=True)
    label_studio_task: Mapped[int | None] = mapped_column(index=True)  # may be a second one for the same asset
    asset_pk: Mapped[int] = mapped_column(ForeignKey("assets.id"))
    expert_id: Mapped[int] = mapped_column(ForeignKey("experts.id"))
    value: Mapped[str]  # a class, "unsure" or "skip"
    purpose: Mapped[str]
    inclusion: Mapped[float | None]
    lead_seconds: Mapped[float | None]  # of the look that the first answer took, whatever was corrected since
    # Of all looks, as Label Studio adds them up: less ``lead_seconds`` those of corrections. None: never corrected, or
    # an answer on a page.
    total_seconds: Mapped[float | None]
    answered_at: Mapped[datetime]  # created in Label Studio
    updated_at: Mapped[datetime]  # last changed in Label Studio
    deleted_at: Mapped[datetime | None]
    received_at: Mapped[datetime]

    asset: Mapped[Asset] = relationship()
    expert: Mapped[Expert] = relationship()


class SuspectedAnswer:
    """The columns of a list of suspected label errors; each new list replaces the one before.

    Where the answer was changed since, the row says nothing any more (``labeler.answers.label_errors``).
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotations.id"))
    run: Mapped[int]  # number of the run after which the list was made
    place: Mapped[int]  # 1 is the least likely right
    given: Mapped[str]
    expected: Mapped[str]
    probe: Mapped[float]  # the probability of ``expected`` by a probe that did not learn from the image or its title
    right: Mapped[float]  # how likely the answer is right, by that probe and all experts


class LabelError(SuspectedAnswer, Base):
    """An answer that the newest list names."""

    __tablename__ = "label_errors"
    __table_args__ = (UniqueConstraint("attribute_id", "annotation_id"),)


class ToldLabelError(SuspectedAnswer, Base):
    """An answer that the list names which experts read: that of a run whose figures they are shown."""

    __tablename__ = "told_label_errors"
    __table_args__ = (UniqueConstraint("attribute_id", "annotation_id"),)


class ConfirmedAnswer(Base):
    """An answer that someone looked at again and kept; it is suspected no more, unless it changes."""

    __tablename__ = "confirmed_answers"
    __table_args__ = (UniqueConstraint("annotation_id", "value"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotations.id"))
    value: Mapped[str]
    who: Mapped[str]
    at: Mapped[datetime]


class Comment(Base):
    """What a person wrote in the thread of a disputed image; or, with ``revision``, the one that was made of it."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_attribute_id_asset_pk", "attribute_id", "asset_pk"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    asset_pk: Mapped[int] = mapped_column(ForeignKey("assets.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str] = mapped_column(Text)
    revision: Mapped[int | None]
    at: Mapped[datetime]


class GridAnswer(Base):
    """Which annotation came of which page."""

    __tablename__ = "grid_answers"
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotations.id"), primary_key=True, autoincrement=False)
    page_id: Mapped[int] = mapped_column(ForeignKey("grid_pages.id"), index=True)


class AnnotationEvent(Base):
    """Every state an annotation was ever seen in; append-only."""

    __tablename__ = "annotation_events"
    __table_args__ = (UniqueConstraint("annotation_id", "kind", "updated_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotations.id"))
    kind: Mapped[str]  # created, changed, deleted
    value: Mapped[str]
    updated_at: Mapped[datetime]
    via: Mapped[str]  # sync, import, leaver; webhook in records of before webhooks were hints
    received_at: Mapped[datetime]
    who: Mapped[str] = mapped_column(default="")  # who brought it, of an import: an address, or a user of the machine


class Tombstone(Base):
    """Unused: what webhooks once said was deleted. No one writes or reads it; a later migration may drop the table."""

    __tablename__ = "tombstones"
    project: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label_studio_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    deleted_at: Mapped[datetime]


class Stray(Base):
    """An annotation in Label Studio that is not counted: no one of ours gave it, or it cannot be read.

    It is kept and named until it can be read or is gone there. ``reason`` is one of ``labeler.answers.uncounted``.
    """

    __tablename__ = "strays"
    __table_args__ = (UniqueConstraint("project", "label_studio_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"), index=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("experts.id"))  # whose queue or pages it is in
    project: Mapped[int]
    label_studio_id: Mapped[int]
    label_studio_task: Mapped[int]
    asset_id: Mapped[str]
    author: Mapped[str]  # an address, or "user 7" where Label Studio knows no more
    value: Mapped[str]
    reason: Mapped[str]
    updated_at: Mapped[datetime | None]  # in Label Studio
    seen_at: Mapped[datetime]
