"""What is asked of a question beside another feature, frozen before it is answered as the question itself is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.insights import questions
from attune.labeler.insights.features import contrast_of
from attune.labeler.insights.known import Known
from attune.labeler.records.schema import InsightCompanion, InsightQuestion
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.files.atomic import digest_json

DEPENDS, HOLDING = "depends", "holding"


@dataclass(frozen=True)
class Wanted:
    """``way`` is DEPENDS or HOLDING, of the ``other`` feature with its ``contrast``."""

    way: str
    other: Known
    contrast: str = ""


@dataclass(frozen=True)
class Beside:
    """``row`` is the record; ``again``: it was asked before, and nothing changed."""

    row: InsightCompanion
    again: bool

    def as_json(self) -> dict[str, object]:
        """For --json."""
        row = self.row
        return {"id": row.id, "way": row.way, "feature": row.feature, "contrast": row.contrast, "again": self.again,
                "exploratory": row.seen}  # fmt: skip


def ask(settings: Settings, question: InsightQuestion, feature: Known, wanted: Wanted, who: str = "") -> Beside:
    """Register what is asked of ``question``, which is about ``feature``.

    Asked after runs have compared both features, a dependence is ``seen``: figures of both may have led to it. What is
    held has no q and claims nothing. Raises DataError where both features are the same, or the contrast does not fit.
    """
    other, contrast = wanted.other, contrast_beside(feature, wanted)
    with writing(settings) as session:
        for row in of(session, question.id):
            if row.way == wanted.way and row.values == other.values and questions.same(row.contrast, contrast):
                session.expunge(row)
                return Beside(row, True)
        seen = wanted.way == DEPENDS and all(questions.looked(session, one) for one in (feature, other))
        row = InsightCompanion(
            question_id=question.id, way=wanted.way, feature=other.name, contrast=contrast, values=other.values,
            seen=seen, asked_by=who, asked_at=now(),
        )  # fmt: skip
        row.digest = digest_of(row)
        session.add(row)
        session.flush()
        session.expunge(row)
    return Beside(row, False)


def contrast_beside(feature: Known, wanted: Wanted) -> str:
    """The contrast of the other feature as it is kept, of a question about ``feature``. Raises DataError as ``ask``:
    who asks a question and more beside it looks here first, so that nothing is frozen that was refused."""
    other = wanted.other
    if feature.name == other.name or feature.values == other.values:
        raise DataError(f"{other.name} is the feature that the question is about. Name another one.")
    return contrast_of(other, wanted.contrast)


def of(session: Session, question: int) -> Sequence[InsightCompanion]:
    """All that was asked of a question, the oldest first."""
    wanted = select(InsightCompanion).where(InsightCompanion.question_id == question)
    return session.scalars(wanted.order_by(InsightCompanion.id)).all()


def every(session: Session) -> dict[int, list[InsightCompanion]]:
    """All of each question."""
    found: dict[int, list[InsightCompanion]] = {}
    for row in session.scalars(select(InsightCompanion).order_by(InsightCompanion.id)):
        found.setdefault(row.question_id, []).append(row)
    return found


def digest_of(row: InsightCompanion) -> str:
    """The sha256 of all that it says."""
    names = ("question_id", "way", "feature", "contrast", "values", "seen", "asked_by")
    return digest_json({name: getattr(row, name) for name in names} | {"asked_at": row.asked_at.isoformat()})


def check(row: InsightCompanion) -> None:
    """Raise DataError where it is not what was registered."""
    if digest_of(row) != row.digest:
        raise DataError(
            f"What question {row.question_id} was asked beside {row.feature} was changed in the records, so it cannot "
            "be answered. Restore the records from a backup."
        )
