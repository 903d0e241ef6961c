"""Remove a feature that nobody needs any more: no list, form or run has it, and what was said of it stays."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.insights import imported
from attune.labeler.insights.insights import PUBLISHED
from attune.labeler.measured import checks, objects
from attune.labeler.records.schema import (
    Attribute,
    ImportedFeature,
    Insight,
    InsightCompanion,
    InsightQuestion,
    InsightVersion,
    Version,
)
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, UnknownFeature
from attune.models.measured.eye_checks import BY_BANDED
from attune.models.measured.measures import BY_NAME


@dataclass(frozen=True)
class Removed:
    """``version`` of the feature was the last; ``questions`` about it have no figure from the next run on."""

    name: str
    kind: str  # imported, object
    version: int
    questions: list[int]


def remove(settings: Settings, name: str, reason: str, who: str) -> Removed:
    """Remove the imported feature, or the object by words, ``name``. A later import or measuring under this name makes
    the next version.

    Raises DataError without a reason, for a feature that Attune makes itself, and while a published insight, a question
    that checks it, or the catalog uses it; UnknownFeature.
    """
    if not reason.strip():
        raise DataError("The reason is empty. Say why, for whoever looks for the feature later: --reason TEXT")
    with writing(settings) as session:
        row = imported.current(session, name)
        found = None if row is not None else objects.find(settings, name)
        if row is None and found is None:
            raise _not_removable(session, name)
        _check_unused(session, name)
        asked = list(session.scalars(select(InsightQuestion.id).where(InsightQuestion.feature == name)))
        if row is not None:
            session.add(_gone(row, reason.strip(), who))
            return Removed(name, "imported", row.version, asked)
        assert found is not None
        objects.remove(settings, name, reason.strip(), who)  # nothing is published between the check and this
        return Removed(name, "object", found.number, asked)


def _gone(row: ImportedFeature, reason: str, who: str) -> ImportedFeature:
    """The version that says that there is none any more."""
    return ImportedFeature(
        name=row.name, version=row.version + 1, classes=[], rows=0, faults={}, file=imported.GONE, source=reason,
        added_by=who, added_at=now(), means=row.means,
    )  # fmt: skip


def _not_removable(session: Session, name: str) -> DataError:
    """Why ``name`` is nothing that can be removed."""
    if name in BY_NAME or name in BY_BANDED:
        return DataError(
            f"Attune measures {name} itself, together with the other measured features, so it cannot be removed alone. "
            "To see which features were imported: `attune features list`"
        )
    attribute = session.scalar(select(Attribute).where(Attribute.name == name))
    if attribute is None:
        return UnknownFeature(f"There is no feature {name[:80]!r}. To list the features: `attune features list`")
    last = select(Version.version).where(Version.attribute_id == attribute.id, Version.retired_at.is_(None))
    number = session.scalar(last.order_by(Version.version.desc()).limit(1))
    way = (
        f'Version {number} is in the catalog. To retire it: `attune probes retire {name} {number} --reason "..."`'
        if number else f"To see it: `attune attribute show {name}`"
    )  # fmt: skip
    return DataError(f"{name} is a question that experts answer, and no imported feature. {way}")


def _check_unused(session: Session, name: str) -> None:
    """Raise DataError where somebody stands for something that needs the feature."""
    beside = select(InsightCompanion.question_id).where(InsightCompanion.feature == name)
    wanted = (
        select(Insight.id)
        .join(InsightQuestion, InsightQuestion.id == Insight.question_id)
        .join(InsightVersion, (InsightVersion.insight_id == Insight.id) & (InsightVersion.version == Insight.published))
        .where(Insight.state == PUBLISHED, (InsightQuestion.feature == name) | InsightQuestion.id.in_(beside))
        .order_by(Insight.id)
    )
    used = list(session.scalars(wanted))
    if used:
        which = f"Insight {used[0]} is" if len(used) == 1 else f"Insights {', '.join(map(str, used))} are"
        raise DataError(
            f"{which} published and about {name}, so it was not removed. Retire what does not hold any more: "
            f'`attune insights retire {used[0]} --reason "..."`'
        )
    asked = checks.find(session, name)
    if asked is not None:
        raise DataError(
            f"Experts check {name} by the question {asked.name}. Without it their answers would be about nothing, so "
            f"it was not removed. To see what they said: `attune features show {name}`"
        )
