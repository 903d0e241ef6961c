"""Who is in which cluster: one Arrow file for each clustering, named by its own sha256, in the workspace.

Columns: ``key`` (int64, the asset's key in the records, ascending), ``cluster`` (int16, the cluster's place by size)
and ``cosine`` (float16, to its centre). The same members give the same bytes, whatever numbers the clusters have.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.files.atomic import digest_bytes, write_bytes

SCHEMA = pa.schema([("key", pa.int64()), ("cluster", pa.int16()), ("cosine", pa.float16())])


@dataclass(frozen=True, eq=False)
class Members:
    """The members of a clustering: ``keys`` (n,) ascending, the ``places`` (n,) of their clusters, and ``cosines``."""

    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    cosines: npt.NDArray[np.float16]

    def of(self, place: int) -> npt.NDArray[np.int64]:
        """The keys of one cluster, the most typical first."""
        mine = np.flatnonzero(self.places == place)
        order = np.argsort(-self.cosines[mine].astype(np.float32), kind="stable")
        return self.keys[mine[order]]

    def most_typical(self, count: int, clusters: int) -> list[npt.NDArray[np.int64]]:
        """For each of ``clusters`` the keys of its ``count`` most typical members, read once."""
        order = np.lexsort((self.keys, -self.cosines.astype(np.float32), self.places))
        starts = np.searchsorted(self.places[order], np.arange(clusters + 1))
        return [self.keys[order[a : min(a + count, b)]] for a, b in pairwise(starts)]


def save(settings: Settings, members: Members) -> str:
    """Keep ``members`` and return the digest that finds them."""
    columns = [members.keys, members.places, members.cosines]
    batch = pa.record_batch(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_batch(batch)
    content = sink.getvalue().to_pybytes()
    digest = digest_bytes(content)
    if not (path := _place(settings, digest)).exists():
        write_bytes(path, content)
    return digest


def load(settings: Settings, digest: str) -> Members:
    """The members that ``save`` kept, mapped. Raises DataError where the file is gone."""
    path = _place(settings, digest)
    try:
        source = pa.memory_map(str(path))
    except FileNotFoundError as error:
        raise DataError(
            f"The file {path} does not exist. It says which images are in which cluster. Restore it from a backup, or "
            "make the clusters again: `attune clusters make`"
        ) from error
    with pa.ipc.open_file(source) as reader:
        batch = reader.get_batch(0)
    return Members(*(batch.column(field.name).to_numpy(zero_copy_only=False) for field in SCHEMA))


def _place(settings: Settings, digest: str) -> Path:
    return settings.workspace / "clusters" / f"{digest}.arrow"
