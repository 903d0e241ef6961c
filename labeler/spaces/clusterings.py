"""Saved clusterings: find one, keep a new one, and give its clusters the numbers and names that they had before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Cluster, Clustering
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import members
from attune.labeler.spaces.members import Members
from attune.labeler.spaces.spaces import FINAL
from attune.models.clock import now
from attune.models.errors import DataError, UnknownClustering
from attune.models.spaces.matching import lineage, shared_counts

KIND = "clusters"  # of the job
USUAL, MOST = 24, 60
LONGEST_NAME, LONGEST_NOTE, LONGEST_SCOPE = 80, 2000, 255
WITHIN = re.compile(r"([1-9][0-9]{0,8}):([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class New:
    """A clustering that was made and is to be kept: ``stability`` by place, as the clusters stand in ``members``.

    ``near``: of each cluster the places of the nearest others, nearest first. ``version``: of a learned space.
    """

    space: str
    space_digest: str
    k: int
    seed: int
    members: Members
    sizes: Sequence[int]
    stability: Sequence[float]
    within: str = ""
    agreement: Mapping[int, float] = field(default_factory=dict)
    made_by: str = ""
    near: Sequence[Sequence[int]] = ()
    version: int | None = None


@dataclass(frozen=True)
class Saved:
    """A kept clustering with its clusters, largest first."""

    row: Clustering
    clusters: Sequence[Cluster]

    def cluster(self, number: int) -> Cluster:
        """Cluster ``number``. Raises UnknownClustering where it has none of that number."""
        found = next((one for one in self.clusters if one.number == number), None)
        if found is None:
            numbers = ", ".join(str(one) for one in sorted(one.number for one in self.clusters))
            raise UnknownClustering(f"Clustering {self.row.id} has no cluster {number}. Its clusters are {numbers}.")
        return found


def parse_within(text: str) -> tuple[int, int]:
    """Clustering and cluster of ``RUN:N``. Raises DataError for another form."""
    found = WITHIN.fullmatch(text)
    if found is None:
        raise DataError(
            f"--within is {text[:60]!r}. Give a clustering and the number of a cluster, such as 3:7. To list the "
            "clusterings: `attune clusters list`"
        )
    return int(found[1]), int(found[2])


def find(session: Session, clustering_id: int) -> Saved:
    """One clustering. Raises UnknownClustering where it does not exist."""
    row = session.get(Clustering, clustering_id)
    if row is None:
        raise UnknownClustering(
            f"Clustering {clustering_id} does not exist. To list the clusterings: `attune clusters list`"
        )
    clusters = session.scalars(select(Cluster).where(Cluster.clustering_id == row.id).order_by(Cluster.place))
    return Saved(row, list(clusters))


def latest(session: Session, space: str = FINAL, scope: str = "") -> Saved | None:
    """The newest clustering of a space and scope; None where there is none."""
    newest = select(Clustering.id).where(Clustering.space == space, Clustering.scope == scope)
    found = session.scalar(newest.order_by(Clustering.id.desc()).limit(1))
    return None if found is None else find(session, found)


def listed(session: Session) -> list[Clustering]:
    """All clusterings, the newest first."""
    return list(session.scalars(select(Clustering).order_by(Clustering.id.desc())))


def scope_of(session: Session, within: str) -> str:
    """What tells the sub-clusters of one cluster from others: the cluster by its number, which lives on.

    Empty for the whole pool. Raises DataError where there is no such cluster, or it is too deep.
    """
    if not within:
        return ""
    clustering_id, number = parse_within(within)
    saved = find(session, clustering_id)
    saved.cluster(number)
    scope = f"{saved.row.scope}/{saved.row.space}:{number}"
    if len(scope) > LONGEST_SCOPE:
        raise DataError("These clusters are too deep inside others. Choose a larger cluster.")
    return scope


def keys_within(settings: Settings, within: str) -> npt.NDArray[np.int64]:
    """The keys of the assets in the cluster ``RUN:N``. Raises DataError where it does not exist."""
    clustering_id, number = parse_within(within)
    with reading(settings) as session:
        saved = find(session, clustering_id)
    return members.load(settings, saved.row.file).of(saved.cluster(number).place)


def keep(settings: Settings, new: New) -> int:
    """Save a clustering and return its id. Clusters that were there before keep their number and their name."""
    digest = members.save(settings, new.members)
    with writing(settings) as session:
        scope = scope_of(session, new.within)
        before, lost = _before(settings, session, new.space, scope)
        numbers, changes = _numbers(settings, session, new, before, scope)
        if lost:
            changes["lost"] = lost
        within = parse_within(new.within) if new.within else (None, None)
        row = Clustering(
            space=new.space, space_digest=new.space_digest, space_version=new.version, scope=scope,
            within_id=within[0], within_number=within[1],
            k=new.k, agreement={str(k): value for k, value in new.agreement.items()}, seed=new.seed,
            assets=len(new.members.keys), file=digest, before_id=before.row.id if before else None, changes=changes,
            made_by=new.made_by, made_at=now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        held = {one.number: one for one in before.clusters} if before else {}
        for place, number in enumerate(numbers):
            one = Cluster(clustering_id=row.id, place=place, number=number, size=int(new.sizes[place]))
            one.stability = float(new.stability[place]) if len(new.stability) else None
            one.near = [numbers[other] for other in new.near[place]] if len(new.near) else []
            if number in held:
                one.name, one.note = held[number].name, held[number].note
            session.add(one)
        return row.id


def _before(settings: Settings, session: Session, space: str, scope: str) -> tuple[Saved | None, list[int]]:
    """The newest clustering of a space and scope whose file is still there, and the newer ones whose file is gone."""
    newest = select(Clustering).where(Clustering.space == space, Clustering.scope == scope)
    lost: list[int] = []
    for row in session.scalars(newest.order_by(Clustering.id.desc())):
        if members.there(settings, row.file):
            return find(session, row.id), lost
        lost.append(row.id)
    return None, lost


def _numbers(
    settings: Settings, session: Session, new: New, before: Saved | None, scope: str
) -> tuple[list[int], dict[str, Any]]:
    """The new clusters' numbers by place, and what changed since ``before``."""
    given = select(func.max(Cluster.number)).join(Clustering, Clustering.id == Cluster.clustering_id)
    highest = session.scalar(given.where(Clustering.space == new.space, Clustering.scope == scope)) or 0
    if before is None:
        return list(range(highest + 1, highest + len(new.sizes) + 1)), {}
    shared = overlap(members.load(settings, before.row.file), new.members, (len(before.clusters), len(new.sizes)))
    found = lineage(shared, [one.number for one in before.clusters], highest + 1)
    changes = {
        "born": list(found.born),
        "died": list(found.died),
        "split": {str(number): list(pieces) for number, pieces in found.split.items()},
        "merged": {str(number): list(pieces) for number, pieces in found.merged.items()},
    }
    return list(found.numbers), changes


