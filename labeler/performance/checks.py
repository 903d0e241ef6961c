"""What the imported performance can be asked: sample ratios, overlap, and canvases with too few titles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from sqlalchemy import select

from attune.labeler.performance.columns import GROUPS, PERIOD
from attune.labeler.performance.imports import active, rows_of
from attune.labeler.performance.title_ranges import ranges
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.insights.outcomes import Floats
from attune.models.insights.sample_ratio import LEAST_EXPECTED, THRESHOLD, p_values, small_p
from attune.models.insights.within_title import LEAST_TITLES

UNKNOWN = 5  # of the images that are not in the pool, so many are named
NAMED = 20  # flagged titles that are named
RARE = 0.01  # below this propensity, or this share of a cell's impressions, an image was hardly ever shown
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Canvas:
    """What a canvas has. ``comparable``: titles with two or more images that were shown there and taken at all;
    ``one_image``: of those, the share where one image has nearly all impressions."""

    canvas: str
    titles: int
    comparable: int
    one_image: float
    impressions: int
    takes: float
    explore: float  # share of the impressions

    @property
    def enough(self) -> bool:
        """Whether figures of this canvas alone may be shown."""
        return self.comparable >= LEAST_TITLES


@dataclass(frozen=True)
class Checked:
    """All checks. ``tested`` cells (a title on a canvas, explore rows) have two or more images; ``flagged`` of them
    were not shown in the planned ratio, ``named`` are the worst. ``served`` rows have a propensity or not."""

    imports: int
    rows: int
    titles: int
    assets: int
    assets_here: int
    canvases: tuple[Canvas, ...]
    tested: int
    flagged: int
    named: tuple[dict[str, Any], ...]
    served: int
    with_propensity: int
    rare_propensity: int
    unknown: tuple[str, ...] = ()  # the first ids, by name, that are not in the pool

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        canvases = [asdict(one) | {"enough": one.enough} for one in self.canvases]
        ratio = {"tested": self.tested, "flagged": self.flagged, "threshold": THRESHOLD, "worst": list(self.named)}
        overlap = {
            "served_rows": self.served, "with_propensity": self.with_propensity, "below_0.01": self.rare_propensity
        }  # fmt: skip
        counts: dict[str, Any] = {
            name: getattr(self, name) for name in ("imports", "rows", "titles", "assets", "assets_here")
        }
        counts["assets_unknown"] = list(self.unknown)
        return counts | {"canvases": canvases, "sample_ratio": ratio, "overlap": overlap}


def check(settings: Settings, report: Report | None = None) -> Checked:
    """Check the rows of all imports together."""
    with reading(settings) as session:
        imports = active(session)
    if not imports:
        return Checked(0, 0, 0, 0, 0, (), 0, 0, (), 0, 0, 0)
    with rows_of(settings, imports) as (duck, rows):
        parts = ranges(duck, rows)
        for done, titles in enumerate(parts):
            part = f"(SELECT * FROM {rows} WHERE {titles})"
            duck.execute(("INSERT INTO cells " if done else "CREATE TEMP TABLE cells AS ") + cells(part))
            seen = f"SELECT DISTINCT asset_id FROM {part}"
            duck.execute(("INSERT INTO seen " if done else "CREATE TEMP TABLE seen AS ") + seen)
            if report is not None:
                report(done + 1, len(parts))
        return _summary(settings, duck, len(imports), rows)


def cells(part: str, arm: str = "explore") -> str:
    """SQL of one row for each title and canvas; the plan and what it is compared with are of ``arm``.

    Expected impressions: within each country, device, member cluster and period, in proportion to the propensities, or
    the same for each image. ``shown`` and ``plan`` list the images of cells that expect so few impressions that their
    p value needs each image (``ratio_p``), else they are NULL.
    """
    few = f"min(planned) FILTER (planned > 0) < {LEAST_EXPECTED}"
    within = ", ".join(("title_id", "canvas", *GROUPS, *PERIOD))
    planned = f"""
        SELECT title_id, canvas, asset_id, arm, impressions, takes,
            CASE WHEN arm = '{arm}' THEN sum(impressions) OVER w * coalesce(propensity, 1)
                / sum(coalesce(propensity, 1)) OVER w ELSE 0 END AS planned
        FROM {part} WINDOW w AS (PARTITION BY hash({within}, arm))"""
    images = f"""
        SELECT title_id, canvas, asset_id, sum(impressions) AS impressions, sum(takes) AS takes,
            sum(planned) AS planned, coalesce(sum(impressions) FILTER (arm = '{arm}'), 0) AS explore
        FROM ({planned}) GROUP BY ALL"""
    return f"""
        SELECT title_id, canvas, sum(impressions)::BIGINT AS impressions, sum(takes)::DOUBLE AS takes,
            sum(explore)::BIGINT AS explore, count(*) FILTER (impressions > 0) AS images,
            max(impressions) / greatest(sum(impressions), 1) AS largest, count(*) FILTER (planned > 0) AS tested,
            coalesce(sum((explore - planned) ^ 2 / planned) FILTER (planned > 0), 0)::DOUBLE AS statistic,
            CASE WHEN {few} THEN list(explore::DOUBLE ORDER BY asset_id) FILTER (planned > 0) END AS shown,
            CASE WHEN {few} THEN list(planned::DOUBLE ORDER BY asset_id) FILTER (planned > 0) END AS plan
        FROM ({images}) GROUP BY ALL"""


def _summary(settings: Settings, duck: duckdb.DuckDBPyConnection, imports: int, rows: str) -> Checked:
    total, served, with_propensity, rare = duck.execute(f"""
        SELECT count(*), count(*) FILTER (arm = 'serve'), count(propensity) FILTER (arm = 'serve'),
            count(*) FILTER (arm = 'serve' AND propensity < {RARE}) FROM {rows}""").fetchall()[0]
    (titles,) = duck.execute("SELECT count(DISTINCT title_id) FROM cells").fetchall()[0]
    (assets,) = duck.execute("SELECT count(DISTINCT asset_id) FROM seen").fetchall()[0]
    duck.execute("CREATE TEMP TABLE pool (asset_id VARCHAR)")
    for ids in _pool(settings):
        duck.register("ids", pa.table({"asset_id": pa.array(ids, pa.string())}))
        duck.execute("INSERT INTO pool SELECT asset_id FROM ids")
    (here,) = duck.execute("SELECT count(DISTINCT asset_id) FROM seen SEMI JOIN pool USING (asset_id)").fetchall()[0]
    strange = f"SELECT DISTINCT asset_id FROM seen ANTI JOIN pool USING (asset_id) ORDER BY asset_id LIMIT {UNKNOWN}"
    unknown = tuple(name for (name,) in duck.execute(strange).fetchall())
    tested, flagged, named = _ratios(duck)
    return Checked(
        imports, total, titles, assets, here, _canvases(duck), tested, flagged, named, served, with_propensity, rare,
        unknown,
    )  # fmt: skip


def _canvases(duck: duckdb.DuckDBPyConnection) -> tuple[Canvas, ...]:
    comparable = "images >= 2 AND takes > 0"
    found = duck.execute(f"""
        SELECT canvas, count(*), count(*) FILTER ({comparable}),
            coalesce(avg((largest > {1 - RARE})::INT) FILTER ({comparable}), 0), sum(impressions)::BIGINT, sum(takes),
            sum(explore) / greatest(sum(impressions), 1)
        FROM cells GROUP BY canvas ORDER BY sum(impressions) DESC, canvas""").fetchall()
    return tuple(Canvas(*row) for row in found)


def ratio_p(cells_: pa.Table) -> Floats:
    """The p value (c,) of each of ``cells``: was it shown in the planned ratio?"""
    p = p_values(cells_["statistic"].to_numpy(), cells_["tested"].to_numpy())
    few = np.flatnonzero(cells_["plan"].is_valid().to_numpy())
    held = cells_.take(pa.array(few))
    for place, shown, plan in zip(few, held["shown"], held["plan"], strict=True):
        p[place] = small_p(np.array(shown.as_py()), np.array(plan.as_py()))
    return p


def _ratios(duck: duckdb.DuckDBPyConnection) -> tuple[int, int, tuple[dict[str, Any], ...]]:
    found = duck.sql("SELECT title_id, canvas, statistic, tested, shown, plan FROM cells WHERE tested >= 2")
    held: pa.Table = found.to_arrow_table()
    p, statistic, images = ratio_p(held), held["statistic"].to_numpy(), held["tested"].to_numpy()
    flagged = np.flatnonzero(p < THRESHOLD)
    # Of the worst, many p values are 0.
    worst = flagged[np.lexsort((-statistic[flagged] / (images[flagged] - 1), p[flagged]))][:NAMED]
    named = held.select(["title_id", "canvas"]).take(pa.array(worst)).to_pylist()
    told = ({**one, "images": int(images[at]), "p": float(p[at])} for one, at in zip(named, worst, strict=True))
    return len(p), len(flagged), tuple(told)


def _pool(settings: Settings) -> Iterator[list[str]]:
    wanted = select(Asset.asset_id).where(Asset.removed_at.is_(None))
    with reading(settings) as session:
        for batch in session.scalars(wanted.execution_options(yield_per=50_000)).partitions():
            yield list(batch)
