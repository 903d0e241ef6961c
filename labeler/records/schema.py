"""The tables. Words as in the design: asset, attribute, expert, task, annotation, run, version, alias.

Every change here needs a migration in ``records/migrations/versions``; a test upgrades an old file and compares.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from attune.labeler.records.types import WIDE, UtcDateTime


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


class Annotation(Base):
    """One expert's answer on one asset as Label Studio last told it; deleted ones stay, marked.

    ``label_studio_id`` is an address: it is None once Label Studio has given the id to another annotation.
    """

    __tablename__ = "annotations"
    __table_args__ = (Index("ix_annotations_attribute_id_asset_pk", "attribute_id", "asset_pk"),)
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


class Space(Base):
    """A way of seeing the pool that vectors were computed in, by its fingerprint; ``measures`` are of the vectors then.

    ``base_digest`` is the digest of the encoder that it belongs to; None where no encoder has a part in it.
    """

    __tablename__ = "spaces"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)  # final, layer:4, colour
    digest: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[dict[str, Any]]
    base_digest: Mapped[str | None] = mapped_column(index=True)
    measures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    added_at: Mapped[datetime]


class Clustering(Base):
    """One making of clusters in one space. Who is in which stands in the file ``file`` (`labeler.spaces.members`).

    Clusterings of one ``space`` and ``scope`` share their clusters' numbers. ``scope`` is empty for the whole pool; of
    sub-clusters it says inside which cluster of which space.
    """

    __tablename__ = "clusterings"
    __table_args__ = (Index("ix_clusterings_space_scope", "space", "scope"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    space: Mapped[str]
    space_digest: Mapped[str]
    scope: Mapped[str] = mapped_column(default="")
    within_id: Mapped[int | None] = mapped_column(ForeignKey("clusterings.id"))
    within_number: Mapped[int | None]
    k: Mapped[int]  # as asked, or as stability chose
    agreement: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of the numbers that stability chose from
    seed: Mapped[int]
    assets: Mapped[int]
    file: Mapped[str] = mapped_column(String(64))  # sha256
    before_id: Mapped[int | None] = mapped_column(ForeignKey("clusterings.id"))
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)  # born, died, split and merged since the one before
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    described_at: Mapped[datetime | None]
    # What the descriptions are of (`labeler.spaces.descriptions.Basis`). The default is for an older release.
    described: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class Cluster(Base):
    """A group of similar images of one clustering; the same number in the next one is the same group."""

    __tablename__ = "clusters"
    __table_args__ = (UniqueConstraint("clustering_id", "number"), UniqueConstraint("clustering_id", "place"))
    id: Mapped[int] = mapped_column(primary_key=True)
    clustering_id: Mapped[int] = mapped_column(ForeignKey("clusterings.id"))
    place: Mapped[int]  # in the file; 0 is the largest
    number: Mapped[int]
    size: Mapped[int]
    stability: Mapped[float | None]  # mean best Jaccard overlap over bootstrap samples
    name: Mapped[str] = mapped_column(default="")
    # The defaults are for an older release.
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    near: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # numbers of the nearest, nearest first


class Description(Base):
    """One thing that a cluster's images have in common, as the last job `describe` found it.

    ``kind``: ``audit`` or ``answers`` (of experts), ``probe``, ``column``, ``phrase``. ``name`` is the attribute or the
    column, ``value`` its class or value, or the phrase. Shares are of the cluster and of the ``rest`` of all images;
    ``p`` and ``q`` are None where nothing was tested.
    """

    __tablename__ = "descriptions"
    id: Mapped[int] = mapped_column(primary_key=True)
    clustering_id: Mapped[int] = mapped_column(ForeignKey("clusterings.id"), index=True)
    number: Mapped[int]  # of the cluster
    place: Mapped[int]  # within the cluster and the kind, the surest first
    kind: Mapped[str]
    attribute_id: Mapped[int | None] = mapped_column(ForeignKey("attributes.id"))
    name: Mapped[str]
    value: Mapped[str]
    share: Mapped[float | None]
    lo: Mapped[float | None]
    hi: Mapped[float | None]
    rest: Mapped[float | None]
    n: Mapped[int] = mapped_column(default=0)
    titles: Mapped[int] = mapped_column(default=0)
    p: Mapped[float | None]
    q: Mapped[float | None]


class Layout(Base):
    """A map of one space: its landmarks, which never move, and the file of all positions (`labeler.maps.positions`).

    ``file`` is None until the images have been placed; ``placed_until`` is the key of the newest asset of that moment.
    """

    __tablename__ = "layouts"
    __table_args__ = (Index("ix_layouts_space_space_digest", "space", "space_digest"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    space: Mapped[str]
    space_digest: Mapped[str]  # fingerprint of the vectors
    seed: Mapped[int]
    landmarks: Mapped[int]
    landmarks_digest: Mapped[str] = mapped_column(String(64))  # sha256 of the landmarks' file
    images: Mapped[int] = mapped_column(default=0)
    file: Mapped[str | None] = mapped_column(String(64))  # sha256
    placed_until: Mapped[int] = mapped_column(default=0)
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    placed_at: Mapped[datetime | None]


class SpaceVersion(Base):
    """A learned space, immutable: its manifest, and the bytes of its file, so that lost files can be written again."""

    __tablename__ = "space_versions"
    __table_args__ = (UniqueConstraint("name", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]  # taste
    version: Mapped[int]
    manifest: Mapped[dict[str, Any]]
    digest: Mapped[str]  # sha256 of manifest.json
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made_by: Mapped[str]
    created_at: Mapped[datetime]


class SpacePromotion(Base):
    """One line of a learned space's history; append-only. The newest line of an alias says where it points."""

    __tablename__ = "space_promotions"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    who: Mapped[str]
    action: Mapped[str]  # promote, rollback
    alias: Mapped[str]
    version: Mapped[int]
    before: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text)


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
