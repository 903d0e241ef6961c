"""Insights: the newest answer to each question, stale when its inputs move, and the version that is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from attune.labeler.insights import evidence, features, questions
from attune.labeler.insights.known import Known
from attune.labeler.people import owner_rights
from attune.labeler.records.schema import Insight, InsightEvent, InsightQuestion, InsightRun, InsightVersion
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import UnknownInsight
from attune.models.files.atomic import digest_json
from attune.models.insights.grades import Evidence, lowest
from attune.models.insights.grades import grade as best

# Of an answer: where one of them is another, so is the version.
SAID = ("estimate", "se", "q", "shrunk", "corrected", "seen", "largest_q", "not_audited")
BESIDE = ("depends", "holding")  # and of what else was asked of it
METHOD = 4  # of the figures: a change of it makes new versions
# Of figures that people's answers corrected: since 5 unsure ones and undrawn images are out, since 6 all images tell
# the error.
CORRECTED_METHOD = 6
LARGEST_Q = 0.1
PROPOSED, PUBLISHED, RETIRED = "proposed", "published", "retired"


@dataclass(frozen=True)
class Told:
    """An insight with its question, one version and ``moved``: what has changed since, and makes it stale.

    ``newest`` is the newest version, or the published one for whoever reads only what is published. ``published`` is
    the published version where ``newest`` is another. ``means``: what the feature means, where somebody said it.
    """

    row: Insight
    question: InsightQuestion
    newest: InsightVersion
    moved: tuple[str, ...] = ()
    published: InsightVersion | None = None
    means: str = ""

    @property
    def figures(self) -> dict[str, Any]:
        """Of the version."""
        return self.newest.figures

    @property
    def seen(self) -> bool:
        """Whether the question, or its feature's values, came after figures of the feature could be seen."""
        return bool(self.figures.get("seen"))

    @property
    def simulated(self) -> bool:
        """Whether performance behind the figures was made up, whatever is imported today."""
        return bool(self.figures.get("simulated"))

    @property
    def enough(self) -> bool:
        """Whether there is a sentence: a figure, a small q, and nobody can have chosen it for its figure."""
        return self.figures["estimate"] is not None and self.figures["q"] <= self.largest_q and not self.seen

    @property
    def largest_q(self) -> float:
        """The largest q that counts as sure: that of the run, at most 0.1."""
        return float(self.figures.get("largest_q", LARGEST_Q))


def basis_of(figures: Mapping[str, Any]) -> str:
    """Which rows answered: random, logged or every one. Older answers say only whether they were random."""
    return str(figures.get("basis") or ("random" if figures["random"] else "every"))


def _method(figures: Mapping[str, Any]) -> int:
    """Of the figures that answer a question, as this release makes them."""
    beside = [entry for name in BESIDE for entry in figures.get(name) or []]
    corrected = figures.get("corrected") or any(entry.get("audits") for entry in beside)
    return max(METHOD, CORRECTED_METHOD) if corrected else METHOD


def keep(
    settings: Settings, run: InsightRun, told: Sequence[dict[str, Any]], found: Sequence[InsightQuestion],
    asked_by: int | None = None,
) -> None:  # fmt: skip
    """Write a run, the questions that it ``found`` and its answers in one transaction.

    A question that somebody asked in the meantime is theirs. The same question and inputs as before make no new
    version. Raises AccessError where the login ``asked_by`` is no longer an owner's.
    """
    with writing(settings) as session:
        owner_rights.check_owner(session, asked_by)
        theirs = [one for one in found if questions.asked_already(session, one)]
        new = [one for one in found if one not in theirs]
        session.add_all(new)
        session.flush()
        run.found = [one.id for one in new]
        session.add(run)
        session.flush()
        for one in told:
            if one["question"] not in theirs:
                _keep_one(session, run, one)
        session.flush()
        session.expunge_all()


def _keep_one(session: Session, run: InsightRun, one: dict[str, Any]) -> None:
    question: InsightQuestion = one["question"]
    row = session.scalar(select(Insight).where(Insight.question_id == question.id).with_for_update())
    if row is None:
        row = Insight(question_id=question.id, state=PROPOSED)
        session.add(row)
        session.flush()
    elif row.state == RETIRED:
        return
    before = newest_of(session, row.id)
    # The other answers of the run are in it, too: q and shrinkage come from all of them together.
    said = {name: one["figures"].get(name) for name in SAID}
    said |= {name: one["figures"][name] for name in BESIDE if one["figures"].get(name)}
    method = _method(one["figures"])
    digest = digest_json({"question": question.digest, "inputs": one["inputs"], "method": method, "said": said})
    if before is not None and before.digest == digest:
        return
    # Of all versions: a run without a figure in between does not let the grade rise.
    given = session.scalars(select(InsightVersion).where(InsightVersion.insight_id == row.id))
    earlier = [allowed(version.grade, version.figures) for version in given]
    grades: list[Any] = [grade for grade in (one["grade"], *earlier) if grade]
    session.add(
        InsightVersion(
            insight_id=row.id,
            version=1 if before is None else before.version + 1,
            run_id=run.id,
            grade=lowest(grades) if one["grade"] else "",
            figures=one["figures"],
            inputs={"of": one["inputs"], "method": method},
            digest=digest,
            made_at=run.finished_at,
        )
    )


def allowed(grade: str, figures: Mapping[str, Any]) -> str:
    """The best grade after an answer with ``grade``: only audits lift one, to what its rows were good for."""
    if not grade or not figures.get("not_audited"):
        return grade
    basis = basis_of(figures)
    passed = basis == "random" and figures["ratio"]["believed"]
    return best(Evidence(basis == "random", passed, propensity=basis == "logged", within=figures["within"]))