def overlap(first: Members, second: Members, sizes: tuple[int, int]) -> npt.NDArray[np.float64]:
    """How many assets each pair of clusters of two clusterings shares, by place."""
    _, a, b = np.intersect1d(first.keys, second.keys, assume_unique=True, return_indices=True)
    return shared_counts(first.places[a], second.places[b], sizes)


def rename(settings: Settings, clustering_id: int, number: int, name: str) -> str:
    """Name a cluster, in every clustering of its space and scope that has its number; returns the name before.

    Raises DataError where it does not exist or the name is too long.
    """
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME:
        raise DataError(f"The name has {len(name)} characters. Use at most {LONGEST_NAME}.")
    with writing(settings) as session:
        before = find(session, clustering_id).cluster(number).name
        for row in _of_number(session, clustering_id, number):
            row.name = name
    return before


def take_note(settings: Settings, clustering_id: int, number: int, note: str) -> None:
    """Write down what people saw in a cluster, where `rename` writes its name. Raises DataError as it does."""
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise DataError(f"The note has {len(note):,} characters. Use at most {LONGEST_NOTE:,}.")
    with writing(settings) as session:
        find(session, clustering_id).cluster(number)
        for row in _of_number(session, clustering_id, number):
            row.note = note


def _of_number(session: Session, clustering_id: int, number: int) -> list[Cluster]:
    """The cluster in every clustering of its space and scope."""
    one = session.get_one(Clustering, clustering_id)
    same = select(Clustering.id).where(Clustering.space == one.space, Clustering.scope == one.scope)
    return list(session.scalars(select(Cluster).where(Cluster.number == number, Cluster.clustering_id.in_(same))))
