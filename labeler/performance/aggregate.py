"""The counts that insights rest on: impressions and takes of each image on each canvas, over all imports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.performance.columns import ARMS
from attune.labeler.performance.imports import active, rows_of
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.insights.outcomes import Outcomes, outcomes


@dataclass(frozen=True, eq=False)
class Measured:
    """``outcomes`` with the names that its numbers of assets, titles and canvases stand for, and the imports' digests.

    The digests, newest first, are those of the files: the same digests give the same figures.
    """

    outcomes: Outcomes
    asset_ids: npt.NDArray[np.object_]
    title_ids: npt.NDArray[np.object_]
    canvases: npt.NDArray[np.object_]
    digests: tuple[str, ...]


def aggregate(settings: Settings, arm: str = "") -> Measured | None:
    """Sum the rows of all imports by title, canvas and asset, of one ``arm`` or of both; None without any row.

    Raises DataError where there is no such arm.
    """
    if arm and arm not in ARMS:
        raise DataError(f"There is no arm {arm!r}. Arms are {' and '.join(ARMS)}; leave it empty for both.")
    with reading(settings) as session:
        imports = active(session)
    if not imports:
        return None
    where = f"WHERE arm = '{arm}'" if arm else ""
    with rows_of(settings, imports) as (duck, rows):
        summed: pa.Table = duck.sql(f"""
            SELECT asset_id, title_id, canvas, sum(impressions)::DOUBLE AS impressions, sum(takes)::DOUBLE AS takes
            FROM {rows} {where} GROUP BY title_id, canvas, asset_id""").to_arrow_table()
    if not summed.num_rows:
        return None
    asset, title, canvas = (encoded(summed[name]) for name in ("asset_id", "title_id", "canvas"))
    counts = summed["impressions"].to_numpy(), summed["takes"].to_numpy()
    held = outcomes(asset[0], title[0], canvas[0], *counts)
    return Measured(held, asset[1], title[1], canvas[1], tuple(row.file for row in imports))


def canvases(settings: Settings) -> list[str]:
    """Every canvas that the imports name, in order."""
    with reading(settings) as session:
        imports = active(session)
    if not imports:
        return []
    with rows_of(settings, imports) as (duck, rows):
        return [name for (name,) in duck.sql(f"SELECT DISTINCT canvas FROM {rows} ORDER BY canvas").fetchall()]


def encoded(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_]]:
    """Numbers (n,) and the names that they stand for, in the order of the names, whatever the order of rows."""
    held = column.combine_chunks()
    encoded = held if pa.types.is_dictionary(held.type) else held.dictionary_encode()
    names = encoded.dictionary.to_numpy(zero_copy_only=False)
    order = np.argsort(names)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[encoded.indices.to_numpy()], names[order]
