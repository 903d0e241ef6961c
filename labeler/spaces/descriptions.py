"""The stored descriptions of clusters: replaced as a whole, read by cluster, and whether they are of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Alias, Attribute, Clustering, Description
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import CHAMPION
from attune.models.clock import now

KIND = "describe"  # of the job
FEW_NEW, SHARE_NEW = 20, 0.1  # answers since, or as a share of those before: then descriptions are made again


@dataclass(frozen=True)
class Basis:
    """What descriptions were made of: each attribute's counter of ``answers``, the version of each of the
    ``champions``, how many ``tests`` share one false discovery rate, and why there are no phrases (empty: there are).
    """

    answers: Mapping[str, int] = field(default_factory=dict)
    champions: Mapping[str, int] = field(default_factory=dict)
    tests: int = 0
    images: int = 0
    no_phrases: str = ""

    @classmethod
    def of(cls, row: Clustering) -> Basis:
        """As ``clusterings.described`` holds it."""
        known = {name: value for name, value in (row.described or {}).items() if name in cls.__dataclass_fields__}
        return cls(**known)


def today(session: Session) -> tuple[dict[str, int], dict[str, int]]:
    """The counters of answers and the champions' versions as they are now, by the attribute's name."""
    there = select(Attribute.name, Attribute.answers_counter).where(Attribute.retired_at.is_(None))
    pointed = select(Attribute.name, Alias.version).join(Alias, Alias.attribute_id == Attribute.id)
    pointed = pointed.where(Alias.alias == CHAMPION, Attribute.retired_at.is_(None))
    return dict(session.execute(there).all()), dict(session.execute(pointed).all())


def is_stale(basis: Basis, answers: Mapping[str, int], champions: Mapping[str, int]) -> bool:
    """Whether a champion moved since, or an attribute got many answers."""
    if dict(basis.champions) != dict(champions):
        return True
    for name, counter in answers.items():
        before = basis.answers.get(name, 0)
        if counter - before >= min(FEW_NEW, max(1, SHARE_NEW * before)):
            return True
    return False


def replace(settings: Settings, clustering: int, found: Sequence[Mapping[str, Any]], basis: Basis) -> None:
    """Put ``found`` (fields of `Description`) in place of what was said of the clustering, all at once."""
    with writing(settings) as session:
        row = session.get_one(Clustering, clustering)
        session.execute(delete(Description).where(Description.clustering_id == clustering))
        session.add_all(Description(clustering_id=clustering, **one) for one in found)
        row.described_at, row.described = now(), asdict(basis)


def of_clustering(session: Session, clustering: int, number: int | None = None) -> list[Description]:
    """What is said of its clusters, or of one: by cluster, kind and place."""
    query = select(Description).where(Description.clustering_id == clustering)
    if number is not None:
        query = query.where(Description.number == number)
    return list(session.scalars(query.order_by(Description.number, Description.kind, Description.place)))
