"""Promote, roll back, retire: files first, then one transaction of the records, so that a kill leaves old or new."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.catalog import gates as gate
from attune.labeler.catalog.alias_history import PROMOTE, RETIRE, ROLLBACK, append, earlier
from attune.labeler.catalog.alias_moves import (
    Move,
    Moved,
    expect,
    locked,
    moved,
    refuse_retired,
    refuse_unanswered,
    refuse_untaught,
    repeated,
)
from attune.labeler.catalog.aliases import aliases_of, is_draft, mirror
from attune.labeler.catalog.gate_outcomes import Gate
from attune.labeler.catalog.run_facts import classes_of, facts_of, find_run, find_version
from attune.labeler.people import owner_rights
from attune.labeler.records.schema import Alias, Attribute, Promotion, Run, Version
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import CHAMPION, Manifest, from_dict
from attune.models.catalog.version_files import make_version
from attune.models.clock import now
from attune.models.errors import CatalogError, CatalogUnreachable, UnknownProbe, VersionExists

__all__ = ["Move", "Moved", "promote", "publish", "retire", "rollback"]


def promote(settings: Settings, move: Move) -> Moved:
    """Publish run ``move.version`` unless it is published, and point ``move.alias`` at it.

    A version that is published as a draft is marked as one for good, and no other is.
    Raises DataError for an empty reason or a numeric alias, UnknownAttribute, UnknownProbe, RetiredVersion, NoAnswers,
    GateFailed, CatalogUnreachable, AccessError where ``move.asked_by`` is no longer an owner's login, and CatalogError
    where someone else has moved the alias in the meantime.
    """
    move, attribute = move.checked(), move.attribute
    with reading(settings) as session:
        attribute_row = attributes.find(session, attribute)
        run = find_run(session, attribute_row, _number_of_move(move))
        refuse_retired(_published(session, attribute_row, run), attribute_row)
        beaten = aliases_of(session, attribute_row).get(CHAMPION, 0)
        classes = classes_of(session, attribute_row, run)
    if move.draft:
        refuse_untaught(attribute, run.number, run.probe)
    else:
        refuse_unanswered(attribute, run.number, classes, run.labels or {})
    results = gate.check(settings, attribute, run)
    gate.refuse(results, attribute, run.number, move.override)
    manifest = publish(settings, attribute, run.number)
    with writing(settings) as session:
        owner_rights.check_owner(session, move.asked_by)
        attribute_row = locked(session, attribute)
        line = repeated(session, attribute_row, PROMOTE, move, run.number)
        if line is None:
            expect(session, attribute_row, move.alias, move.expected)
            if (
                any(gate_result.enforced for gate_result in results) and not move.override
            ):  # they were held against this champion
                expect(session, attribute_row, CHAMPION, beaten)
            line = _point(session, attribute_row, run, manifest, move, results)
    mirror(settings, attribute)
    return moved(attribute, line, manifest.digest, manifest.draft)


def _point(
    session: Session, attribute: Attribute, run: Run, manifest: Manifest, move: Move, results: list[Gate]
) -> Promotion:
    """Point the alias at the run's version, which is added where it is new; the line of the history."""
    row = _published(session, attribute, run) or _add(session, attribute, run, manifest)
    refuse_retired(row, attribute)
    if row.digest != manifest.digest:
        raise VersionExists(
            f"{attribute.name} version {run.number} was published with other content at the same time. "
            f"Nothing was changed. To see it: `attune probes list {attribute.name}`"
        )
    gates = [one.to_dict() for one in results]
    return append(session, attribute, PROMOTE, run.number, move.who, move.reason, move.alias, gates)


def _number_of_move(move: Move) -> str | int:
    if move.version is None:
        raise UnknownProbe(f"No version of {move.attribute} is named: give its number, or latest.")
    return move.version


def publish(settings: Settings, attribute: str, version: int) -> Manifest:
    """Write the files of run ``version`` into the catalog unless they are there, whole; the records stay as they are.

    A run gives the same bytes each time, so what a killed publisher left is reused or replaced, and two at once agree.
    """
    catalog = Catalog(settings.catalog_address, private=settings.catalog_url is None)
    with reading(settings) as session:
        attribute_row = attributes.find(session, attribute)
        run = find_run(session, attribute_row, version)
        row = _published(session, attribute_row, run)
        facts = facts_of(session, attribute_row, run)
    if row is not None:
        manifest = from_dict(row.manifest)
        if manifest.digest == row.digest and is_published(catalog, manifest):
            return manifest
        facts = replace(facts, draft=manifest.draft)  # it was published before there were drafts
    manifest, contents = make_version(facts, run.probe)
    if row is not None and manifest.digest != row.digest:
        raise CatalogError(
            f"The files of {attribute} version {version} are missing or changed. They were written by Attune "
            f"{facts.code_version}, and this Attune cannot recreate them. Restore probes/{attribute}/{version} "
            "in the catalog from a backup."
        )
    # Replace what is there: no one was told of it yet, or these are the very bytes that the records state.
    catalog.publish(manifest, contents, replace=True)
    return manifest


def rollback(settings: Settings, move: Move) -> Moved:
    """Point ``move.alias`` at the version it pointed at before. Raises CatalogError where there is none, DataError."""
    move, attribute = move.checked(), move.attribute
    with reading(settings) as session:
        attribute_row = attributes.find(session, attribute)
        again = repeated(session, attribute_row, ROLLBACK, move)
        if again is None:
            expect(session, attribute_row, move.alias, move.expected)
        target = again.version if again else earlier(session, attribute_row, move.alias)[1]
    publish(settings, attribute, target)  # it may have lain there for years: every byte, or nothing is moved
    with writing(settings) as session:
        attribute_row = locked(session, attribute)
        line = repeated(session, attribute_row, ROLLBACK, move)
        if line is None:
            expect(session, attribute_row, move.alias, move.expected)
            _, target = earlier(session, attribute_row, move.alias)
            line = append(session, attribute_row, ROLLBACK, target, move.who, move.reason, move.alias)
        row = find_version(session, attribute_row, line.version)
    mirror(settings, attribute)
    return moved(attribute, line, row.digest, is_draft(row))


def retire(settings: Settings, move: Move) -> Moved:
    """Stop serving ``move.version``; its files and feature values stay.

    Raises CatalogError while an alias points at it, RetiredVersion where it is retired, UnknownProbe, DataError.
    """
    move, attribute = move.checked(), move.attribute
    with writing(settings) as session:
        attribute_row = locked(session, attribute)
        row = find_version(session, attribute_row, _number_of_move(move))
        refuse_retired(row, attribute_row)
        pointing = list(
            session.scalars(
                select(Alias.alias)
                .where(Alias.attribute_id == attribute_row.id, Alias.version == row.version)
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
        line = append(session, attribute_row, RETIRE, row.version, move.who, move.reason)
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


def is_published(catalog: Catalog, manifest: Manifest) -> bool:
    """Whether the catalog holds every byte of the version; reads them all. Raises CatalogUnreachable."""
    try:
        is_written = catalog.manifest_bytes(manifest.attribute, manifest.version) == manifest.to_bytes()
        return is_written and all(catalog.read(manifest, name) is not None for name in manifest.files)
    except CatalogUnreachable:
        raise
    except (UnknownProbe, CatalogError):
        return False
