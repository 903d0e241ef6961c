"""The rows that insights rest on, in strata that may be compared: random ones, those with a log of chances, and all.

A stratum is a canvas, for one country, device, member cluster and period, and one arm: images are compared within it,
so that no mix of viewers or weeks can look like an effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from errno import EDQUOT, ENOSPC
from typing import Literal

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attune.labeler.insights.logged import Logged
from attune.labeler.insights.strata import Summed, summed
from attune.labeler.performance.checks import cells, ratio_p
from attune.labeler.performance.imports import active, rows_of
from attune.labeler.performance.simulated import any_simulated
from attune.labeler.performance.title_ranges import ranges
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.insights.grades import Evidence
from attune.models.insights.outcomes import Bools, Floats, Ints, Outcomes
from attune.models.insights.propensity import Overlap, Weights
from attune.models.insights.row_parts import Parts, Stored, Test
from attune.models.insights.sample_ratio import THRESHOLD, failed
from attune.models.reasons import reason

Basis = Literal["random", "logged", "every"]
# A sum over impressions that were treated differently has a mean chance, and weights by it correct nothing.
DECLARED = "CASE WHEN arm = 'serve' AND NOT one_chance THEN NULL ELSE propensity END"
TOLERATED = 0.01  # of random tests that fail beyond chance: more, and none of them is believed


@dataclass(frozen=True, eq=False)
class Rows:
    """``random`` rows without the tests that failed the check of their ratio, ``logged`` ones by their propensities,
    and ``every`` row; None without any.

    ``Outcomes.canvas`` counts strata here, and ``canvas_of`` (strata,) gives the canvas of each. ``tested`` random
    tests (a title on a canvas) were checked, ``flagged`` of them were not shown as planned and are left out;
    ``believed``: so few of them failed beyond chance that the others may be called random. ``undeclared`` served rows
    have a propensity of which nobody said that it was that of each impression. ``simulated``: some rows are made up.
    """

    random: Parts | None
    every: Parts
    asset_ids: npt.NDArray[np.object_]
    title_ids: npt.NDArray[np.object_]
    canvases: npt.NDArray[np.object_]
    canvas_of: Ints
    tested: int
    flagged: int
    believed: bool
    digests: tuple[str, ...]
    logged: Logged | None = None
    undeclared: int = 0
    simulated: bool = False

    def sources(self) -> Iterator[tuple[Basis, Parts]]:
        """The rows that may answer, the best first."""
        if self.random is not None:
            yield "random", self.random
        if self.logged is not None and self.logged.enough:
            yield "logged", self.logged.outcomes
        yield "every", self.every

    def evidence(self, basis: Basis, within: bool = True) -> Evidence:
        """What the rows are, for their grade."""
        random = basis == "random"
        passed = random and self.believed
        return Evidence(randomised=random, ratio_passed=passed, propensity=basis == "logged", within=within)

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
        dated = f"(SELECT * FROM {every} WHERE {late})" if late else every
        logs, undeclared = duck.execute(f"""
            SELECT count(propensity) FILTER (arm = 'serve' AND one_chance),
                count(propensity) FILTER (arm = 'serve' AND NOT one_chance) FROM {dated}""").fetchall()[0]
        rows = f"(SELECT * REPLACE ({DECLARED} AS propensity) FROM {dated})" if undeclared else dated
        arms = ("explore", "serve") if logs else ("explore",)
        checked = {arm: _checked(duck, rows, arm) for arm in arms}
        try:
            found = summed(duck, rows, bool(logs), settings.workspace)
            told = None if found is None else _of(found, checked, tuple(row.file for row in imports))
        except OSError as error:
            if error.errno not in {ENOSPC, EDQUOT}:
                raise DataError(f"The rows of the performance cannot be kept for a moment in {settings.workspace} "
                                f"({reason(error)}). Run the command again.") from error  # fmt: skip
            raise DataError(
                f"The rows of the performance need more room than the disk of {settings.workspace} has free "
                f"({reason(error)}). Free some space there and run the command again."
            ) from error
    if told is None:
        return None
    return replace(told, undeclared=undeclared, simulated=any_simulated(imports))


def _checked(duck: duckdb.DuckDBPyConnection, rows: str, arm: str) -> pa.Table:
    """Each title on a canvas with two or more images of ``arm``, with what its ratio is tested by."""
    for done, titles in enumerate(ranges(duck, rows)):
        part = f"(SELECT * FROM {rows} WHERE {titles})"
        if arm == "serve":
            part = f"(SELECT * FROM {part} WHERE arm = 'serve' AND propensity IS NOT NULL)"
        wanted = f"SELECT title_id, canvas, statistic, tested, shown, plan FROM ({cells(part, arm)}) WHERE tested >= 2"
        duck.execute((f"INSERT INTO {arm} " if done else f"CREATE TEMP TABLE {arm} AS ") + wanted)
    found: pa.Table = duck.sql(f"SELECT * FROM {arm}").to_arrow_table()
    return found


def _of(found: Summed, checked: dict[str, pa.Table], files: tuple[str, ...]) -> Rows:
    """The rows without the tests that failed the check of their ratio."""
    explore, serve = (_Tested.of(checked[arm], found) if arm in checked else None for arm in ("explore", "serve"))
    assert explore is not None

    def fair(part: Outcomes) -> Bools:
        return found.random[part.canvas] & explore.passed(part)

    logged = None
    if serve is not None:
        logged = Logged(*_weighted(found, serve), serve.count, serve.unfair, serve.believed)
    names = found.asset_ids, found.title_ids, found.canvases
    return Rows(_some(found.every, fair), found.every, *names, found.canvas_of, explore.count, explore.unfair,
                explore.believed, files, logged)  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Tested:
    """``count`` titles on canvases whose ratio was checked, of which ``unfair`` failed; ``failed`` their numbers,
    title by title: a table of all titles and canvases could take a gigabyte. ``canvas_of`` (strata,) is the canvas of
    each stratum, of ``canvases``."""

    count: int
    unfair: int
    believed: bool
    failed: Ints
    canvases: int
    canvas_of: Ints

    @classmethod
    def of(cls, cells_: pa.Table, found: Summed) -> _Tested:
        p = ratio_p(cells_)
        # Of many good tests a few are flagged by chance; `failed` leaves these.
        believed = int(failed(p).sum()) <= TOLERATED * len(p)
        unfair = _numbers(cells_.filter(pa.array(p < THRESHOLD)), found.title_ids, found.canvases)
        return cls(len(p), len(unfair), believed, unfair, len(found.canvases), found.canvas_of)

    def passed(self, part: Outcomes) -> Bools:
        """Whether each of the rows (n,) is of no test that failed."""
        number = part.title.astype(np.intp) * self.canvases + self.canvas_of[part.canvas]
        return np.isin(number, self.failed, invert=True)


def _some(rows: Outcomes | Stored, kept: Test) -> Parts | None:
    """The rows that ``kept`` selects: ``rows`` where it selects all, None where it selects none."""
    count = sum(int(kept(part).sum()) for part in rows.parts())
    return None if not count else rows if count == len(rows) else rows.chosen(kept)


def _weighted(found: Summed, tested: _Tested) -> tuple[Parts, Overlap]:
    """The served rows by the inverse of their propensities."""

    def served() -> Iterator[tuple[Outcomes, Floats]]:
        for part, propensity in found.with_chances():
            mine = ~found.random[part.canvas] & tested.passed(part)
            yield part.where(mine), propensity[mine]

    weights = Weights.of(served())
    if isinstance(found.every, Outcomes):
        return weights.rows(*next(served())), weights.overlap
    stored = Stored(found.every.folder)
    for part, propensity in served():
        stored.add(weights.rows(part, propensity))
    return stored, weights.overlap


def _numbers(cells_: pa.Table, titles: npt.NDArray[np.object_], canvases: npt.NDArray[np.object_]) -> Ints:
    """One number for each title on a canvas."""
    place = {name: number for number, name in enumerate(titles)}
    at = {name: number for number, name in enumerate(canvases)}
    pairs = zip(cells_["title_id"].to_pylist(), cells_["canvas"].to_pylist(), strict=True)
    return np.array([place[title] * len(canvases) + at[canvas] for title, canvas in pairs], dtype=np.intp)
