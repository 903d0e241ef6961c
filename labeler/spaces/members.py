"""Who is in which cluster: one Arrow file for each clustering, named by its own sha256, in the workspace.

Columns: ``key`` (int64, the asset's key in the records, ascending), ``cluster`` (int16, the cluster's place by size),
``cosine`` (float16, to its centre) and ``order`` (int32: the rows cluster by cluster, the most typical first), so that
no page sorts. The same members give the same bytes, whatever numbers the clusters have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.files.arrow_files import read_columns
from attune.models.files.atomic import digest_bytes, keep_bytes

ORDER = "order"
WHAT = (
    "It says which images are in which cluster. Restore it from a backup, or make the clusters again: "
    "`attune clusters make`"
)
SCHEMA = pa.schema([("key", pa.int64()), ("cluster", pa.int16()), ("cosine", pa.float16()), (ORDER, pa.int32())])


@dataclass(frozen=True, eq=False)
class Members:
    """The members of a clustering: ``keys`` (n,) ascending, the ``places`` (n,) of their clusters, and ``cosines``.

    ``sorted_rows`` (n,): the rows cluster by cluster, the most typical first; None where a file of before lacks it.
    """

    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    cosines: npt.NDArray[np.float16]
    sorted_rows: npt.NDArray[np.int32] | None = None

    @cached_property
    def order(self) -> npt.NDArray[np.int32]:
        """The rows (n,) cluster by cluster, the most typical first, equal ones by their key."""
        if self.sorted_rows is not None:
            return self.sorted_rows
        order = np.lexsort((self.keys, -self.cosines.astype(np.float32), self.places))
        return np.asarray(order, dtype=np.int32)

    @cached_property
    def starts(self) -> npt.NDArray[np.intp]:
        """Where in ``order`` each cluster begins (k + 1,); the last is the end."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.places))]).astype(np.intp)

    def rows(self, place: int) -> npt.NDArray[np.int32]:
        """The rows of one cluster, the most typical first; none for a place that no cluster has."""
        if not 0 <= place < len(self.starts) - 1:
            return self.order[:0]
        return self.order[self.starts[place] : self.starts[place + 1]]

    def of(self, place: int) -> npt.NDArray[np.int64]:
        """The keys of one cluster, the most typical first."""
        return self.keys[self.rows(place)]

    def most_typical(self, count: int, clusters: int) -> list[npt.NDArray[np.int64]]:
        """For each of ``clusters`` the keys of its ``count`` most typical members."""
        return [self.keys[self.rows(place)[:count]] for place in range(clusters)]


def save(settings: Settings, members: Members) -> str:
    """Keep ``members`` and return the digest that finds them."""
    columns = [members.keys, members.places, members.cosines, members.order]
    batch = pa.record_batch(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_batch(batch)
    content = sink.getvalue().to_pybytes()
    digest = digest_bytes(content)
    keep_bytes(_place(settings, digest), content, digest)
    return digest


def load(settings: Settings, digest: str) -> Members:
    """The members that ``save`` kept, mapped. Raises DataError where the file is gone or damaged."""
    return Members(*read_columns(_place(settings, digest), SCHEMA.names, WHAT).values())  # one of before has no order


def there(settings: Settings, digest: str) -> bool:
    """Whether the file that ``save`` wrote is still in the workspace, and can be read."""
    try:
        load(settings, digest)
    except DataError:
        return False
    return True


def _place(settings: Settings, digest: str) -> Path:
    return settings.workspace / "clusters" / f"{digest}.arrow"
