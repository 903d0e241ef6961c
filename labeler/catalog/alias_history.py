"""The append-only history of the aliases: what was champion when, who moved it and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog.gate_outcomes import GateRow, read
from attune.labeler.catalog.run_facts import LATEST
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Alias, Attribute, Promotion, SpacePromotion, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import ALIAS, CHAMPION
from attune.models.clock import iso, now, parse
from attune.models.errors import CatalogError, DataError

Action = Literal["promote", "rollback", "retire"]
PROMOTE: Action = "promote"
ROLLBACK: Action = "rollback"
RETIRE: Action = "retire"
_TAKEN = {LATEST, "history"}  # they mean something else where a version or an alias may stand


@dataclass(frozen=True)
class Line:
    """One line of the history; ``before`` is where the alias pointed until then."""

    at: datetime
    who: str
    action: Action
    alias: str | None
    version: int
    before: Annotated[int | None, "The version of the alias before."]
    reason: str
    gates: list[GateRow]

    @property
    def overridden(self) -> list[str]:
        """The enforced gates that were not passed, which an owner promoted over."""
        return [gate.name for gate in map(read, self.gates) if gate.stops]

    def to_dict(self) -> dict[str, Any]:
        """The line as JSON, time as ISO 8601."""
        return asdict(self) | {"at": iso(self.at)}


def history(settings: Settings, attribute: str, until: datetime | None = None) -> list[Line]:
    """The attribute's history, oldest first; up to and with the moment ``until``. Raises UnknownAttribute."""
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        lines = _lines(session, found.id)
    return [to_line(line) for line in lines if until is None or line.at <= until]


def page(settings: Settings, attribute: str, number: int, size: int) -> Page[Line]:
    """One page of the attribute's history, newest first. Raises UnknownAttribute."""
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        query = select(Promotion).where(Promotion.attribute_id == found.id).order_by(Promotion.id.desc())
        return page_of(session, query, number, size).map(to_line)


def to_line(line: Promotion) -> Line:
    """A line of the records."""
    gates = [read(gate).to_dict() for gate in line.gates or [] if isinstance(gate, Mapping)]
    return Line(
        line.at, line.who, cast("Action", line.action), line.alias, line.version, line.before, line.reason, gates
    )


def pointing_at(settings: Settings, attribute: str, moment: datetime, alias: str = CHAMPION) -> Line | None:
    """The line that made ``alias`` what it was at ``moment``; None where it did not exist yet."""
    lines = [line for line in history(settings, attribute, moment) if line.alias == alias and line.action != RETIRE]
    return lines[-1] if lines else None


def moment(text: str, field: str = "on") -> datetime:
    """The moment that ``text`` names, UTC; a day means its last microsecond. Raises DataError naming ``field``."""
    text = text.strip()
    try:
        parsed = parse(text)
        return parsed + timedelta(days=1, microseconds=-1) if len(text) == len("2026-03-01") else parsed
    except (ValueError, OverflowError) as error:
        raise DataError(f"{field}: {text[:40]!r} is not a date. Write it as 2026-03-01 or 2026-03-01T12:00.") from error


def append(
    session: Session,
    attribute: Attribute,
    action: str,
    version: int,
    who: str,
    reason: str,
    alias: str | None = None,
    gates: list[Any] | None = None,
) -> Promotion:
    """Move ``alias`` (unless it is None) to ``version`` and write the line, both in the caller's transaction."""
    pointer = None
    if alias is not None:
        pointer = session.scalar(select(Alias).where(Alias.attribute_id == attribute.id, Alias.alias == alias))
    line = Promotion(
        attribute_id=attribute.id,
        at=_not_before_the_last(session, attribute),
        who=who,
        action=action,
        alias=alias,
        version=version,
        before=pointer.version if pointer else None,
        reason=reason,
        gates=gates or [],
    )
    session.add(line)
    if pointer is not None:
        pointer.version = version
    elif alias is not None:
        session.add(Alias(attribute_id=attribute.id, alias=alias, version=version))
    return line


def earlier(session: Session, attribute: Attribute, alias: str) -> tuple[int, int]:
    """Where ``alias`` points now, and the version to roll it back to: the last one before it that was not retired.

    A rollback undoes the newest promotion that still stands; a second one undoes the promotion before that. Raises
    CatalogError where there is none.
    """
    stack = standing(_lines(session, attribute.id), alias)
    retired = set(
        session.scalars(
            select(Version.version).where(Version.attribute_id == attribute.id, Version.retired_at.is_not(None))
        )
    )
    if not stack:
        raise CatalogError(
            f"{attribute.name} has no {alias}, so there is nothing to roll back. Promote a version: `attune "
            f"probes promote {attribute.name} latest --reason R`"
        )
    current, below = stack[-1], [version for version in stack[:-1] if version not in retired and version != stack[-1]]
    if not below:
        raise CatalogError(
            f"{attribute.name} had no {alias} before version {current} that is still available. Promote the "
            f"version that you want (`attune probes list {attribute.name}` lists them): `attune probes promote "
            f"{attribute.name} VERSION --reason R`"
        )
    return current, below[-1]


def standing(lines: Iterable[Promotion | SpacePromotion], alias: str) -> list[int]:
    """The versions of the promotions of ``alias`` that still stand, oldest first: a rollback takes away what it undid.

    ``lines`` oldest first.
    """
    stack: list[int] = []
    for line in lines:
        if line.alias != alias or line.action == RETIRE:
            continue
        if line.action == ROLLBACK and line.version in stack:
            while stack[-1] != line.version:
                stack.pop()
        elif not stack or stack[-1] != line.version:
            stack.append(line.version)
    return stack


def check_reason(reason: str) -> str:
    """The reason without spaces around. Raises DataError where nothing is left."""
    if not reason.strip():
        raise DataError("reason: it is empty. Say in a few words why, with --reason. The history keeps it for good.")
    return reason.strip()


def check_alias(alias: str) -> str:
    """``alias`` where it can be one. Raises DataError: a number or latest would read as a version."""
    if not ALIAS.fullmatch(alias) or alias in _TAKEN:
        raise DataError(
            f"alias: {alias[:60]!r} is not allowed. Use champion, challenger, or another word of a-z, 0-9, - "
            "and _ that begins with a letter."
        )
    return alias


def _lines(session: Session, attribute_id: int) -> list[Promotion]:
    return list(session.scalars(select(Promotion).where(Promotion.attribute_id == attribute_id).order_by(Promotion.id)))


def _not_before_the_last(session: Session, attribute: Attribute) -> datetime:
    # Two machines' clocks may disagree by a little; the history's order is that of its lines.
    last = session.scalar(
        select(Promotion.at).where(Promotion.attribute_id == attribute.id).order_by(Promotion.id.desc()).limit(1)
    )
    return max(now(), last) if last is not None else now()
