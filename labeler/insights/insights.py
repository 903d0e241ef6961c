"""Insights: the newest answer to each question, which goes stale when its inputs move; published and retired with a
reason, and a history that only grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.insights import evidence, features
from attune.labeler.records.schema import Insight, InsightEvent, InsightQuestion, InsightRun, InsightVersion
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, UnknownInsight
from attune.models.files.atomic import digest_json
from attune.models.insights.grades import lowest

METHOD = 1  # of the figures: a change of it makes new versions
LARGEST_Q = 0.1
PROPOSED, PUBLISHED, RETIRED = "proposed", "published", "retired"


@dataclass(frozen=True)
class Told:
    """An insight with its question, its newest version and ``moved``: what has changed since, and makes it stale."""

    row: Insight
    question: InsightQuestion
    newest: InsightVersion
    moved: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, Any]:
        """Of the newest version."""
        return self.newest.figures

    @property
    def enough(self) -> bool:
        """Whether there is a sentence: a figure, and a q of at most 0.1."""
        return self.figures["estimate"] is not None and self.figures["q"] <= LARGEST_Q


def keep(settings: Settings, run: InsightRun, told: Sequence[dict[str, Any]]) -> None:
    """Write a run and its answers in one transaction. The same question and inputs as before make no new version."""
    with writing(settings) as session:
        session.add(run)
        session.flush()
        for one in told:
            _keep_one(session, run, one)
        session.expunge(run)


def _keep_one(session: Session, run: InsightRun, one: dict[str, Any]) -> None:
    question: InsightQuestion = one["question"]
    row = session.scalar(select(Insight).where(Insight.question_id == question.id))
    if row is None:
        row = Insight(question_id=question.id, state=PROPOSED)
        session.add(row)
        session.flush()
    elif row.state == RETIRED:
        return
    before = newest_of(session, row.id)
    # The other answers of the run are in it, too: q and shrinkage come from all of them together.
    said = {name: one["figures"].get(name) for name in ("estimate", "se", "q", "shrunk", "corrected")}
    digest = digest_json({"question": question.digest, "inputs": one["inputs"], "method": METHOD, "said": said})
    if before is not None and before.digest == digest:
        return
    grades: list[Any] = [grade for grade in (one["grade"], before.grade if before else "") if grade]
    session.add(
        InsightVersion(
            insight_id=row.id,
            version=1 if before is None else before.version + 1,
            run_id=run.id,
            grade=lowest(grades) if one["grade"] else "",
            figures=one["figures"],
            inputs={"of": one["inputs"]},
            digest=digest,
            made_at=run.finished_at,
        )
    )


def newest_of(session: Session, insight: int) -> InsightVersion | None:
    """The newest version of an insight."""
    wanted = select(InsightVersion).where(InsightVersion.insight_id == insight)
    return session.scalar(wanted.order_by(InsightVersion.version.desc()).limit(1))


def listed(settings: Settings, canvas: str = "", grade: str = "", q: float | None = None) -> list[Told]:
    """All insights, the surest first, those without enough after them, retired ones last."""
    last = select(func.max(InsightVersion.id)).group_by(InsightVersion.insight_id)
    wanted = (
        select(Insight, InsightQuestion, InsightVersion)
        .join(InsightQuestion, InsightQuestion.id == Insight.question_id)
        .join(InsightVersion, InsightVersion.insight_id == Insight.id)
        .where(InsightVersion.id.in_(last))
    )
    moved = _Moved(settings)
    with reading(settings) as session:
        found = [Told(*row, moved.of(row[2])) for row in session.execute(wanted)]
    kept = [
        one
        for one in found
        if (not canvas or one.question.canvas == canvas)
        and (not grade or one.newest.grade == grade)
        and (q is None or (one.figures["estimate"] is not None and one.figures["q"] <= q))
    ]
    return sorted(kept, key=_order)


def _order(one: Told) -> tuple[Any, ...]:
    figures = one.figures
    size = abs(figures["shrunk"]["estimate"]) if figures["estimate"] is not None else 0.0
    return one.row.state == RETIRED, not one.enough, one.newest.grade == "D", one.newest.grade or "E", -size, one.row.id


def find(settings: Settings, number: int) -> Told:
    """One insight. Raises UnknownInsight."""
    moved = _Moved(settings)
    with reading(settings) as session:
        row = session.get(Insight, number)
        newest = None if row is None else newest_of(session, row.id)
        if row is None or newest is None:
            raise UnknownInsight(f"Insight {number} does not exist. To list the insights: `attune insights list`")
        return Told(row, session.get_one(InsightQuestion, row.question_id), newest, moved.of(newest))


def versions(session: Session, insight: int) -> Sequence[InsightVersion]:
    """All versions, the newest first."""
    wanted = select(InsightVersion).where(InsightVersion.insight_id == insight)
    return session.scalars(wanted.order_by(InsightVersion.version.desc())).all()


def history(session: Session, insight: int) -> Sequence[InsightEvent]:
    """What became of an insight, the newest first."""
    wanted = select(InsightEvent).where(InsightEvent.insight_id == insight)
    return session.scalars(wanted.order_by(InsightEvent.id.desc())).all()


def last_run(session: Session) -> InsightRun | None:
    """The newest run."""
    return session.scalar(select(InsightRun).order_by(InsightRun.id.desc()).limit(1))


def retired_questions(session: Session) -> list[tuple[str, str, str]]:
    """Feature, canvas and contrast of what was retired: discovery never raises it again, a person may."""
    wanted = select(InsightQuestion).join(Insight, Insight.question_id == InsightQuestion.id)
    rows = session.scalars(wanted.where(Insight.state == RETIRED))
    return [(row.feature, row.canvas, row.contrast) for row in rows]


def publish(settings: Settings, number: int, reason: str, who: str) -> Told:
    """Publish an insight's newest version. Raises DataError without a reason, or where it does not say enough."""
    one = find(settings, number)
    if not reason.strip():
        raise DataError("The reason is empty. Say why you believe it, for whoever reads it later: --reason TEXT")
    if one.row.state == RETIRED:
        raise DataError(f"Insight {number} is retired. A retired insight stays retired: register its question again.")
    if one.figures["estimate"] is None:
        raise DataError(f"Insight {number} has no figure yet, so there is nothing to publish. {one.figures['why']}")
    if not one.enough:
        raise DataError(
            f"Insight {number} may be chance: its q is {one.figures['q']:.2f}, and at most {LARGEST_Q} is allowed. "
            f"More impressions may decide it: `attune insights power {number}`"
        )
    if one.moved:
        raise DataError(
            f"Insight {number} is stale: {', '.join(one.moved)}. Answer the questions again: `attune insights run`"
        )
    return _move(settings, one, "publish", PUBLISHED, reason, who)


