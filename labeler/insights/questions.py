"""Questions, frozen before they are answered: who asked what of which values, and when; none of it ever changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.insights.features import contrast_of
from attune.labeler.insights.known import Known
from attune.labeler.performance.aggregate import canvases
from attune.labeler.records.schema import Insight, InsightQuestion, InsightRun
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.files.atomic import digest_json

ALL, CONFIRMATION = "all", "confirmation"  # the titles that answer it
PERSON, IMPORT, DISCOVERY = "person", "import", "discovery"  # where it comes from
RETIRED = "retired"
NAMED = 10  # canvases that an error lists


@dataclass(frozen=True)
class Asked:
    """``row`` is the question; ``again``: it was asked before and nothing changed; ``looked``: its feature was already
    compared with performance, so a new question of it is ``seen`` and is not published."""

    row: InsightQuestion
    again: bool
    looked: bool


def ask(settings: Settings, feature: Known, contrast: str = "", canvas: str = "", who: str = "",
        origin: str = PERSON) -> Asked:  # fmt: skip
    """Register a question. Asked before its feature was compared with performance, all titles answer it; asked after,
    it is ``seen``: it may have been chosen for its figures.

    Raises DataError for a contrast that does not fit the feature, and a canvas without performance where there is any.
    """
    contrast = contrast_of(feature, contrast)
    if canvas:
        with reading(settings) as session:
            asked = find(session, feature, contrast, canvas, by_name=not looked(session, feature))
        if asked is None:  # not while the records are written: it goes through the imports
            _check_canvas(settings, canvas)
    with writing(settings) as session:
        seen = looked(session, feature)
        before = find(session, feature, contrast, canvas, by_name=not seen)
        if before is not None:
            return Asked(before, True, seen)
        row = frozen(feature, contrast, canvas, CONFIRMATION if seen else ALL, origin, who, seen)
        session.add(row)
        session.flush()
        session.expunge(row)
    return Asked(row, False, seen)


def _check_canvas(settings: Settings, canvas: str) -> None:
    """A question is for keeps, so a slip in a name is told before it is registered."""
    there = canvases(settings)
    if there and canvas not in there:
        near = get_close_matches(canvas, there, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        named = ", ".join(there[:NAMED]) + (f" and {len(there) - NAMED} more" if len(there) > NAMED else "")
        raise DataError(
            f"No performance was imported for the canvas {canvas!r}.{hint} The imports have {named}. For another one, "
            "add its performance first: `attune performance add FILE`"
        )


def frozen(feature: Known, contrast: str, canvas: str, titles: str, origin: str, who: str,
           seen: bool = False) -> InsightQuestion:  # fmt: skip
    """A question with its digest, of the values that ``feature`` has now."""
    row = InsightQuestion(
        feature=feature.name, contrast=contrast, canvas=canvas, kind=feature.kind, values=feature.values, seen=seen,
        titles=titles, origin=origin, asked_by=who, asked_at=now(),
    )  # fmt: skip
    row.digest = digest_of(row)
    return row


def digest_of(row: InsightQuestion) -> str:
    """The sha256 of all that a question says."""
    names = ("feature", "contrast", "canvas", "kind", "values", "seen", "titles", "origin", "asked_by")
    return digest_json({name: getattr(row, name) for name in names} | {"asked_at": row.asked_at.isoformat()})


def check(row: InsightQuestion) -> None:
    """Raise DataError where the question is not the one that was registered."""
    if digest_of(row) != row.digest:
        raise DataError(
            f"Question {row.id} was changed in the records after it was registered, so it cannot be answered. Restore "
            "the records from a backup."
        )


def asked_already(session: Session, row: InsightQuestion) -> bool:
    """Whether the records have the question of ``row`` already, of its feature's name or values."""
    of = select(InsightQuestion).where(InsightQuestion.canvas == row.canvas)
    of = of.where((InsightQuestion.feature == row.feature) | (InsightQuestion.values == row.values))
    return any(same(one.contrast, row.contrast) for one in session.scalars(of))


def find(session: Session, feature: Known, contrast: str, canvas: str, by_name: bool = False) -> InsightQuestion | None:
    """The question in force of the same values, whatever the feature's name and whichever way round its two classes
    are; ``by_name``: or of the same name, while nobody has looked. Retired ones may be asked anew."""
    for row in in_force(session):
        named = row.values == feature.values or (by_name and row.feature == feature.name)
        if named and row.canvas == canvas and same(row.contrast, contrast):
            return row
    return None


def same(one: str, other: str) -> bool:
    """Whether two contrasts are of the same two classes."""
    return one == other or sorted(one.split(":")) == sorted(other.split(":"))


def in_force(session: Session) -> Sequence[InsightQuestion]:
    """All questions whose insight is not retired, the oldest first."""
    wanted = select(InsightQuestion).outerjoin(Insight, Insight.question_id == InsightQuestion.id)
    wanted = wanted.where(Insight.id.is_(None) | (Insight.state != RETIRED))
    return session.scalars(wanted.order_by(InsightQuestion.id)).all()


def every(session: Session) -> Sequence[InsightQuestion]:
    """All questions that were ever asked, the oldest first. A retired one stays in the family that q is taken over."""
    return session.scalars(select(InsightQuestion).order_by(InsightQuestion.id)).all()


def looked(session: Session, feature: Known) -> bool:
    """Whether a run has compared the feature, its kin, or their values under another name, with performance: who asks
    after that may know the answer."""
    runs = session.execute(select(InsightRun.looked, InsightRun.values))
    return any(feature.names & set(names) or feature.all_values & set(values.values()) for names, values in runs)


def first_look(session: Session, feature: Known) -> set[str] | None:
    """The values that the feature and its kin had when a run first compared one of them, without values that were
    compared before; None where no run has."""
    known: set[str] = set()
    for values in session.scalars(select(InsightRun.values).order_by(InsightRun.id)):
        if feature.names & set(values):
            return {values[name] for name in feature.names & set(values)} - known
        known |= set(values.values())
    return None


def holds(session: Session, row: InsightQuestion, feature: Known) -> bool:
    """Whether ``feature`` still has the values that the question was asked of, or values that came before anyone had
    looked at it or its kin: values that came later may have been chosen for their figures."""
    if feature.values == row.values:
        return True
    first = first_look(session, feature)
    return bool(first & feature.all_values) if first is not None else not looked(session, feature)


def register_features(settings: Settings, features: Mapping[str, Known], name: str, who: str) -> Asked | None:
    """Ask the one question of a feature that has just come in; None where it has more than one to choose from."""
    feature = features[name]
    if len(feature.classes) > 2:
        return None
    with reading(settings) as session:
        if looked(session, feature):
            return None
    return ask(settings, feature, who=who, origin=IMPORT)
