"""Tables of insights: imported features, frozen questions, runs, answers in versions, and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from attune.labeler.records.schema.base import Base
from attune.labeler.records.types import WIDE


class ImportedFeature(Base):
    """A version of a feature that was not made by Attune. Its values are in the Parquet file ``file``; immutable, but
    for ``means``, a sentence that says what the feature means, or nothing."""

    __tablename__ = "imported_features"
    __table_args__ = (UniqueConstraint("name", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    classes: Mapped[list[str]] = mapped_column(default=list)  # none: a number
    rows: Mapped[int] = mapped_column(WIDE)
    faults: Mapped[dict[str, Any]] = mapped_column(default=dict)  # reason -> rows, the first of them
    file: Mapped[str] = mapped_column(String(64))  # sha256
    source: Mapped[str] = mapped_column(Text)
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    means: Mapped[str] = mapped_column(Text, default="")


class InsightQuestion(Base):
    """A question, frozen before it is answered: no column ever changes, and ``digest`` is of what it asks.

    ``contrast`` is two classes, ``first:second``, or ``per sd``; ``canvas`` is empty for all canvases together.
    ``titles``: ``all`` where a person asked before looking, else ``confirmation``, the half that did not find it.
    ``kind`` and ``values`` are of the feature as it was when it was asked. ``seen``: a person asked it after figures of
    the feature could be seen, so that no performance of that time can confirm it.
    """

    __tablename__ = "insight_questions"
    id: Mapped[int] = mapped_column(primary_key=True)
    feature: Mapped[str]
    contrast: Mapped[str] = mapped_column(Text)
    canvas: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[str] = mapped_column(String(16))  # imported, attribute, measured
    values: Mapped[str] = mapped_column(String(64))  # digest: `Known.values`
    seen: Mapped[bool] = mapped_column(default=False)
    titles: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(16))  # person, import, discovery
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64), index=True)


class InsightCompanion(Base):
    """What else was asked of a question, beside another feature: whether its effect ``depends`` on that, or what it is
    with that feature held (``holding``). Frozen as a question is; ``values`` and ``contrast`` are of the other feature.
    """

    __tablename__ = "insight_companions"
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("insight_questions.id"), index=True)
    way: Mapped[str] = mapped_column(String(16))  # depends, holding
    feature: Mapped[str]
    contrast: Mapped[str] = mapped_column(Text)
    values: Mapped[str] = mapped_column(String(64))  # digest: `Known.values`
    seen: Mapped[bool] = mapped_column(default=False)
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))


class InsightRun(Base):
    """One run: ``inputs`` are digests of performance and features; the same inputs give the same figures."""

    __tablename__ = "insight_runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    q: Mapped[float]
    seed: Mapped[int]
    inputs: Mapped[dict[str, Any]]
    looked: Mapped[dict[str, Any]]  # feature -> how many questions the discovery half was asked
    values: Mapped[dict[str, Any]]  # feature -> the digest `Known.values`, of all that were looked at
    found: Mapped[list[Any]]  # questions that the discovery half raised
    started_by: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]


class Insight(Base):
    """The answer to a question. ``published``: the version that was published, None where none is."""

    __tablename__ = "insights"
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("insight_questions.id"), unique=True)
    state: Mapped[str] = mapped_column(String(16))  # proposed, published, retired
    published: Mapped[int | None]


class InsightVersion(Base):
    """One answer, immutable: ``figures`` of ``inputs``, and the ``digest`` of question and inputs."""

    __tablename__ = "insight_versions"
    __table_args__ = (UniqueConstraint("insight_id", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    insight_id: Mapped[int] = mapped_column(ForeignKey("insights.id"))
    version: Mapped[int]
    run_id: Mapped[int] = mapped_column(ForeignKey("insight_runs.id"))
    grade: Mapped[str] = mapped_column(String(1))  # empty where there is no figure
    figures: Mapped[dict[str, Any]]
    inputs: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]


class InsightEvent(Base):
    """One line of an insight's history; append-only."""

    __tablename__ = "insight_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    insight_id: Mapped[int] = mapped_column(ForeignKey("insights.id"), index=True)
    at: Mapped[datetime]
    who: Mapped[str]
    action: Mapped[str] = mapped_column(String(16))  # publish, retire
    version: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)


class GoesWithRun(Base):
    """What goes with takes across titles, as it was learned once; the newest is shown. ``figures`` name what they were
    made of: digests of the performance and of each feature's values."""

    __tablename__ = "goes_with_runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    seed: Mapped[int]
    figures: Mapped[dict[str, Any]]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
