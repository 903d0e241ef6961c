"""Versions of groups of members: list, find by number or alias, and promote one."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.members.columns import RESPONSES
from attune.labeler.records.schema import MemberGrouping, MemberPromotion
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError, UnknownGrouping

CHAMPION, LATEST = "champion", "latest"


def listed(session: Session) -> list[MemberGrouping]:
    """All versions, the newest first."""
    return list(session.scalars(select(MemberGrouping).order_by(MemberGrouping.id.desc())))


def champion(session: Session) -> int | None:
    """The number of the version in use; None before any was promoted."""
    return session.scalar(select(MemberPromotion.grouping_id).order_by(MemberPromotion.id.desc()).limit(1))


def history(session: Session) -> list[MemberPromotion]:
    """Who promoted what, and why, the newest first."""
    return list(session.scalars(select(MemberPromotion).order_by(MemberPromotion.id.desc())))


def miscounted(row: MemberGrouping) -> bool:
    """Whether its rows may have counted as members: so it was where one kind of file alone was there, until 2026-11-29.
    Then a figure of 50 rows may be of fewer than 50 members."""
    return not row.figures.get("each_member_once") and (row.kind == RESPONSES or not row.figures.get("resonance"))


def find(settings: Settings, reference: str = "") -> MemberGrouping:
    """The version called ``reference``: a number, champion or latest; empty: the champion, else the latest.

    Raises UnknownGrouping, also where it may tell of too few members.
    """
    with reading(settings) as session:
        number: int | None = None
        if reference in {"", CHAMPION}:
            number = champion(session)
        elif reference.isascii() and reference.isdecimal() and len(reference) <= 9:
            number = int(reference)
        if number is None and reference in {"", LATEST}:
            newest = select(MemberGrouping).order_by(MemberGrouping.id.desc()).limit(1)
            row = session.scalars(newest).first()
        else:
            row = session.get(MemberGrouping, number) if number is not None else None
    if row is not None and miscounted(row):
        fit = "`attune members fit --viewing FILE`"
        if row.kind == RESPONSES:
            fit = "`attune members fit --responses FILE`"
        raise UnknownGrouping(
            f"Version {row.id} was made before Attune counted each member once, so it may tell of fewer than 50. Make "
            f"it again: {fit}"
        )
    if row is not None:
        return row
    if reference == CHAMPION:
        raise UnknownGrouping("No version is promoted. To promote one: `attune members promote VERSION --reason R`")
    if reference in {"", LATEST}:
        raise UnknownGrouping("There are no groups of members yet. To make some: `attune members fit --viewing FILE`")
    raise UnknownGrouping(f"There is no version {reference[:40]!r} of groups. To list them: `attune members list`")


def promote(settings: Settings, reference: str, reason: str, who: str) -> MemberGrouping:
    """Use a version from now on. Raises DataError without a reason, UnknownGrouping."""
    if not reason.strip():
        raise DataError("The reason is empty. Say why, for whoever reads the history later: --reason TEXT")
    row = find(settings, reference)
    with writing(settings) as session:
        session.add(MemberPromotion(grouping_id=row.id, at=now(), who=who, reason=reason.strip()))
    return row
