"""Where aliases point and which versions are drafts; ``aliases.json`` mirrors it for those who read the files alone."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.records.schema import Alias, Attribute, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog

DRAFT = Version.manifest["draft"].as_boolean().is_(True)  # as a condition: no manifest has to be read for it


def recorded(settings: Settings, attribute: str) -> dict[str, int]:
    """Where each alias points by the records. Raises UnknownAttribute."""
    with reading(settings) as session:
        found = attributes.find(session, attribute)
        return aliases_of(session, found)


def aliases_of(session: Session, attribute: Attribute) -> dict[str, int]:
    """Where the attribute's aliases point."""
    rows = session.execute(
        select(Alias.alias, Alias.version).where(Alias.attribute_id == attribute.id).order_by(Alias.alias)
    )
    return {row.alias: row.version for row in rows}


def is_draft(version: Version) -> bool:
    """Whether the version was published on purpose although a class had no answer."""
    return bool((version.manifest or {}).get("draft"))


def drafts_of(session: Session, attribute_id: int) -> set[int]:
    """The attribute's versions that are drafts."""
    return set(session.scalars(select(Version.version).where(Version.attribute_id == attribute_id, DRAFT)))


def mirror(settings: Settings, attribute: str) -> None:
    """Write the aliases as the records have them.

    Looks again after writing: the person who commits last also looks last, so the file ends as the records do.
    """
    catalog = Catalog(settings.catalog_address, private=settings.catalog_url is None)
    written: dict[str, int] | None = None
    while (aliases := recorded(settings, attribute)) != written:
        catalog.write_aliases(attribute, aliases)
        written = aliases
