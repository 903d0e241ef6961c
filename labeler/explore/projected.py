"""What a learned space adds to each image's own vector: made once of a pool as it is marked, mapped by who reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from attune.labeler.assets.active_pool import PoolView
from attune.labeler.explore import index_files
from attune.labeler.settings import Settings
from attune.labeler.spaces.learned import TASTE
from attune.models.files.atomic import atomic_writer
from attune.models.similarity.space_files import LearnedSpace
from attune.models.vectors.pool import unit_length

BLOCK = 8192
Floats = npt.NDArray[np.float32]


def _place(settings: Settings, mark: str) -> Path:
    return settings.workspace / "cache" / "spaces" / f"{mark}.npy"


def part_of(settings: Settings, space: LearnedSpace, view: PoolView, mark: str) -> Floats:
    """What the space learned of every image of ``view``, float32 (n, k), mapped; older files go.

    The file of the index that pages read until a new one is kept stays.
    """
    path = _place(settings, mark)
    if not path.is_file():
        _project(space, view, path)
        for older in path.parent.glob("*.npy"):
            if older != path and not index_files.place(settings, TASTE, older.stem).is_file():
                older.unlink(missing_ok=True)
    found: Floats = np.load(path, mmap_mode="r")
    return found


def rows_of(settings: Settings, mark: str, rows: npt.NDArray[np.intp]) -> Floats | None:
    """Those ``rows`` (m,) of the part that was made at ``mark``, (m, k), zeros for -1; None where it is gone."""
    try:
        before: Floats = np.load(_place(settings, mark), mmap_mode="r")
    except FileNotFoundError:
        return None
    found = np.zeros((len(rows), before.shape[1]), dtype=np.float32)
    found[rows >= 0] = before[rows[rows >= 0]]
    return found


def _project(made: LearnedSpace, view: PoolView, path: Path) -> None:
    n, k = len(view.pool), len(made.projection)
    with atomic_writer(path) as file:
        np.lib.format.write_array_header_1_0(  # type: ignore[no-untyped-call]
            file, {"descr": "<f4", "fortran_order": False, "shape": (n, k)}
        )
        for start in range(0, n, BLOCK):
            rows = view.pool.rows(np.arange(start, min(start + BLOCK, n)))
            file.write(unit_length((rows - made.mean) @ made.components.T @ made.projection.T).tobytes())
