"""Each vector's nearest centre on an engine: the pass over the whole pool that clusters end with."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.models.engines.ray_data import map_tables
from attune.models.engines.scoring import as_column, matrix
from attune.models.engines.table_errors import Work
from attune.models.spaces.clustering import nearest_centre
from attune.models.vectors.products import FloatArray

ROWS = 65_536  # of one table: 16 MB in 64 components


def assigned(engine: str, rows: FloatArray, centres: FloatArray) -> npt.NDArray[np.intp]:
    """The place (n,) of the nearest of ``centres`` (k, m) for each of ``rows`` (n, m), by ``engine``."""
    if engine != "ray" or not len(rows):
        return nearest_centre(rows, centres)
    tables = (pa.table({"row": as_column(rows[start : start + ROWS])}) for start in range(0, len(rows), ROWS))
    parts = [table["place"].to_numpy() for table in map_tables(partial(_work, centres), tables)]
    places: npt.NDArray[np.intp] = np.concatenate(parts).astype(np.intp)
    return places


def _work(centres: FloatArray) -> Work:
    return partial(_nearest, centres)


def _nearest(centres: FloatArray, table: pa.Table) -> pa.Table:
    return pa.table({"place": nearest_centre(matrix(table, "row"), centres)})