def newest_of(session: Session, insight: int) -> InsightVersion | None:
    """The newest version of an insight."""
    wanted = select(InsightVersion).where(InsightVersion.insight_id == insight)
    return session.scalar(wanted.order_by(InsightVersion.version.desc()).limit(1))


def listed(
    settings: Settings, canvas: str = "", grade: str = "", q: float | None = None, published: bool = False
) -> list[Told]:
    """All insights, the surest first, those without enough after them, retired ones last; or ``published`` versions
    alone, each with its own figures, whatever the newest answer is."""
    last = select(func.max(InsightVersion.id)).group_by(InsightVersion.insight_id)
    moved = Moving(settings)
    with reading(settings) as session:
        public = {row[0].id: row for row in session.execute(_with_versions(_IS_PUBLISHED))}
        newest = [] if published else session.execute(_with_versions(InsightVersion.id.in_(last))).all()
        rows = list(public.values()) if published else newest
        found = [
            Told(*row, moved.of(row[1], row[2]), _other(row[2], public.get(row[0].id)), moved.means(row[1]))
            for row in rows
        ]
    kept = [
        one
        for one in found
        if (not canvas or one.question.canvas == canvas)
        and (not grade or one.newest.grade == grade)
        and (q is None or (one.figures["estimate"] is not None and one.figures["q"] <= q))
    ]
    return sorted(kept, key=_order)


_IS_PUBLISHED = (Insight.state == PUBLISHED) & (Insight.published == InsightVersion.version)


def _with_versions(condition: ColumnElement[bool]) -> Select[Insight, InsightQuestion, InsightVersion]:
    return (
        select(Insight, InsightQuestion, InsightVersion)
        .join(InsightQuestion, InsightQuestion.id == Insight.question_id)
        .join(InsightVersion, InsightVersion.insight_id == Insight.id)
        .where(condition)
    )


def _other(version: InsightVersion, row: Any) -> InsightVersion | None:
    """The published version of ``row``, where it is not ``version``."""
    return None if row is None or row[2].id == version.id else row[2]


def _order(one: Told) -> tuple[Any, ...]:
    figures = one.figures
    size = abs(figures["shrunk"]["estimate"]) if figures["estimate"] is not None else 0.0
    return one.row.state == RETIRED, not one.enough, one.newest.grade == "D", one.newest.grade or "E", -size, one.row.id


def find(settings: Settings, number: int, published: bool = False) -> Told:
    """One insight: its newest version, or the ``published`` one alone. Raises UnknownInsight."""
    moved = Moving(settings)
    with reading(settings) as session:
        public = session.execute(_with_versions(_IS_PUBLISHED & (Insight.id == number))).first()
        if published and public is None:
            raise UnknownInsight(f"Insight {number} does not exist, or is not published.")
        row = session.get(Insight, number)
        shown = public[2] if published and public else newest_of(session, number)
        if row is None or shown is None:
            raise UnknownInsight(f"Insight {number} does not exist. To list the insights: `attune insights list`")
        question = session.get_one(InsightQuestion, row.question_id)
        return Told(row, question, shown, moved.of(question, shown), _other(shown, public), moved.means(question))


def versions(session: Session, insight: int) -> Sequence[InsightVersion]:
    """All versions, the newest first."""
    wanted = select(InsightVersion).where(InsightVersion.insight_id == insight)
    return session.scalars(wanted.order_by(InsightVersion.version.desc())).all()


def history(session: Session, insight: int) -> Sequence[InsightEvent]:
    """What became of an insight, the newest first."""
    wanted = select(InsightEvent).where(InsightEvent.insight_id == insight)
    return session.scalars(wanted.order_by(InsightEvent.id.desc())).all()


def retirements(session: Session) -> dict[int, InsightEvent]:
    """Who retired an insight, when and why, by its id."""
    return {row.insight_id: row for row in session.scalars(select(InsightEvent).where(InsightEvent.action == "retire"))}


def last_run(session: Session) -> InsightRun | None:
    """The newest run."""
    return session.scalar(select(InsightRun).order_by(InsightRun.id.desc()).limit(1))


class Moving:
    """What is different today from what an answer was made of."""

    def __init__(self, settings: Settings) -> None:
        self.performance = list(evidence.digests(settings))
        self.features = features.known(settings)

    def means(self, question: InsightQuestion) -> str:
        """What the feature of a question means; empty where nobody said so."""
        feature = self.features.get(question.feature)
        return feature.means if feature else ""

    def of(self, question: InsightQuestion, version: InsightVersion) -> tuple[str, ...]:
        """Words for each input of a version that moved."""
        told: list[str] = []
        method = version.inputs.get("method", 0)  # the first answers did not name theirs
        if method < _method(version.figures):
            told.append("made by an earlier method")
        for part in version.inputs.get("of", []):
            if "performance" in part and part["performance"] != self.performance:
                told.append("performance was added or removed")
            if "feature" in part:
                feature = self.features.get(part["feature"])
                if feature is None or (feature.version, feature.digest) != (part["version"], part["digest"]):
                    told.append(_moved(part["feature"], feature))
                elif feature.audits != part.get("audits", ""):
                    told.append(f"{part['feature']} has other audit answers")
        return tuple(told)


def _moved(name: str, feature: Known | None) -> str:
    """How a feature of that name is another one today."""
    if feature is None:
        return f"{name} is gone"
    return f"another version of {name} is in use" if feature.kind == "attribute" else f"{name} has another version"
