"""How the images of each cluster performed on each canvas, beside the other images of the same titles.

Only images of one title on one canvas are compared (`attune.models.insights.within_title`): titles that have all their
images on one side say nothing, and rates over all titles are never compared. One false discovery rate covers all
clusters and canvases. What was found is one file for each clustering, in the workspace's cache.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from attune.labeler.insights import evidence
from attune.labeler.performance import checks
from attune.labeler.performance.aggregate import Measured, aggregate
from attune.labeler.performance.imports import active
from attune.labeler.settings import Settings
from attune.labeler.spaces.clusterings import Saved
from attune.labeler.spaces.traits import Held
from attune.models.errors import NotEnoughLabels
from attune.models.files.atomic import write_json
from attune.models.insights.false_discovery import q_values
from attune.models.insights.grades import Evidence, Grade, grade
from attune.models.insights.outcomes import Floats, Ints, Outcomes
from attune.models.insights.shrinkage import shrink
from attune.models.insights.standouts import against_others
from attune.models.insights.within_title import LEAST_TITLES, within_title

Q = 0.1  # of findings at most such a share may be chance
CANVASES = 12  # those with the most impressions
EXAMPLES = 5  # that worked, and that did not
EXPLORE = "explore"
METHOD = 2  # of what is in the file: what an older one found is not shown as today's


@dataclass(frozen=True)
class OnCanvas:
    """One cluster on one canvas. ``estimate``: log rate ratio of its images over the other images of the same titles;
    ``shrunk`` towards no difference, as the largest of many is also lucky.

    ``titles`` have images on both sides, of ``titles_in`` that have images in the cluster there. Without an
    ``estimate`` there were too few, or no takes on one side. ``worked`` and ``failed``: keys of images, and how many
    times as often they were taken as their title's others.
    """

    number: int
    canvas: str
    grade: Grade
    titles: int
    titles_in: int
    estimate: float | None = None
    se: float | None = None
    shrunk: float | None = None
    lo: float | None = None
    hi: float | None = None
    p: float | None = None
    q: float | None = None
    share_other_way: float | None = None
    worked: Sequence[tuple[int, float]] = field(default_factory=tuple)
    failed: Sequence[tuple[int, float]] = field(default_factory=tuple)

    @property
    def differs(self) -> bool:
        """Whether a difference was found, at the false discovery rate of all clusters and canvases."""
        return self.q is not None and self.q <= Q


@dataclass(frozen=True)
class Performed:
    """All clusters of a clustering on all canvases; ``digests`` are those of the imports that were read."""

    digests: Sequence[str]
    flagged: int  # tests whose images were not shown in the planned ratio: they are left out
    rows: Sequence[OnCanvas]
    believed: bool = True  # so few of them that the others count as random, as insights have it

    def of(self, number: int) -> list[OnCanvas]:
        """The rows of one cluster."""
        return [one for one in self.rows if one.number == number]


def make(settings: Settings, saved: Saved, held: Held) -> Performed | None:
    """Compare all clusters of ``saved`` on all canvases, and keep it; None without any performance."""
    every = aggregate(settings)
    if every is None:
        return None
    checked = checks.check(settings)
    random, believed = _random(settings, checked.flagged)
    passed = checked.tested > 0 and believed
    rows: list[OnCanvas] = []
    for one in checked.canvases[:CANVASES]:
        part, judged = _part(random, one.canvas), grade(Evidence(randomised=True, ratio_passed=passed))
        if part is None or _comparable(part[1]) < LEAST_TITLES:
            part, judged = _part(every, one.canvas), grade(Evidence())
        if part is not None:
            rows += _of_canvas(saved, held, one.canvas, judged, *part)
    q = q_values([_or_nan(one.p) for one in rows])
    drawn = shrink([_or_nan(one.estimate) for one in rows], [_or_nan(one.se) for one in rows]).estimate
    found = Performed(
        every.digests,
        checked.flagged,
        [
            one if one.estimate is None else replace(one, q=float(value), shrunk=float(less))
            for one, value, less in zip(rows, q, drawn, strict=True)
        ],
        believed,
    )
    path = _path(settings, saved.row.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"method": METHOD} | asdict(found))
    return found


def load(settings: Settings, clustering: int) -> Performed | None:
    """What was last found for a clustering; None where nothing was, or by another method, or the file was cleared
    away."""
    try:
        held = json.loads(_path(settings, clustering).read_bytes())
        if held.pop("method") != METHOD:
            return None
        return Performed(**held | {"rows": [OnCanvas(**one) for one in held["rows"]]})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def imported(session: Session) -> list[str]:
    """The digests of the imports that count, the newest first: with others a finding is of before."""
    return [one.file for one in active(session)]


def is_stale(settings: Settings, clustering: int, digests: Sequence[str]) -> bool:
    """Whether there is performance, of ``digests``, that a clustering was not compared with."""
    found = load(settings, clustering) if digests else None
    return bool(digests) and (found is None or list(found.digests) != list(digests))


def _random(settings: Settings, flagged: int) -> tuple[Measured | None, bool]:
    """The random rows without the tests that were not shown as planned, and whether the rest may be called random."""
    measured = aggregate(settings, EXPLORE)
    if measured is None or not flagged:
        return measured, True
    rows = evidence.load(settings)
    if rows is None or rows.random is None:
        return None, False
    fair: set[tuple[str, str]] = set()
    for part in rows.random.parts():
        titles, canvases = rows.title_ids[part.title], rows.canvases[rows.canvas(part)]
        fair |= set(zip(titles.tolist(), canvases.tolist(), strict=True))
    mine = measured.outcomes
    names = zip(measured.title_ids[mine.title].tolist(), measured.canvases[mine.canvas].tolist(), strict=True)
    kept = np.fromiter((name in fair for name in names), dtype=bool, count=len(mine))
    return replace(measured, outcomes=mine.where(kept)), rows.believed


def _part(measured: Measured | None, canvas: str) -> tuple[Measured, Outcomes] | None:
    """The rows of one canvas."""
    if measured is None or canvas not in measured.canvases.tolist():
        return None
    there = measured.canvases.tolist().index(canvas)
    return measured, measured.outcomes.where(measured.outcomes.canvas == there)


def _comparable(part: Outcomes) -> int:
    """Titles with two or more images that were shown, and taken at all."""
    shown = part.where(part.impressions > 0)
    starts = shown.cell_starts()
    if not len(starts):
        return 0
    sizes = np.diff(np.r_[starts, len(shown)])
    return int(((sizes > 1) & (np.add.reduceat(shown.takes, starts) > 0)).sum())


def _of_canvas(
    saved: Saved, held: Held, canvas: str, judged: Grade, measured: Measured, part: Outcomes
) -> list[OnCanvas]:
    place_of: Mapping[str, int] = dict(zip(held.ids, held.places.tolist(), strict=True))
    key_of: Mapping[str, int] = dict(zip(held.ids, held.keys.tolist(), strict=True))
    names = [str(measured.asset_ids[asset]) for asset in part.asset.tolist()]
    places: Ints = np.array([place_of.get(name, -1) for name in names], dtype=np.intp)
    alone = against_others(part)
    rows = []
    for cluster in saved.clusters:
        mine = (places == cluster.place) & (part.impressions > 0)
        if not mine.any():
            continue
        rows.append(_compared(OnCanvas(cluster.number, canvas, judged, 0, 0), part, places, cluster.place))
        order = np.flatnonzero(mine & np.isfinite(alone.estimate))
        order = order[np.argsort(-alone.estimate[order], kind="stable")]
        told = [
            (key_of[names[row]], float(np.exp(alone.estimate[row])), bool(alone.clear[row])) for row in order.tolist()
        ]
        worked = tuple((key, times) for key, times, sure in told if sure and times > 1)[:EXAMPLES]
        failed = tuple((key, times) for key, times, sure in told[::-1] if sure and times < 1)[:EXAMPLES]
        rows[-1] = replace(rows[-1], worked=worked, failed=failed)
    return rows


def _compared(row: OnCanvas, part: Outcomes, places: Ints, place: int) -> OnCanvas:
    x: Floats = np.where(places < 0, np.nan, (places == place).astype(np.float64))
    shown = part.impressions > 0
    inside, outside = np.unique(part.title[shown & (x == 1)]), np.unique(part.title[shown & (x == 0)])
    row = replace(row, titles=len(np.intersect1d(inside, outside)), titles_in=len(inside))
    try:
        effect = within_title(part, x)
    except NotEnoughLabels:
        return row
    return replace(
        row, titles=effect.titles, estimate=effect.estimate, se=effect.se, lo=effect.ci[0], hi=effect.ci[1], p=effect.p,
        share_other_way=effect.share_other_way,
    )  # fmt: skip


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _path(settings: Settings, clustering: int) -> Path:
    return settings.workspace / "cache" / "cluster-performance" / f"{clustering}.json"
