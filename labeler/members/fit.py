"""Make groups of members from the rows that are kept, and write down what may be told of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from attune.labeler.members import forecasting, kept
from attune.labeler.members.columns import RESPONSES, VIEWING
from attune.labeler.members.rows import Responded, Rows, load
from attune.labeler.records.schema import MemberFile, MemberGrouping
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import DataError
from attune.models.insights.grades import Evidence, grade
from attune.models.insights.halves import discovery_half
from attune.models.insights.outcomes import Ints
from attune.models.insights.sample_ratio import sample_ratios
from attune.models.members.resonance import Shown, resonance
from attune.models.members.response_groups import CHOICES as BY_RESPONSE
from attune.models.members.response_groups import Responses, response_groups
from attune.models.members.share_forecast import FOLDS
from attune.models.members.small_cells import FLOOR, HIDDEN, nearest, shown
from attune.models.members.viewing_groups import CHOICES as BY_VIEWING
from attune.models.members.viewing_groups import LOOSE, Groups, viewing_groups, weights

SEED = 0
MOST_CLUSTERS = 24
TOLERATED = 0.01  # of the titles' random tests that fail beyond chance, as for insights
GONE = (
    "The rows that this command brought are gone: everybody was erased, or no worker was free within 12 hours. Run the "
    "command again."
)
Report = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class _Counts:
    """Members (t, g) of each group that watched, or took, each title."""

    counts: npt.NDArray[np.int64]
    title_ids: npt.NDArray[np.object_]


def fit(
    settings: Settings, report: Report, clusters: int | None = None, seed: int = SEED, who: str = "",
    once: Sequence[int] = (),
) -> MemberGrouping:  # fmt: skip
    """Make a version of what is kept and of the files ``once``, which are this fit's own.

    Where somebody is erased meanwhile, it begins again: no version is written with rows that are gone. Raises DataError
    where no rows are kept, NotEnoughLabels where there are too few.
    """
    if clusters is not None and not 2 <= clusters <= MOST_CLUSTERS:
        raise DataError(f"--clusters is {clusters}. Give a number from 2 to {MOST_CLUSTERS}.")
    while True:
        with reading(settings) as session:
            files = kept.usable(session, once)
        if set(once) - {row.id for row in files}:
            raise DataError(GONE)
        if not files:
            raise DataError("No viewing and no responses are kept. Bring a file: `attune members fit --viewing FILE`")
        row = _made(settings, files, report, clusters, seed)
        row.made_by = who
        with kept.alone(settings), writing(settings) as session:
            if kept.unmoved(session, files):
                session.add(row)
                session.flush()
                session.expunge(row)
                return row


def _made(
    settings: Settings, files: Sequence[MemberFile], report: Report, clusters: int | None, seed: int
) -> MemberGrouping:
    """The version of the rows in ``files``, not yet in the records."""
    rows = load(settings, files)
    kind = VIEWING if rows.viewing else RESPONSES
    choices = 1 if clusters else len(BY_VIEWING if rows.viewing else BY_RESPONSE)
    done = iter(range(1, choices + FOLDS + 2))
    total = choices + FOLDS + 1

    def step() -> None:
        report(next(done, total), total)

    groups, told = _groups(rows, clusters, seed, step)
    counted = _watched(rows, groups) if rows.viewing else _took(rows, groups)
    figures = _figures(groups, counted, kind) | _resonance(rows.responses, groups, told)
    figures["simulated"] = any(one.simulated for one in files)
    figures["each_member_once"] = True  # versions before it are not read: see groupings.miscounted
    report(choices + 1, total)
    figures["forecast"], coefficients = forecasting.learn(settings, counted.counts, counted.title_ids, seed, step)
    report(total, total)
    return MemberGrouping(
        kind=kind, groups=groups.count, seed=seed, figures=figures, forecast=coefficients, made_at=now()
    )


def _groups(
    rows: Rows, clusters: int | None, seed: int, step: Callable[[], None]
) -> tuple[Groups, npt.NDArray[np.bool_] | None]:
    """The groups, and which titles' images may be told of: where responses made the groups, only the other half."""
    if rows.viewing is not None:
        one = rows.viewing
        views = csr_array((weights(one.minutes), (one.member, one.title)), shape=(rows.members, len(one.title_ids)))
        return viewing_groups(views, clusters, seed, step), None
    assert rows.responses is not None
    if not rows.responses.random:
        raise DataError(
            "No response is of an image that was shown at random, so groups would be what a program believed of "
            "members. Bring rows with the arm explore, or viewing: `attune members fit --viewing FILE`"
        )
    half = discovery_half(str(one) for one in rows.responses.title_ids)
    found = rows.responses
    mine = half[found.title[found.asset]]
    shape = rows.members, len(found.asset_ids)
    at = found.member[mine], found.asset[mine]
    seen, taken = (csr_array((column[mine], at), shape=shape) for column in (found.impressions, found.takes))
    return response_groups(Responses(seen, taken, found.title), clusters, seed, step), ~half


def _watched(rows: Rows, groups: Groups) -> _Counts:
    assert rows.viewing is not None
    one = rows.viewing
    return _count(groups, one.member, one.title, one.title_ids)


