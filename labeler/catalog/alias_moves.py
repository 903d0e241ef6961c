"""What every move of an alias shares: one at a time, never twice by accident, and no one's behind another's back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog.alias_history import check_alias, check_reason
from attune.labeler.catalog.gate_outcomes import GateRow, read
from attune.labeler.records.schema import Alias, Attribute, Promotion, Version
from attune.models.catalog.manifest import CHAMPION
from attune.models.catalog.probe_files import read_probe
from attune.models.clock import iso, parse
from attune.models.errors import CatalogError, NoAnswers, RetiredVersion
from attune.models.labels.class_coverage import BY_CLASS, draft_classes, quoted_list, unanswered_classes


@dataclass(frozen=True)
class Move:
    """What someone decided for an attribute, by ``who`` and for which ``reason``: a promotion, rollback or retirement.

    ``version``: a number, ``latest``, or None for a rollback, which finds it. ``asked_at`` makes a repeated request do
    nothing the second time; ``expected`` is the version that ``alias`` pointed at when the owner decided, 0 for none,
    None for whatever. ``asked_by`` is the login that must still be an owner's when it is done. A promotion alone:
    ``override`` although an enforced gate failed, ``draft`` although a class has no answer.
    """

    attribute: str
    version: str | int | None
    reason: str
    who: str
    alias: str = CHAMPION
    override: bool = False
    asked_at: datetime | None = None
    expected: int | None = None
    draft: bool = False
    asked_by: int | None = None

    def checked(self) -> Move:
        """The same with a tidy reason. Raises DataError for an empty reason or an alias that cannot be one."""
        return replace(self, reason=check_reason(self.reason), alias=check_alias(self.alias))

    @classmethod
    def from_job(cls, arguments: Mapping[str, Any]) -> Move:
        """As a job's arguments hold it: ``asked_at`` in ISO 8601. Raises TypeError for other arguments."""
        at = arguments.get("asked_at")
        return cls(**{**arguments, "asked_at": parse(at) if at else None})


@dataclass(frozen=True)
class Moved:
    """What a promotion, rollback or retirement did."""

    attribute: str
    action: str
    alias: str | None
    version: int
    before: int | None
    reason: str
    who: str
    at: datetime
    digest: str
    gates: list[GateRow]
    draft: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON, time as ISO 8601."""
        return vars(self) | {"at": iso(self.at)}


def moved(attribute: str, line: Promotion, digest: str, draft: bool = False) -> Moved:
    """The line of the history as what was done; ``draft``: the version is one."""
    return Moved(
        attribute,
        line.action,
        line.alias,
        line.version,
        line.before,
        line.reason,
        line.who,
        line.at,
        digest,
        [read(gate).to_dict() for gate in line.gates],
        draft,
    )


def refuse_unanswered(attribute: str, version: int, classes: Sequence[str], labels: Mapping[str, Any]) -> None:
    """Raise NoAnswers where one of ``classes`` has no answer by the run's ``labels``, or nothing was learned at all."""
    missing = draft_classes(classes, labels)
    if not missing:
        return
    counts = ", ".join(f"{name} {int(labels[BY_CLASS].get(name, 0)):,}" for name in classes)
    nobody = unanswered_classes(classes, labels)
    what = (
        f"has no answers for {quoted_list(nobody)} (answers per class: {counts})"
        if nobody
        else f"has no training answers for {quoted_list(missing)}: all of them are audit answers or ties ({counts})"
    )
    raise NoAnswers(
        f"{attribute} version {version} {what}. Each class needs at least 1 training answer. Ask for more "
        f"(`attune batch {attribute} --size 40`) and promote the run that follows. To publish this version as a "
        f"draft, add --draft (--override does not help): `attune probes promote {attribute} {version} --reason "
        "R --draft`"
    )


def refuse_untaught(attribute: str, version: int, probe: bytes) -> None:
    """Raise NoAnswers where the probe says the same of every image, as before any answer that decides, phrase or
    example."""
    if read_probe(probe).weight.any():
        return
    raise NoAnswers(
        f"{attribute} version {version} has learned nothing: no answer decides anything, and there is no phrase or "
        "example, so it gives every image the same score. Attune does not publish such a version, not even as a "
        f"draft. Ask for answers (`attune batch {attribute} --size 40`), then promote the run that follows."
    )


def locked(session: Session, attribute: str) -> Attribute:
    """The attribute, held until the transaction ends, so that one history has one order on PostgreSQL too."""
    found = attributes.find(session, attribute)
    session.refresh(found, with_for_update=True)
    return found


def refuse_retired(row: Version | None, attribute: Attribute) -> None:
    """Raise RetiredVersion where the version is no longer served."""
    if row is not None and row.retired_at is not None:
        raise RetiredVersion(
            f"{attribute.name} version {row.version} was retired at {iso(row.retired_at)}. To see why: `attune "
            f"probes history {attribute.name}`. To choose another version: `attune probes list {attribute.name}`"
        )


def expect(session: Session, attribute: Attribute, alias: str, expected: int | None) -> None:
    """Raise CatalogError where ``alias`` points elsewhere than at ``expected`` (0: nowhere; None: do not look)."""
    if expected is None:
        return
    here = select(Alias.version).where(Alias.attribute_id == attribute.id, Alias.alias == alias)
    now = session.scalar(here) or 0
    if now == expected:
        return
    last = session.scalar(
        select(Promotion)
        .where(Promotion.attribute_id == attribute.id, Promotion.alias == alias)
        .order_by(Promotion.id.desc())
        .limit(1)
    )
    who = (
        f"{last.who} changed it at {iso(last.at)[:19]} UTC (\u201c{last.reason}\u201d)"
        if last
        else "the history does not say why"
    )
    raise CatalogError(
        f"{attribute.name}@{alias} is now {f'version {now}' if now else 'not set'}, not "
        f"{f'version {expected}' if expected else 'unset'}: {who}. Nothing was changed. Review both versions, "
        "then try again."
    )


def repeated(
    session: Session, attribute: Attribute, action: str, move: Move, version: int | None = None
) -> Promotion | None:
    """The line that an earlier try of the same ``move`` wrote."""
    if move.asked_at is None:
        return None
    query = select(Promotion).where(
        Promotion.attribute_id == attribute.id,
        Promotion.action == action,
        Promotion.alias == move.alias,
        Promotion.who == move.who,
        Promotion.reason == move.reason,
        Promotion.at >= move.asked_at,
    )
    if version is not None:
        query = query.where(Promotion.version == version)
    return session.scalar(query.order_by(Promotion.id).limit(1))
