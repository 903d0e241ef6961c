"""The rows that insights rest on: random ones that passed the check, and all of them, in strata that may be compared.

A stratum is a canvas, for one country, device, member cluster and period, and one arm: images are compared within it,
so that no mix of viewers or weeks can look like an effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.performance.aggregate import encoded
from attune.labeler.performance.checks import cells, ratio_p
from attune.labeler.performance.columns import GROUPS, PERIOD
from attune.labeler.performance.duck import buckets
from attune.labeler.performance.imports import active, rows_of
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.insights.grades import Evidence
from attune.models.insights.outcomes import Ints, Outcomes, outcomes
from attune.models.insights.sample_ratio import THRESHOLD, failed

TOLERATED = 0.01  # of random tests that fail beyond chance: more, and none of them is believed


@dataclass(frozen=True, eq=False)
class Rows:
    """``random`` rows without the tests that failed the check of their ratio, and ``every`` row; None without any.

    ``Outcomes.canvas`` counts strata here, and ``canvas_of`` (strata,) gives the canvas of each. ``tested`` random
    tests (a title on a canvas) were checked, ``flagged`` of them were not shown as planned and are left out;
    ``believed``: so few of them failed beyond chance that the others may be called random.
    """

    random: Outcomes | None
    every: Outcomes
    asset_ids: npt.NDArray[np.object_]
    title_ids: npt.NDArray[np.object_]
    canvases: npt.NDArray[np.object_]
    canvas_of: Ints
    tested: int
    flagged: int
    believed: bool
    digests: tuple[str, ...]

    def evidence(self, random: bool, within: bool = True) -> Evidence:
        """What the rows are, for their grade."""
        return Evidence(randomised=random, ratio_passed=random and self.believed, within=within)

    def canvas(self, rows: Outcomes) -> Ints:
        """The canvas of each of ``rows`` (n,)."""
        return self.canvas_of[rows.canvas]


def digests(settings: Settings) -> tuple[str, ...]:
    """The files of the imports that count, the newest first."""
    with reading(settings) as session:
        return tuple(row.file for row in active(session))


def load(settings: Settings, after: datetime | None = None) -> Rows | None:
    """The rows of all imports, or of periods that begin on a day ``after`` a moment; None where there are none.

    Raises DataError where a file is gone or damaged.
    """
    with reading(settings) as session:
        imports = active(session)
    if not imports:
        return None
    with rows_of(settings, imports) as (duck, every):
        late = f"period_start::DATE > DATE '{after.date().isoformat()}'" if after else ""
        rows = f"(SELECT * FROM {every} WHERE {late})" if late else every
        _check(duck, rows, sum(row.rows for row in imports))
        group = ", ".join((*GROUPS, *PERIOD, "arm"))
        summed: pa.Table = duck.sql(f"""
            SELECT asset_id, title_id, canvas, hash({group}) AS stratum, arm = 'explore' AS random,
                sum(impressions)::DOUBLE AS impressions, sum(takes)::DOUBLE AS takes
            FROM {rows} GROUP BY ALL""").to_arrow_table()
        checked = duck.sql("SELECT title_id, canvas, statistic, tested, shown, plan FROM ratios").to_arrow_table()
    return _of(summed, checked, tuple(row.file for row in imports)) if summed.num_rows else None


def _check(duck: duckdb.DuckDBPyConnection, rows: str, count: int) -> None:
    """Fill the table ``ratios``: each random test with two or more images."""
    parts = buckets(count)
    for bucket in range(parts):
        part = f"(SELECT * FROM {rows} WHERE hash(title_id) % {parts} = {bucket})"
        wanted = f"SELECT title_id, canvas, statistic, tested, shown, plan FROM ({cells(part)}) WHERE tested >= 2"
        duck.execute(("INSERT INTO ratios " if bucket else "CREATE TEMP TABLE ratios AS ") + wanted)


def _of(summed: pa.Table, checked: pa.Table, files: tuple[str, ...]) -> Rows:
    asset, title, canvas = (encoded(summed[name]) for name in ("asset_id", "title_id", "canvas"))
    keys = np.stack([canvas[0].astype(np.uint64), summed["stratum"].to_numpy().astype(np.uint64)], axis=1)
    strata, stratum = np.unique(keys, axis=0, return_inverse=True)
    canvas_of = strata[:, 0].astype(np.intp)
    random = summed["random"].to_numpy(zero_copy_only=False).astype(bool)
    counts = summed["impressions"].to_numpy(), summed["takes"].to_numpy()
    every = outcomes(asset[0], title[0], stratum.reshape(-1), *counts)
    p = ratio_p(checked)
    unfair = _numbers(checked.filter(pa.array(p < THRESHOLD)), title[1], canvas[1])
    flagged = int((p < THRESHOLD).sum())
    fair = random & ~np.isin(title[0] * len(canvas[1]) + canvas[0], unfair)
    columns = (asset[0], title[0], stratum.reshape(-1), *counts)
    kept = outcomes(*(column[fair] for column in columns)) if fair.any() else None
    # Of many good tests a few are flagged by chance; `failed` leaves these.
    believed = int(failed(p).sum()) <= TOLERATED * len(p)
    return Rows(kept, every, asset[1], title[1], canvas[1], canvas_of, len(p), flagged, believed, files)


def _numbers(cells_: pa.Table, titles: npt.NDArray[np.object_], canvases: npt.NDArray[np.object_]) -> Ints:
    """One number for each title on a canvas."""
    place = {name: number for number, name in enumerate(titles)}
    at = {name: number for number, name in enumerate(canvases)}
    pairs = zip(cells_["title_id"].to_pylist(), cells_["canvas"].to_pylist(), strict=True)
    return np.array([place[title] * len(canvases) + at[canvas] for title, canvas in pairs], dtype=np.intp)
