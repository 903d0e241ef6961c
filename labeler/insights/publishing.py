"""Publish and retire: each in one transaction that asks everything again, so nobody publishes what they never saw."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.insights import insights
from attune.labeler.insights.insights import PUBLISHED, RETIRED, Told
from attune.labeler.people import owner_rights
from attune.labeler.performance.imports import active
from attune.labeler.records.schema import Insight, InsightEvent, InsightQuestion, InsightVersion
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, UnknownInsight


def publish(
    settings: Settings, number: int, reason: str, who: str, version: int | None = None, asked_by: int | None = None
) -> Told:
    """Publish ``version`` of an insight: it must be the newest, which is taken where none is named.

    Raises DataError without a reason, for another version, or where it does not say enough; UnknownInsight; AccessError
    where the login ``asked_by`` is no longer an owner's.
    """
    if not reason.strip():
        raise DataError("The reason is empty. Say why you believe it, for whoever reads it later: --reason TEXT")
    moving = insights.Moving(settings)
    with writing(settings) as session:
        owner_rights.check_owner(session, asked_by)
        row, newest = _locked(session, number)
        moving.performance = [one.file for one in active(session)]
        question = session.get_one(InsightQuestion, row.question_id)
        one = Told(row, question, newest, moving.of(question, newest))
        _check(one, version)
        row.state, row.published = PUBLISHED, newest.version
        _write(session, one, "publish", reason, who)
    return insights.find(settings, number)


def retire(settings: Settings, number: int, reason: str, who: str, asked_by: int | None = None) -> Told:
    """Retire an insight for good. Raises DataError without a reason, and where it is retired already; UnknownInsight;
    AccessError where the login ``asked_by`` is no longer an owner's."""
    if not reason.strip():
        raise DataError("The reason is empty. Say why it does not hold, for whoever used it: --reason TEXT")
    with writing(settings) as session:
        owner_rights.check_owner(session, asked_by)
        row, newest = _locked(session, number)
        if row.state == RETIRED:
            raise DataError(f"Insight {number} is retired already. To see why: `attune insights show {number}`")
        one = Told(row, session.get_one(InsightQuestion, row.question_id), newest)
        row.state, row.published = RETIRED, None
        _write(session, one, "retire", reason, who)
    return insights.find(settings, number)


def _locked(session: Session, number: int) -> tuple[Insight, InsightVersion]:
    """The insight, held until the transaction ends, and its newest version. Raises UnknownInsight."""
    row = session.scalar(select(Insight).where(Insight.id == number).with_for_update())
    newest = insights.newest_of(session, number)
    if row is None or newest is None:
        raise UnknownInsight(f"Insight {number} does not exist. To list the insights: `attune insights list`")
    return row, newest


def _check(one: Told, version: int | None) -> None:
    """Raise DataError where ``version`` of ``one`` cannot be published, with what to do."""
    number, newest = one.row.id, one.newest.version
    if one.row.state == RETIRED:
        raise DataError(f"Insight {number} is retired. A retired insight stays retired.")
    if version is not None and version != newest:
        raise DataError(
            f"Insight {number} has a newer answer: version {newest}, and you chose version {version}. Nothing was "
            f"published. Read the newer one first: `attune insights show {number}`"
        )
    if one.figures["estimate"] is None:
        raise DataError(f"Insight {number} has no figure yet, so there is nothing to publish. {one.figures['why']}")
    if one.seen:
        raise DataError(
            f"Insight {number} was asked after figures of {one.question.feature} could be seen, or its values are "
            "newer than those figures. What is chosen for its figures always looks sure, so it is not published. "
            "Confirm it with new performance: ask the question again if the values are newer, then add rows whose "
            f"period_start is after that day. To plan a test: `attune insights power {number}`"
        )
    if not one.enough:
        raise DataError(
            f"Insight {number} may be chance: its q is {one.figures['q']:.2f}, and at most {one.largest_q:g} is "
            f"allowed. More impressions may decide it: `attune insights power {number}`"
        )
    if one.moved:
        raise DataError(
            f"Insight {number} is stale: {', '.join(one.moved)}. Answer the questions again: `attune insights run`"
        )


def _write(session: Session, one: Told, action: str, reason: str, who: str) -> None:
    session.add(InsightEvent(
        insight_id=one.row.id, at=now(), who=who, action=action, version=one.newest.version, reason=reason.strip()
    ))  # fmt: skip
