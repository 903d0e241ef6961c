"""The pool as it is scored: assets and their vectors, in parts that stay the same as the pool grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.labeler.assets.active_pool import view_of
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.encoders.fingerprint import Fingerprint

PART = 100_000  # assets a part covers, by their number in the records: a part stays the same as the pool grows
STEP = 16_384  # assets scored at once


@dataclass(frozen=True, eq=False)
class Pool:
    """The assets that have a vector: number in the records, id, title, and their vectors in blocks (n_i, d)."""

    keys: npt.NDArray[np.int64]
    ids: npt.NDArray[np.str_]
    titles: npt.NDArray[np.str_]
    blocks: tuple[npt.NDArray[np.float16], ...]

    @property
    def parts(self) -> list[int]:
        """The parts that hold an asset which is still there, in order."""
        return sorted(set((self.keys[self.keys >= 0] // PART).tolist()))

    def size(self, part: int | None = None) -> int:
        """How many assets are still there, in one part or in all."""
        return int((self.keys >= 0).sum() if part is None else (self.keys // PART == part).sum())

    def steps(self, part: int) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]]:
        """Rows and vectors (n, d) of the assets of one part, ``STEP`` at a time."""
        start = 0
        for block in self.blocks:
            keys = self.keys[start : start + len(block)]
            here = np.flatnonzero((keys >= 0) & (keys // PART == part))
            for at in range(0, len(here), STEP):
                rows = here[at : at + STEP]
                yield rows + start, block[rows].astype(np.float32)
            start += len(block)


def open_pool(settings: Settings, fingerprint: Fingerprint) -> Pool:
    """The vectors of one encoder, mapped, beside the records' assets; removed assets have the key -1."""
    with reading(settings) as session:
        view = view_of(settings, session, fingerprint)
    return Pool(view.keys, view.pool.asset_ids, view.pool.title_ids, view.pool.blocks)


def name_of(part: int) -> str:
    """The file name of a part."""
    return f"part-{part:05d}.parquet"
