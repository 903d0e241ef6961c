"""The versions of learned spaces: kept, found by number or alias, and their files in the catalog beside the probes'."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.catalog.reading import Content
from attune.labeler.records.schema import SpacePromotion, SpaceVersion
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import CHAMPION, FILE_NAME, SPACES, Reference, check_file
from attune.models.clock import now
from attune.models.errors import CatalogError, DigestMismatch, UnknownProbe
from attune.models.files.atomic import digest_bytes
from attune.models.similarity.space_files import LearnedSpace, read_space
from attune.models.similarity.space_manifest import SpaceFacts, SpaceManifest, from_dict
from attune.models.similarity.space_version import TOWER_NAME, make_version

TASTE = "taste"
KIND = "learn_taste"  # of the job
HOW = "To learn one from a column such as genre: `attune spaces learn taste --labels genre`"
HOW_TO_PROMOTE = "To use a version: `attune spaces promote taste VERSION --reason R`"


def catalog_of(settings: Settings) -> Catalog:
    """The catalog, as the room of spaces."""
    return Catalog(settings.catalog_address, private=settings.catalog_url is None, room=SPACES)


def versions(session: Session, name: str) -> list[SpaceVersion]:
    """All versions of a space, the newest first."""
    mine = select(SpaceVersion).where(SpaceVersion.name == name)
    return list(session.scalars(mine.order_by(SpaceVersion.version.desc())))


def lines(session: Session, name: str) -> list[SpacePromotion]:
    """The history of a space, oldest first."""
    mine = select(SpacePromotion).where(SpacePromotion.name == name)
    return list(session.scalars(mine.order_by(SpacePromotion.id)))


def aliases(session: Session, name: str) -> dict[str, int]:
    """Where each alias points: its newest line says so."""
    return {line.alias: line.version for line in lines(session, name)}


def find(session: Session, reference: Reference) -> SpaceVersion:
    """The version that ``reference`` means. Raises UnknownProbe."""
    name, number = reference.name, reference.version
    if number is None:
        held = aliases(session, name)
        if reference.ref not in held:
            there = session.scalar(select(SpaceVersion.id).where(SpaceVersion.name == name).limit(1))
            raise UnknownProbe(
                f"The space {name} has no {reference.ref}. {HOW_TO_PROMOTE if there else HOW}".replace(TASTE, name)
            )
        number = held[reference.ref]
    found = session.scalar(select(SpaceVersion).where(SpaceVersion.name == name, SpaceVersion.version == number))
    if found is None:
        raise UnknownProbe(
            f"The space {name} has no version {number}. To list its versions: `attune spaces versions {name}`"
        )
    return found


def champion(session: Session, name: str = TASTE) -> SpaceVersion | None:
    """The version that is champion; None where there is none."""
    number = aliases(session, name).get(CHAMPION)
    return None if number is None else find(session, Reference(name, str(number), SPACES))


def in_use(session: Session) -> SpaceVersion:
    """The champion of taste. Raises UnknownProbe with what to do where there is none."""
    row = champion(session)
    if row is None:
        there = bool(versions(session, TASTE))
        raise UnknownProbe(f"There is no taste space in use yet. {HOW_TO_PROMOTE if there else HOW}")
    return row


def load(row: SpaceVersion) -> tuple[LearnedSpace, SpaceManifest]:
    """The space of a version and its manifest."""
    return _space(row.content), from_dict(row.manifest)


@lru_cache(maxsize=4)
def _space(content: bytes) -> LearnedSpace:
    return read_space(content)


def made_of(session: Session, name: str, data: str) -> SpaceVersion | None:
    """The newest version of a space where it was made of ``data``, a digest."""
    newest = next(iter(versions(session, name)), None)
    return newest if newest is not None and newest.manifest.get("data_digest") == data else None


def register(
    settings: Settings,
    space: LearnedSpace,
    facts: Callable[[int, str], SpaceFacts],
    name: str,
    data: str,
    who: str,
    tower: bytes = b"",
) -> SpaceVersion:
    """Keep a space as the next version of ``name``; the newest one where that was made of the same ``data``.

    ``facts`` gets the version's number and the time. ``tower``: the weights of a network that was trained, which only
    the catalog keeps. The files come first: killed before the row is there, the next try writes them again. Raises
    CatalogUnreachable.
    """
    with writing(settings) as session:
        if (newest := made_of(session, name, data)) is not None:
            return newest
        highest = session.scalar(select(func.max(SpaceVersion.version)).where(SpaceVersion.name == name)) or 0
        at = now()
        manifest, contents = make_version(facts(highest + 1, at.isoformat()), space, tower)
        catalog_of(settings).publish(manifest, contents, replace=True)
        row = SpaceVersion(
            name=name, version=manifest.version, manifest=manifest.to_dict(), digest=manifest.digest,
            content=contents["space.safetensors"], made_by=who, created_at=at,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row


def tower_of(settings: Settings, manifest: SpaceManifest) -> bytes:
    """The weights of the version's own image tower; empty where it has none. Raises CatalogError."""
    if manifest.facts.network is None:
        return b""
    try:
        return catalog_of(settings).read(manifest, TOWER_NAME)
    except (DigestMismatch, UnknownProbe) as error:
        name = f"spaces/{manifest.facts.name}/{manifest.version}/{TOWER_NAME}"
        raise CatalogError(
            f"{name} in the catalog is gone or was changed, and only the catalog keeps it. Restore it from a backup, "
            "or fine-tune again: `attune spaces learn taste --labels genre --fine-tune 2`"
        ) from error


def publish(settings: Settings, row: SpaceVersion) -> None:
    """Write a version's files into the catalog again where one is missing or changed. Raises CatalogError."""
    space, manifest = load(row)
    made, contents = make_version(manifest.facts, space, tower_of(settings, manifest))
    if made.digest != row.digest:
        raise CatalogError(
            f"The files of the space {row.name} version {row.version} were written by another Attune, and this one "
            f"cannot write them again. Restore spaces/{row.name}/{row.version} in the catalog from a backup."
        )
    catalog_of(settings).publish(made, contents, replace=True)


def manifest_content(settings: Settings, reference: Reference) -> Content:
    """The bytes of a version's manifest. Raises UnknownProbe, DigestMismatch, CatalogUnreachable."""
    with reading(settings) as session:
        row = find(session, reference)
    content = catalog_of(settings).manifest_bytes(row.name, row.version)
    if digest_bytes(content) != row.digest:
        raise DigestMismatch(
            f"{FILE_NAME} of the space {row.name} version {row.version} was changed in the catalog. To write it "
            f"again: `attune spaces promote {row.name} {row.version} --reason R`"
        )
    return Content(row.version, row.digest, content)


def file_content(settings: Settings, reference: Reference, file: str) -> Content:
    """The bytes of one file of a version. Raises as ``manifest_content``."""
    if check_file(file) == FILE_NAME:
        return manifest_content(settings, reference)
    with reading(settings) as session:
        manifest = from_dict(find(session, reference).manifest)
    content = catalog_of(settings).read(manifest, file)
    return Content(manifest.version, manifest.files[file].sha256, content)
