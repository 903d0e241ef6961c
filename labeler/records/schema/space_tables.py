"""Tables of spaces and of what is made in them: clusterings, descriptions, maps, versions of learned spaces."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from attune.labeler.records.schema.base import Base


class Space(Base):
    """A way of seeing the pool that vectors were computed in, by its fingerprint; ``measures`` are of the vectors then.

    ``base_digest`` is the digest of the encoder that it belongs to; None where no encoder has a part in it.
    """

    __tablename__ = "spaces"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)  # final, layer:4, colour
    digest: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[dict[str, Any]]
    base_digest: Mapped[str | None] = mapped_column(index=True)
    measures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    added_at: Mapped[datetime]


class Clustering(Base):
    """One making of clusters in one space. Who is in which stands in the file ``file`` (`labeler.spaces.members`).

    Clusterings of one ``space`` and ``scope`` share their clusters' numbers. ``scope`` is empty for the whole pool; of
    sub-clusters it says inside which cluster of which space.
    """

    __tablename__ = "clusterings"
    __table_args__ = (Index("ix_clusterings_space_scope", "space", "scope"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    space: Mapped[str]
    space_digest: Mapped[str]
    space_version: Mapped[int | None]  # of a learned space, such as taste
    scope: Mapped[str] = mapped_column(default="")
    within_id: Mapped[int | None] = mapped_column(ForeignKey("clusterings.id"))
    within_number: Mapped[int | None]
    k: Mapped[int]  # as asked, or as stability chose
    agreement: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of the numbers that stability chose from
    seed: Mapped[int]
    assets: Mapped[int]
    file: Mapped[str] = mapped_column(String(64))  # sha256
    before_id: Mapped[int | None] = mapped_column(ForeignKey("clusterings.id"))
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)  # born, died, split and merged since the one before
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    described_at: Mapped[datetime | None]
    # What the descriptions are of (`labeler.spaces.descriptions.Basis`). The default is for an older release.
    described: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class Cluster(Base):
    """A group of similar images of one clustering; the same number in the next one is the same group."""

    __tablename__ = "clusters"
    __table_args__ = (UniqueConstraint("clustering_id", "number"), UniqueConstraint("clustering_id", "place"))
    id: Mapped[int] = mapped_column(primary_key=True)
    clustering_id: Mapped[int] = mapped_column(ForeignKey("clusterings.id"))
    place: Mapped[int]  # in the file; 0 is the largest
    number: Mapped[int]
    size: Mapped[int]
    stability: Mapped[float | None]  # mean best Jaccard overlap over bootstrap samples
    name: Mapped[str] = mapped_column(default="")
    # The defaults are for an older release.
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    near: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # numbers of the nearest, nearest first


class Description(Base):
    """One thing that a cluster's images have in common, as the last job `describe` found it.

    ``kind``: ``audit`` or ``answers`` (of experts), ``probe``, ``column``, ``phrase``. ``name`` is the attribute or the
    column, ``value`` its class or value, or the phrase. Shares are of the cluster and of the ``rest`` of all images;
    ``p`` and ``q`` are None where nothing was tested.
    """

    __tablename__ = "descriptions"
    id: Mapped[int] = mapped_column(primary_key=True)
    clustering_id: Mapped[int] = mapped_column(ForeignKey("clusterings.id"), index=True)
    number: Mapped[int]  # of the cluster
    place: Mapped[int]  # within the cluster and the kind, the surest first
    kind: Mapped[str]
    attribute_id: Mapped[int | None] = mapped_column(ForeignKey("attributes.id"))
    name: Mapped[str]
    value: Mapped[str]
    share: Mapped[float | None]
    lo: Mapped[float | None]
    hi: Mapped[float | None]
    rest: Mapped[float | None]
    n: Mapped[int] = mapped_column(default=0)
    titles: Mapped[int] = mapped_column(default=0)
    p: Mapped[float | None]
    q: Mapped[float | None]


class Layout(Base):
    """A map of one space: its landmarks, which never move, and the file of all positions (`labeler.maps.positions`).

    ``file`` is None until the images have been placed. ``placed_until`` is for older releases, which took it for the
    key of the newest asset on the map; what waits is told by the file.
    """

    __tablename__ = "layouts"
    __table_args__ = (Index("ix_layouts_space_space_digest", "space", "space_digest"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    space: Mapped[str]
    space_digest: Mapped[str]  # fingerprint of the vectors
    space_version: Mapped[int | None]  # of a learned space, such as taste
    seed: Mapped[int]
    landmarks: Mapped[int]
    landmarks_digest: Mapped[str] = mapped_column(String(64))  # sha256 of the landmarks' file
    images: Mapped[int] = mapped_column(default=0)
    file: Mapped[str | None] = mapped_column(String(64))  # sha256
    placed_until: Mapped[int] = mapped_column(default=0)
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    placed_at: Mapped[datetime | None]


class SpaceVersion(Base):
    """A learned space, immutable: its manifest, and the bytes of its file, so that lost files can be written again."""

    __tablename__ = "space_versions"
    __table_args__ = (UniqueConstraint("name", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]  # taste
    version: Mapped[int]
    manifest: Mapped[dict[str, Any]]
    digest: Mapped[str]  # sha256 of manifest.json
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made_by: Mapped[str]
    created_at: Mapped[datetime]


class SpacePromotion(Base):
    """One line of a learned space's history; append-only. The newest line of an alias says where it points."""

    __tablename__ = "space_promotions"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    who: Mapped[str]
    action: Mapped[str]  # promote, rollback
    alias: Mapped[str]
    version: Mapped[int]
    before: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text)
