"""What people taught the space of a clustering: the columns that a test of its clusters would only find again."""

from __future__ import annotations

from sqlalchemy.orm import Session

from attune.labeler.records.schema import Clustering, SpaceVersion
from attune.labeler.spaces import learned, towers
from attune.labeler.spaces.learned import TASTE
from attune.models.catalog.manifest import SPACES, Reference
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.similarity.space_manifest import from_dict


def columns(session: Session, row: Clustering) -> set[str]:
    """The columns that the space of a clustering was learned from, and those of the clusterings that it is inside."""
    found: set[str] = set()
    above: Clustering | None = row
    while above is not None:
        if (version := version_of(session, above)) is not None:
            found.add(from_dict(version.manifest).facts.column)
        above = session.get(Clustering, above.within_id) if above.within_id else None
    return found


def version_of(session: Session, row: Clustering) -> SpaceVersion | None:
    """The version of taste that a clustering was made in; None for another space."""
    if row.space != TASTE or row.space_version is None:
        return None
    return learned.find(session, Reference(TASTE, str(row.space_version), SPACES))


def base_of(session: Session, row: Clustering) -> Fingerprint | None:
    """The encoder that the version of a clustering was learned with; None for another space."""
    version = version_of(session, row)
    return None if version is None else towers.base_of(from_dict(version.manifest))