def _took(rows: Rows, groups: Groups) -> _Counts:
    """Members who took the title at least once, whatever the image."""
    assert rows.responses is not None
    one = rows.responses
    taken = one.takes > 0
    pairs = np.unique(np.stack([one.member[taken], one.title[one.asset[taken]]]), axis=1)
    return _count(groups, pairs[0], pairs[1], one.title_ids)


def _count(groups: Groups, member: Ints, title: Ints, title_ids: npt.NDArray[np.object_]) -> _Counts:
    of = groups.label[member]
    cell = title[of >= 0] * groups.count + of[of >= 0]
    counts = np.bincount(cell, minlength=len(title_ids) * groups.count).reshape(len(title_ids), groups.count)
    return _Counts(counts.astype(np.int64), title_ids)


def _figures(groups: Groups, counted: _Counts, kind: str) -> dict[str, Any]:
    """What may be told of groups and titles: counts are rounded, and no cell has fewer than ``FLOOR`` members."""
    sizes = np.bincount(groups.label[groups.label >= 0], minlength=groups.count)
    unplaced = int((groups.label < 0).sum())
    cells, totals = shown(counted.counts)
    titles = [
        {"title_id": str(name), "members": int(total),
         "shares": [None if cell == HIDDEN else round(int(cell) / int(total), 4) for cell in row]}
        for name, row, total in zip(counted.title_ids, cells.tolist(), totals.tolist(), strict=True) if total != HIDDEN
    ]  # fmt: skip
    everybody = nearest(sizes) / nearest(sizes).sum()
    return {
        "kind": kind, "floor": FLOOR,
        "groups": [
            {"group": one + 1, "members": int(nearest(size)), "share": round(float(everybody[one]), 4),
             "titles": _typical(titles, one, float(everybody[one]))}
            for one, size in enumerate(sizes)
        ],
        "unplaced": int(nearest(unplaced)) if unplaced >= FLOOR else None,
        "stability": groups.stability, "loose": groups.stability < LOOSE, "asked": groups.asked,
        "agreement": {str(k): value for k, value in groups.agreement.items()},
        "titles": sorted(titles, key=lambda one: (-int(str(one["members"])), str(one["title_id"]))),
        "hidden_titles": int((totals == HIDDEN).sum()),
    }  # fmt: skip


def _typical(titles: list[dict[str, Any]], group: int, usual: float) -> list[dict[str, Any]]:
    """The titles that this group watches more than the others do: its share of them over its share of everybody."""
    lifts = [
        {"title_id": one["title_id"], "lift": round(one["shares"][group] / usual, 2), "share": one["shares"][group]}
        for one in titles if one["shares"][group] is not None and one["shares"][group] > usual
    ]  # fmt: skip
    return sorted(lifts, key=lambda one: -one["lift"])[:12]


def _resonance(found: Responded | None, groups: Groups, told: npt.NDArray[np.bool_] | None) -> dict[str, Any]:
    """Which images resonate with which group, of the titles that are ``told`` of (all where None)."""
    if found is None:
        return {"resonance": None}
    kept_, flagged, believed = _fair(found)
    if told is not None:
        kept_ &= told
    rows = kept_[found.title[found.asset]]
    one = replace(
        found, member=found.member[rows], asset=found.asset[rows], impressions=found.impressions[rows],
        takes=found.takes[rows],
    )  # fmt: skip
    result = resonance(Shown(one.member, one.asset, one.impressions, one.takes, groups.label, one.title), groups.count)
    order = np.argsort(-result.shrunk, kind="stable").tolist()
    evidence = Evidence(randomised=found.random, ratio_passed=found.random and believed)
    return {"resonance": {
        "grade": grade(evidence), "random": found.random, "flagged_titles": flagged,
        "pairs": len(order), "too_few": result.asked - len(order),
        "images": [
            {"group": int(result.group[at]) + 1, "asset_id": str(found.asset_ids[result.asset[at]]),
             "title_id": str(found.title_ids[found.title[result.asset[at]]]),
             "estimate": round(float(result.shrunk[at]), 2), "raw": round(float(result.estimate[at]), 2),
             "ci": [round(float(result.low[at]), 2), round(float(result.high[at]), 2)],
             "q": round(float(result.q[at]), 4)}
            for at in order
        ],
    }}  # fmt: skip


def _fair(found: Responded) -> tuple[npt.NDArray[np.bool_], int, bool]:
    """The titles (t,) whose images were shown as planned, how many were not, and whether the others are believed."""
    kept_ = np.ones(len(found.title_ids), dtype=np.bool_)
    if not found.random:
        return kept_, 0, False
    impressions = np.asarray(np.bincount(found.asset, found.impressions, minlength=len(found.title)), dtype=np.float64)
    there = impressions > 0
    checked = sample_ratios(found.title[there], impressions[there])
    kept_[checked.cell[checked.flagged]] = False
    return kept_, int(checked.flagged.sum()), int(checked.failed.sum()) <= TOLERATED * max(len(checked.cell), 1)
