"""Promote, roll back, retire: files first, then one transaction of the records, so that a kill leaves old or new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from labeler import attributes
from labeler.catalog import gates as gate
from labeler.catalog.aliases import mirror
from labeler.catalog.facts import facts_of, find_run, find_version
from labeler.catalog.history import PROMOTE, RETIRE, ROLLBACK, append, check_alias, check_reason, earlier
from labeler.records.schema import Alias, Attribute, Promotion, Run, Version
from labeler.records.session import reading, writing
from labeler.settings import Settings
from models.catalog import Catalog
from models.clock import iso, now
from models.errors import CatalogError, RetiredVersion, UnknownProbe, VersionExists
from models.manifest import CHAMPION, Manifest, from_dict
from models.versions import make_version


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
    gates: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON, time as ISO 8601."""
        return vars(self) | {"at": iso(self.at)}


def promote(
    settings: Settings,
    attribute: str,
    version: str | int,
    reason: str,
    who: str,
    alias: str = CHAMPION,
    override: bool = False,
    asked_at: datetime | None = None,
) -> Moved:
    """Publish run ``version`` (a number or ``latest``) unless it is published, and point ``alias`` at it.

    ``override`` promotes although an enforced gate failed; ``asked_at`` makes a repeated job do nothing the second
    time. Raises DataError for an empty reason or a numeric alias, UnknownAttribute, UnknownProbe, RetiredVersion,
    GateFailed, CatalogUnreachable.
    """
    reason, alias = check_reason(reason), check_alias(alias)
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        run = find_run(session, found, version)
        _refuse_retired(_published(session, found, run), found)
    results = gate.check(settings, attribute, run)
    gate.refuse(results, attribute, run.number, override)
    manifest = publish(settings, attribute, run.number)
    with writing(settings) as session:
        found = _locked(session, attribute)
        line = _repeated(session, found, run.number, alias, who, reason, asked_at)
        if line is None:
            row = _published(session, found, run) or _add(session, found, run, manifest)
            _refuse_retired(row, found)
            if row.digest != manifest.digest:
                raise VersionExists(f"{attribute} version {run.number} was published with other content meanwhile.")
            line = append(session, found, PROMOTE, run.number, who, reason, alias, [vars(one) for one in results])
    mirror(settings, attribute)
    return _moved(attribute, line, manifest.digest)


def publish(settings: Settings, attribute: str, version: int) -> Manifest:
    """Write the files of run ``version`` into the catalog unless they are there, whole; the records stay as they are.

    A run gives the same bytes each time, so what a killed publisher left is reused or replaced, and two at once agree.
    """
    catalog = Catalog(settings.catalog_address)
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        run = find_run(session, found, version)
        row = _published(session, found, run)
        facts = facts_of(session, found, run)
    if row is not None:
        manifest = from_dict(row.manifest)
        if manifest.digest == row.digest and _there(catalog, manifest):
            return manifest
    manifest, contents = make_version(facts, run.probe)
    if row is not None and manifest.digest != row.digest:
        raise CatalogError(
            f"The files of {attribute} version {version} are lost or altered, and this Attune makes them otherwise "
            f"than {facts.code_version} did. Restore probes/{attribute}/{version} of the catalog from a backup."
        )
    catalog.publish(manifest, contents, replace=row is None)
    return manifest


def rollback(settings: Settings, attribute: str, reason: str, who: str, alias: str = CHAMPION) -> Moved:
    """Point ``alias`` at the version it pointed at before. Raises CatalogError where there is none, DataError."""
    reason, alias = check_reason(reason), check_alias(alias)
    with writing(settings) as session:
        found = _locked(session, attribute)
        _, target = earlier(session, found, alias)
        row = find_version(session, found, target)
        line = append(session, found, ROLLBACK, target, who, reason, alias)
    mirror(settings, attribute)
    return _moved(attribute, line, row.digest)


def retire(settings: Settings, attribute: str, version: str | int, reason: str, who: str) -> Moved:
    """Stop serving a version; its files and feature values stay.

    Raises CatalogError while an alias points at it, RetiredVersion where it is retired, UnknownProbe, DataError.
    """
    reason = check_reason(reason)
    with writing(settings) as session:
        found = _locked(session, attribute)
        row = find_version(session, found, version)
        _refuse_retired(row, found)
        pointing = list(
            session.scalars(
                select(Alias.alias)
                .where(Alias.attribute_id == found.id, Alias.version == row.version)
                .order_by(Alias.alias)
            )
        )
        if pointing:
            raise CatalogError(
                f"{attribute} version {row.version} is {' and '.join(pointing)} now, so it cannot be retired. Promote "
                f"another version to {pointing[0]} first: `attune probes promote {attribute} VERSION --alias "
                f"{pointing[0]} --reason R`, or `attune probes rollback {attribute} --reason R`."
            )
        row.retired_at = now()
        line = append(session, found, RETIRE, row.version, who, reason)
    return _moved(attribute, line, row.digest)


def _locked(session: Session, attribute: str) -> Attribute:
    """The attribute, held until the transaction ends, so that one history has one order on PostgreSQL too."""
    found = attributes.find(session, attribute)
    session.refresh(found, with_for_update=True)
    return found


def _published(session: Session, attribute: Attribute, run: Run) -> Version | None:
    return session.scalar(select(Version).where(Version.attribute_id == attribute.id, Version.version == run.number))


def _add(session: Session, attribute: Attribute, run: Run, manifest: Manifest) -> Version:
    row = Version(
        attribute_id=attribute.id,
        version=run.number,
        run_id=run.id,
        manifest=manifest.to_dict(),
        digest=manifest.digest,
        created_at=now(),
    )
    session.add(row)
    return row


def _there(catalog: Catalog, manifest: Manifest) -> bool:
    try:
        held = catalog.manifest_bytes(manifest.attribute, manifest.version) == manifest.to_bytes()
        return held and all(catalog.read(manifest, name) is not None for name in manifest.files)
    except (UnknownProbe, CatalogError):
        return False


def _refuse_retired(row: Version | None, attribute: Attribute) -> None:
    if row is not None and row.retired_at is not None:
        raise RetiredVersion(
            f"{attribute.name} version {row.version} was retired at {iso(row.retired_at)}. `attune probes history "
            f"{attribute.name}` says why; choose another version from `attune probes list {attribute.name}`."
        )


def _repeated(
    session: Session, attribute: Attribute, version: int, alias: str, who: str, reason: str, asked_at: datetime | None
) -> Promotion | None:
    """The line that an earlier try of the same request wrote."""
    if asked_at is None:
        return None
    return session.scalar(
        select(Promotion).where(
            Promotion.attribute_id == attribute.id,
            Promotion.action == PROMOTE,
            Promotion.version == version,
            Promotion.alias == alias,
            Promotion.who == who,
            Promotion.reason == reason,
            Promotion.at >= asked_at,
        )
    )


def _moved(attribute: str, line: Promotion, digest: str) -> Moved:
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
        line.gates,
    )
