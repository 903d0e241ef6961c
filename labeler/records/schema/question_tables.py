"""Tables of what is asked, and of whom: attributes, their revisions, experts, queues, tasks, picks, pages of images."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from attune.labeler.records.schema.base import Base, new_key
from attune.labeler.records.schema.pool_tables import Asset


class Attribute(Base):
    """A question with two or more exclusive classes, as it stands in its newest revision."""

    __tablename__ = "attributes"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    question: Mapped[str] = mapped_column(Text)
    classes: Mapped[list[str]]
    definition: Mapped[str] = mapped_column(Text, default="")
    in_scope: Mapped[list[str]] = mapped_column(default=list)
    out_of_scope: Mapped[list[str]] = mapped_column(default=list)
    prompts: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # {"positive": [..], "negative": [..], "classes": {c: [..]}}
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    # The learn lock: answers raise the counter, a learner holds the lease and writes only under its own token.
    answers_counter: Mapped[int] = mapped_column(default=0)
    learned_counter: Mapped[int] = mapped_column(default=-1)
    lease_token: Mapped[int] = mapped_column(default=0)
    lease_holder: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    audit_state: Mapped[bytes | None] = mapped_column(LargeBinary)

    queues: Mapped[list[Queue]] = relationship(back_populates="attribute")


class AttributeRevision(Base):
    """What an attribute said at one revision, and why it was changed."""

    __tablename__ = "attribute_revisions"
    __table_args__ = (UniqueConstraint("attribute_id", "revision"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    revision: Mapped[int]
    content: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text, default="")
    answers_hold: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Expert(Base):
    """A person who answers. A leaver keeps the row, so that answers keep their author."""

    __tablename__ = "experts"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    label_studio_user: Mapped[int | None] = mapped_column(index=True)
    every_attribute: Mapped[bool] = mapped_column(default=True)  # also those made later
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    queues: Mapped[list[Queue]] = relationship(back_populates="expert")


class Queue(Base):
    """One expert's open questions on one attribute: a Label Studio project."""

    __tablename__ = "queues"
    __table_args__ = (UniqueConstraint("attribute_id", "expert_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    expert_id: Mapped[int] = mapped_column(ForeignKey("experts.id"))
    project: Mapped[int] = mapped_column(unique=True)
    view: Mapped[int]
    webhook: Mapped[int | None]
    model_version: Mapped[str] = mapped_column(default="")
    order_run: Mapped[int] = mapped_column(default=0)  # the run whose order Label Studio serves
    ordered_at: Mapped[datetime | None]
    synced_until: Mapped[datetime | None]
    surplus: Mapped[int] = mapped_column(default=0)  # tasks that its project held beyond the records', last compared
    answer_surplus: Mapped[int] = mapped_column(default=0, server_default="0")  # likewise of answers (`answer_totals`)
    kept: Mapped[int] = mapped_column(default=0)  # answers that count although Label Studio holds them no more
    # Which revision its page showed since when (`attributes.shown_revision`). The default is for an older release.
    shown: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    # How the expert chose to answer (`page_advice`); empty: as Attune suggests. The default is for an older release.
    way: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]  # an owner paused it: nothing new is asked here until it is started again
    stopped_by: Mapped[str] = mapped_column(default="", server_default="")  # an address, or a user of the machine

    attribute: Mapped[Attribute] = relationship(back_populates="queues")
    expert: Mapped[Expert] = relationship(back_populates="queues")


class Task(Base):
    """An asset put to one expert, with a purpose. State: open, answered, retired.

    ``key`` is what the task is known by, also in Label Studio's data. ``label_studio_task`` is only its address there:
    Label Studio gives a freed id to another task, so it is checked against the key and is None once the task is gone.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("queue_id", "asset_pk"),
        Index("ix_tasks_queue_id_state", "queue_id", "state"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queues.id"))
    asset_pk: Mapped[int] = mapped_column(ForeignKey("assets.id"), index=True)
    key: Mapped[str] = mapped_column(String(32), unique=True, default=new_key)
    label_studio_task: Mapped[int | None] = mapped_column(unique=True)
    purpose: Mapped[str]
    utility: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    inclusion: Mapped[float | None]
    run: Mapped[int]  # number of the run that asked; 0 before the first
    position: Mapped[int] = mapped_column(default=0)
    due: Mapped[int | None]  # an audit's turn, counted in the expert's answers, so that no one can tell it by its place
    state: Mapped[str] = mapped_column(default="open")
    offered_at: Mapped[datetime | None]  # when it last stood where Label Studio may hand it out
    signed_until: Mapped[datetime | None]
    created_at: Mapped[datetime]

    queue: Mapped[Queue] = relationship()
    asset: Mapped[Asset] = relationship()


class Pick(Base):
    """An image that a person chose for one expert's queue; it stands at its head until that expert has answered it."""

    __tablename__ = "picks"
    __table_args__ = (UniqueConstraint("attribute_id", "expert_id", "asset_pk"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    expert_id: Mapped[int] = mapped_column(ForeignKey("experts.id"))
    asset_pk: Mapped[int] = mapped_column(ForeignKey("assets.id"))
    who: Mapped[str]
    why: Mapped[str] = mapped_column(Text, default="")  # what was searched for
    # Second opinions are asked about doubtful answers, so agreement is never measured on them. The default is for an
    # older release.
    purpose: Mapped[str] = mapped_column(default="seed", server_default="seed")
    created_at: Mapped[datetime]


class Grid(Base):
    """One expert's pages of images on one attribute: a Label Studio project beside the queue of single images."""

    __tablename__ = "grids"
    __table_args__ = (UniqueConstraint("attribute_id", "expert_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attribute_id: Mapped[int] = mapped_column(ForeignKey("attributes.id"))
    expert_id: Mapped[int] = mapped_column(ForeignKey("experts.id"))
    project: Mapped[int] = mapped_column(unique=True)
    view: Mapped[int]
    webhook: Mapped[int | None]
    synced_until: Mapped[datetime | None]
    answer_surplus: Mapped[int] = mapped_column(default=0, server_default="0")  # as a queue's
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class GridPage(Base):
    """A page of images put to an expert at once. State: open, answered, retired."""

    __tablename__ = "grid_pages"
    id: Mapped[int] = mapped_column(primary_key=True)
    grid_id: Mapped[int] = mapped_column(ForeignKey("grids.id"), index=True)
    key: Mapped[str] = mapped_column(String(32), unique=True, default=new_key)
    label_studio_task: Mapped[int | None] = mapped_column(unique=True)  # an address, as a task's
    ticked: Mapped[str]  # the class that a tick means
    unticked: Mapped[str | None]  # the class that no tick means on a submitted page; None: no answer
    asset_pks: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(default="open")
    label_studio_id: Mapped[int | None] = mapped_column(index=True)  # the annotation that answers the page
    updated_at: Mapped[datetime | None]  # when that annotation was last changed in Label Studio
    signed_until: Mapped[datetime]
    created_at: Mapped[datetime]
