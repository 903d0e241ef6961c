"""Promote, roll back, retire: files first, then one transaction of the records, so that a kill leaves old or new."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog import gates as gate
from attune.labeler.catalog.alias_history import PROMOTE, RETIRE, ROLLBACK, append, check_alias, check_reason, earlier
from attune.labeler.catalog.alias_moves import Moved, expect, locked, moved, refuse_retired, refuse_unanswered, repeated
from attune.labeler.catalog.aliases import aliases_of, is_draft, mirror
from attune.labeler.catalog.run_facts import classes_of, facts_of, find_run, find_version
from attune.labeler.records.schema import Alias, Attribute, Run, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import CHAMPION, Manifest, from_dict
from attune.models.catalog.version_files import make_version
from attune.models.clock import now
from attune.models.errors import CatalogError, CatalogUnreachable, UnknownProbe, VersionExists

__all__ = ["Moved", "promote", "publish", "retire", "rollback"]


def promote(
    settings: Settings,
    attribute: str,
    version: str | int,
    reason: str,
    who: str,
    alias: str = CHAMPION,
    override: bool = False,
    asked_at: datetime | None = None,
    expected: int | None = None,
    draft: bool = False,
) -> Moved:
    """Publish run ``version`` (a number or ``latest``) unless it is published, and point ``alias`` at it.

    ``override`` promotes although an enforced gate failed; ``draft`` although a class has no answer: such a version is
    marked as a draft for good, and no other is. ``asked_at`` makes a repeated job do nothing the second time;
    ``expected`` is the version that ``alias`` pointed at when its owner decided, 0 for none, None for whatever.
    Raises DataError for an empty reason or a numeric alias, UnknownAttribute, UnknownProbe, RetiredVersion, NoAnswers,
    GateFailed, CatalogUnreachable, and CatalogError where somebody else has moved the alias meanwhile.
    """
    reason, alias = check_reason(reason), check_alias(alias)
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        run = find_run(session, found, version)
        refuse_retired(_published(session, found, run), found)
        beaten = aliases_of(session, found).get(CHAMPION, 0)
        classes = classes_of(session, found, run)
    if not draft:
        refuse_unanswered(attribute, run.number, classes, run.labels or {})
    results = gate.check(settings, attribute, run)
    gate.refuse(results, attribute, run.number, override)
    manifest = publish(settings, attribute, run.number)
    with writing(settings) as session:
        found = locked(session, attribute)
        line = repeated(session, found, PROMOTE, alias, who, reason, asked_at, run.number)
        if line is None:
            expect(session, found, alias, expected)
            if any(one.enforced for one in results) and not override:  # they were held against this champion
                expect(session, found, CHAMPION, beaten)
            row = _published(session, found, run) or _add(session, found, run, manifest)
            refuse_retired(row, found)
            if row.digest != manifest.digest:
                raise VersionExists(
                    f"{attribute} version {run.number} was published with other content at the same time. "
                    f"Nothing was changed. To see it: `attune probes list {attribute}`"
                )
            line = append(session, found, PROMOTE, run.number, who, reason, alias, [one.to_dict() for one in results])
    mirror(settings, attribute)
    return moved(attribute, line, manifest.digest, manifest.draft)


def publish(settings: Settings, attribute: str, version: int) -> Manifest:
    """Write the files of run ``version`` into the catalog unless they are there, whole; the records stay as they are.

    A run gives the same bytes each time, so what a killed publisher left is reused or replaced, and two at once agree.
    """
    catalog = Catalog(settings.catalog_address, private=settings.catalog_url is None)
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        run = find_run(session, found, version)
        row = _published(session, found, run)
        facts = facts_of(session, found, run)
    if row is not None:
        manifest = from_dict(row.manifest)
        if manifest.digest == row.digest and there(catalog, manifest):
            return manifest
        facts = replace(facts, draft=manifest.draft)  # it was published before there were drafts
    manifest, contents = make_version(facts, run.probe)
    if row is not None and manifest.digest != row.digest:
        raise CatalogError(
            f"The files of {attribute} version {version} are missing or changed. They were written by Attune "
            f"{facts.code_version}, and this Attune cannot recreate them. Restore probes/{attribute}/{version} "
            "in the catalog from a backup."
        )
    # Replace what is there: nobody was told of it yet, or these are the very bytes that the records state.
    catalog.publish(manifest, contents, replace=True)
    return manifest


def rollback(
    settings: Settings,
    attribute: str,
    reason: str,
    who: str,
    alias: str = CHAMPION,
    asked_at: datetime | None = None,
    expected: int | None = None,
) -> Moved:
    """Point ``alias`` at the version it pointed at before; ``asked_at`` and ``expected`` as in ``promote``.

    Raises CatalogError where there is none, DataError.
    """
    reason, alias = check_reason(reason), check_alias(alias)
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        again = repeated(session, found, ROLLBACK, alias, who, reason, asked_at)
        if again is None:
            expect(session, found, alias, expected)
        target = again.version if again else earlier(session, found, alias)[1]
    publish(settings, attribute, target)  # it may have lain there for years: every byte, or nothing is moved
    with writing(settings) as session:
        found = locked(session, attribute)
        line = repeated(session, found, ROLLBACK, alias, who, reason, asked_at)
        if line is None:
            expect(session, found, alias, expected)
            _, target = earlier(session, found, alias)
            line = append(session, found, ROLLBACK, target, who, reason, alias)
        row = find_version(session, found, line.version)
    mirror(settings, attribute)
    return moved(attribute, line, row.digest, is_draft(row))


def retire(settings: Settings, attribute: str, version: str | int, reason: str, who: str) -> Moved:
    """Stop serving a version; its files and feature values stay.

    Raises CatalogError while an alias points at it, RetiredVersion where it is retired, UnknownProbe, DataError.
    """
    reason = check_reason(reason)
    with writing(settings) as session:
        found = locked(session, attribute)
        row = find_version(session, found, version)
        refuse_retired(row, found)
        pointing = list(
            session.scalars(
                select(Alias.alias)
                .where(Alias.attribute_id == found.id, Alias.version == row.version)
                .order_by(Alias.alias)
            )
        )
        if pointing:
            raise CatalogError(
                f"{attribute} version {row.version} is {' and '.join(pointing)} now, so it cannot be retired. "
                f"First promote another version (`attune probes promote {attribute} VERSION --alias "
                f"{pointing[0]} --reason R`) or roll back: `attune probes rollback {attribute} --reason R`"
            )
        row.retired_at = now()
        line = append(session, found, RETIRE, row.version, who, reason)
    return moved(attribute, line, row.digest, is_draft(row))


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


def there(catalog: Catalog, manifest: Manifest) -> bool:
    """Whether the catalog holds every byte of the version; reads them all. Raises CatalogUnreachable."""
    try:
        held = catalog.manifest_bytes(manifest.attribute, manifest.version) == manifest.to_bytes()
        return held and all(catalog.read(manifest, name) is not None for name in manifest.files)
    except CatalogUnreachable:
        raise
    except (UnknownProbe, CatalogError):
        return False
