"""How a title's own images did: each beside the title's other images, from the rows of its performance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.performance.aggregate import encoded
from attune.labeler.performance.checks import cells, ratio_p
from attune.labeler.performance.columns import GROUPS, PERIOD
from attune.labeler.performance.duck import literal
from attune.labeler.performance.imports import active, rows_of
from attune.labeler.performance.simulated import any_simulated
from attune.labeler.records.schema import InsightVersion, PerformanceImport
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.insights.own_images import LEAST_TAKES, OwnImage, own_images
from attune.models.insights.sample_ratio import THRESHOLD
from attune.models.text import plural

RANDOM = "Times when somebody chose the image are left out: only those when chance did are counted."
SERVED = "The images were not shown at random, so something else may be the reason."
COMPARED = (
    "Each image is compared with the title’s other images, in the same place and week. The true figure is probably "
    "within the range beside it: in 19 of 20 titles, every range is right. An image, or the others, with fewer than "
    f"{LEAST_TAKES} takes has no range."
)
NOTHING = "Nobody has added performance of this title, so it is not known how its images did."
_SPACE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Own:
    """``images`` by asset id, those of the title that were shown. ``random``: the figures are of random rows alone,
    without ``left_out`` canvases that were not shown as planned. ``simulated``: some rows are made up. ``problem``:
    why the rows cannot be read, or empty."""

    images: Mapping[str, OwnImage] = field(default_factory=dict)
    random: bool = False
    left_out: int = 0
    simulated: bool = False
    problem: str = ""

    def said(self, asset_id: str) -> str:
        """How an image did, in a few words."""
        one = self.images.get(asset_id)
        return f"{rate(one)}. {beside(one)}" if one and one.impressions else ""

    @property
    def basis(self) -> str:
        """What the figures are of, and how far to believe them."""
        if not self.images:
            return self.problem or NOTHING
        out = (
            f" {plural(self.left_out, 'place')} where images were not shown as planned "
            f"{'is' if self.left_out == 1 else 'are'} left out." if self.left_out else ""
        )  # fmt: skip
        return f"{COMPARED} {RANDOM if self.random else SERVED}{out}"


def rate(one: OwnImage) -> str:
    """How often an image was taken."""
    return f"Taken in {100 * one.takes / max(one.impressions, 1):.1f}{_SPACE}% of the times shown"


def beside(one: OwnImage) -> str:
    """How an image did beside the others."""
    if one.ratio is None or one.low is None or one.high is None:
        return "Not enough yet to compare."
    if one.low <= 1 <= one.high:
        bounds = f"{_percent(one.low)} less and {_percent(one.high)} more often"
        return f"No measurable difference from its other images: between {bounds}."
    low, high = sorted((one.low, one.high), key=lambda bound: abs(bound - 1))
    more = "more" if one.ratio > 1 else "less"
    width = f"probably between {_percent(low)} and {_percent(high)}"
    return f"{_percent(one.ratio)} {more} often than its other images, {width}."


def signed(one: OwnImage) -> str:
    """By how much an image with a ratio was taken more (+) or less (−) often than the others."""
    assert one.ratio is not None
    return f"{'+' if one.ratio >= 1 else '−'}{_percent(one.ratio)}"


def _percent(ratio: float) -> str:
    return f"{abs(100 * (ratio - 1)):.0f}{_SPACE}%"


def own(settings: Settings, title: str) -> Own:
    """How the images of ``title`` did; by the random rows where two of its images have some."""
    with reading(settings) as session:
        imports, believed = active(session), _believed(session)
    try:
        return _own(settings, title, imports, believed) if imports else Own()
    except DataError as error:  # the rest of a brief stands without the rows
        return Own(problem=str(error))


def _believed(session: Session) -> bool:
    """Whether the newest answer about all titles believed that chance chose the images; True before there is one. One
    title alone may be too small to show what is broken throughout."""
    figures = session.scalar(select(InsightVersion.figures).order_by(InsightVersion.id.desc()).limit(1)) or {}
    return bool(figures.get("ratio", {}).get("believed", True))


def _own(settings: Settings, title: str, imports: list[PerformanceImport], believed: bool) -> Own:
    """``believed``: rows that are called random count as random where this title does not show otherwise."""
    with rows_of(settings, imports, title) as (duck, rows):
        duck.execute(f"CREATE TEMP TABLE own AS SELECT * FROM {rows}")
        random, unfair = _random(duck) if believed else (False, [])
        where = "true"
        if random:
            names = ", ".join(literal(name) for name in unfair)
            where = "arm = 'explore'" + (f" AND canvas NOT IN ({names})" if unfair else "")
        stratum = f"hash({', '.join(('canvas', *GROUPS, *PERIOD, 'arm'))})::VARCHAR"
        found = duck.sql(f"""
            SELECT asset_id, {stratum} AS stratum, sum(impressions)::DOUBLE AS impressions, sum(takes)::DOUBLE AS takes
            FROM own WHERE {where} GROUP BY ALL""").to_arrow_table()
    if not found.num_rows:
        return Own()
    (asset, names_), (stratum_, _) = encoded(found["asset_id"]), encoded(found["stratum"])
    told = own_images(asset, stratum_, found["impressions"].to_numpy(), found["takes"].to_numpy())
    images = {str(name): one for name, one in zip(names_, told, strict=True)}
    return Own(images, random, len(unfair), _simulated(settings, title, imports))


def _simulated(settings: Settings, title: str, imports: list[PerformanceImport]) -> bool:
    """Whether somebody made up rows of the title."""
    made_up = [one for one in imports if any_simulated([one])]
    if not made_up:
        return False
    with rows_of(settings, made_up, title) as (duck, rows):
        return bool(duck.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0])


def _random(duck: duckdb.DuckDBPyConnection) -> tuple[bool, list[str]]:
    """Whether two images of the table ``own`` have random rows of a canvas that was shown as planned; and the canvases
    that were not."""
    tested = duck.sql(f"SELECT * FROM ({cells('own')}) WHERE tested >= 2").to_arrow_table()
    if not tested.num_rows:
        return False, []
    unfair = [name for name, p in zip(tested["canvas"].to_pylist(), ratio_p(tested), strict=True) if p < THRESHOLD]
    return len(unfair) < tested.num_rows, unfair if len(unfair) < tested.num_rows else []