def retire(settings: Settings, number: int, reason: str, who: str) -> Told:
    """Retire an insight for good. Raises DataError without a reason, and where it is retired already."""
    one = find(settings, number)
    if not reason.strip():
        raise DataError("The reason is empty. Say why it does not hold, for whoever used it: --reason TEXT")
    if one.row.state == RETIRED:
        raise DataError(f"Insight {number} is retired already. To see why: `attune insights show {number}`")
    return _move(settings, one, "retire", RETIRED, reason, who)


def _move(settings: Settings, one: Told, action: str, state: str, reason: str, who: str) -> Told:
    with writing(settings) as session:
        row = session.get_one(Insight, one.row.id)
        row.state = state
        row.published = one.newest.version if state == PUBLISHED else None
        session.add(InsightEvent(
            insight_id=row.id, at=now(), who=who, action=action, version=one.newest.version, reason=reason.strip()
        ))  # fmt: skip
    return find(settings, one.row.id)


class _Moved:
    """What is different today from what an answer was made of."""

    def __init__(self, settings: Settings) -> None:
        self.performance = list(evidence.digests(settings))
        self.features = features.known(settings)

    def of(self, version: InsightVersion) -> tuple[str, ...]:
        """Words for each input that moved."""
        told: list[str] = []
        for part in version.inputs.get("of", []):
            if "performance" in part and part["performance"] != self.performance:
                told.append("performance was added or removed")
            if "feature" in part:
                feature = self.features.get(part["feature"])
                if feature is None or (feature.version, feature.digest) != (part["version"], part["digest"]):
                    told.append(f"{part['feature']} has another version" if feature else f"{part['feature']} is gone")
                elif feature.audits != part.get("audits", ""):
                    told.append(f"{part['feature']} has other audit answers")
        return tuple(told)
