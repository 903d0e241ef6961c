"""Promote and roll back a learned space: files first, then one line of the history, with a reason."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from attune.labeler.catalog.alias_history import PROMOTE, ROLLBACK, check_alias, check_reason, standing
from attune.labeler.records.schema import SpacePromotion, SpaceVersion
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, towers
from attune.models.catalog.manifest import CHAMPION, SPACES, Reference
from attune.models.clock import iso, now
from attune.models.errors import CatalogError, UnknownProbe

LATEST = "latest"


def promote(
    settings: Settings, name: str, version: str, reason: str, who: str, alias: str = CHAMPION
) -> SpacePromotion:
    """Point ``alias`` at a version, a number or ``latest``; once more does nothing.

    Raises DataError for an empty reason, a bad alias, or a network that no image went through yet; UnknownProbe,
    CatalogError, CatalogUnreachable.
    """
    reason, alias = check_reason(reason), check_alias(alias)
    with reading(settings) as session:
        row = chosen(session, name, version)
        if alias == CHAMPION:
            towers.check_seen(settings, row)
    learned.publish(settings, row)
    with writing(settings) as session:
        return _point(session, name, PROMOTE, alias, row.version, reason, who)


def chosen(session: Session, name: str, version: str) -> SpaceVersion:
    """The version that a number or ``latest`` means. Raises UnknownProbe."""
    if version == LATEST:
        newest = next(iter(learned.versions(session, name)), None)
        if newest is None:
            raise UnknownProbe(f"The space {name} has no version. {learned.HOW}")
        version = str(newest.version)
    return learned.find(session, Reference(name, version, SPACES))


def rollback(settings: Settings, name: str, reason: str, who: str, alias: str = CHAMPION) -> SpacePromotion:
    """Point ``alias`` at the version that it pointed at before. Raises CatalogError where there is none, DataError."""
    reason, alias = check_reason(reason), check_alias(alias)
    with reading(settings) as session:
        stack = standing(learned.lines(session, name), alias)
        if len(stack) < 2:
            raise CatalogError(
                f"The space {name} had no other {alias} before, so there is nothing to roll back to. To list its "
                f"versions: `attune spaces versions {name}`"
            )
        row = learned.find(session, Reference(name, str(stack[-2]), SPACES))
    learned.publish(settings, row)
    with writing(settings) as session:
        return _point(session, name, ROLLBACK, alias, row.version, reason, who)


def mirror(settings: Settings, name: str) -> None:
    """Write the aliases beside the files, for those who read the files alone."""
    with reading(settings) as session:
        held = learned.aliases(session, name)
    learned.catalog_of(settings).write_aliases(name, held)


def _point(session: Session, name: str, action: str, alias: str, version: int, reason: str, who: str) -> SpacePromotion:
    past = [line for line in learned.lines(session, name) if line.alias == alias]
    before = past[-1].version if past else None
    if past and before == version:
        return past[-1]  # it points there already: a command that was sent twice
    at = max(now(), past[-1].at) if past else now()
    line = SpacePromotion(
        name=name, at=at, who=who, action=action, alias=alias, version=version, before=before, reason=reason
    )
    session.add(line)
    session.flush()
    return line


def to_dict(line: SpacePromotion) -> dict[str, Any]:
    """A line of the history as JSON."""
    names = ("who", "action", "alias", "version", "before", "reason")
    return {"at": iso(line.at)} | {name: getattr(line, name) for name in names}
