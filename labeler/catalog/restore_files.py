"""Make the catalog's files say what the records say, after a crash or a loss."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from attune.labeler.catalog.aliases import mirror, recorded
from attune.labeler.catalog.promote import is_published, publish
from attune.labeler.records.schema import Attribute, Version
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import from_dict
from attune.models.errors import CatalogError, CatalogUnreachable


def restore(settings: Settings, thorough: bool = False) -> dict[str, Any]:
    """Rewrite aliases and versions that the catalog lacks; which ones, as ``{"aliases": [...], "versions": [...]}``.

    Cheap where nothing is wrong, so every start does it; ``thorough`` reads every file of every version that is
    served, and so finds those that were altered or lost one by one. Raises CatalogError where a version's files are
    lost and cannot be made again, CatalogUnreachable.
    """
    catalog = Catalog(settings.catalog_address, private=settings.catalog_url is None)
    with reading(settings) as session:
        names = list(session.scalars(select(Attribute.name).order_by(Attribute.name)))
        served = (
            select(Attribute.name, Version.version, Version.manifest)
            .join(Attribute, Attribute.id == Version.attribute_id)
            .where(Version.retired_at.is_(None))
            .order_by(Attribute.name, Version.version)
        )
        versions = [(name, version, manifest) for name, version, manifest in session.execute(served)]
    versions_by_name = {name: set(catalog.versions(name)) for name in names}
    missing = [
        (name, version)
        for name, version, manifest in versions
        if version not in versions_by_name[name] or (thorough and not is_published(catalog, from_dict(manifest)))
    ]
    for name, version in missing:
        publish(settings, name, version)
    stale = [name for name in names if _aliases(catalog, name) != recorded(settings, name)]
    for name in stale:
        mirror(settings, name)
    return {"aliases": stale, "versions": [f"{name}@{version}" for name, version in missing]}


def _aliases(catalog: Catalog, name: str) -> dict[str, int] | None:
    try:
        return catalog.aliases(name)
    except CatalogUnreachable:
        raise
    except CatalogError:
        return None
