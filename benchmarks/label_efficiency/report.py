"""The table and the three questions: how high, how often ahead, and how many labels saved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

COUNTS = (20, 40, 60, 100, 120, 200, 400)
REFERENCE = "va_four_feeds"
Rows = list[dict[str, Any]]


def name_of(row: dict[str, Any]) -> str:
    """A method's name in the table; batch 1 is said, batch 20 is the rule."""
    return str(row["method"]) if row["batch"] != 1 else f"{row['method']} (batch 1)"


def _curves(rows: Rows) -> dict[str, dict[tuple[str, str], dict[int, dict[int, float]]]]:
    """method -> (data, attribute) -> labels -> seed -> AP."""
    found: Any = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    for row in rows:
        found[name_of(row)][row["data"], row["attribute"]][row["labels"]][row["seed"]] = row["average_precision"]
    return found


def table(rows: Rows) -> list[dict[str, Any]]:
    """Per method the mean AP at each count, its standard error over campaigns, seconds a round; best at 100 first."""
    seconds: dict[str, list[float]] = defaultdict(list)
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["labels"] in COUNTS:
            values[name_of(row)][row["labels"]].append(row["average_precision"])
            seconds[name_of(row)].append(row["seconds_per_round"])
    lines = [
        {
            "method": name,
            "campaigns": max(len(v) for v in counts.values()),
            "mean": {n: float(np.mean(counts[n])) for n in COUNTS if counts[n]},
            "standard_error": {n: _standard_error(counts[n]) for n in COUNTS if counts[n]},
            "seconds_per_round": float(np.mean(seconds[name])),
        }
        for name, counts in values.items()
    ]
    return sorted(lines, key=lambda line: -line["mean"].get(100, 0))


def _standard_error(values: Iterable[float]) -> float:
    data = np.asarray(list(values))
    return float(data.std(ddof=1) / np.sqrt(len(data))) if len(data) > 1 else 0.0


def compare(rows: Rows, ours: str) -> dict[str, Any]:
    """``ours`` against each peer: cells (attribute and count) won or tied, and labels to the reference's AP at 400.

    A tie: the mean difference over seeds lies within one standard error of it. Peers are all methods of others
    with the classifier of their own.
    """
    curves = _curves(rows)
    peers = [name for name in curves if not name.startswith("attune") and "attune_probe" not in name]
    result: dict[str, Any] = {"method": ours, "win_or_tie": {p: _win_or_tie(curves[ours], curves[p]) for p in peers}}
    if REFERENCE in curves and ours in curves:
        needed = [_labels_needed(curves[ours][task], goal[400]) for task, goal in curves[REFERENCE].items()
                  if 400 in goal and task in curves[ours]]  # fmt: skip
        result["labels_to_reference_at_400"] = sorted(needed)
        result["median_labels_to_reference_at_400"] = float(np.median(needed)) if needed else None
    return result


def _win_or_tie(ours: Any, theirs: Any) -> dict[str, float]:
    outcomes = []
    for task in ours.keys() & theirs.keys():
        for count in COUNTS[1:]:
            seeds = sorted(ours[task][count].keys() & theirs[task][count].keys())
            if not seeds:
                continue
            gap = np.array([ours[task][count][s] - theirs[task][count][s] for s in seeds])
            outcomes.append((gap.mean() > 0, gap.mean() + _standard_error(gap) >= 0))
    if not outcomes:
        return {"cells": 0, "win": 0.0, "win_or_tie": 0.0}
    win, tie = np.array(outcomes).mean(axis=0)
    return {"cells": len(outcomes), "win": round(float(win), 4), "win_or_tie": round(float(tie), 4)}


def _labels_needed(curve: dict[int, dict[int, float]], goal: dict[int, float]) -> float:
    """Where the mean curve first reaches the mean goal, on straight lines between measurements; inf if never."""
    target = np.mean(list(goal.values()))
    counts = sorted(curve)
    means = [float(np.mean(list(curve[c].values()))) for c in counts]
    if means[0] >= target:
        return float(counts[0])
    points = list(zip(counts, means, strict=True))
    for (a, low), (b, high) in pairwise(points):
        if high >= target:
            return round(a + (b - a) * (target - low) / (high - low), 1)
    return float("inf")


def render(rows: Rows) -> str:
    """The table as text."""
    lines = [f"{'method':36} {'runs':>5} " + " ".join(f"{n:>11}" for n in COUNTS) + "   s/round"]
    for line in table(rows):
        cells = " ".join(
            f"{line['mean'][n]:.3f} ±{line['standard_error'][n]:.3f}" if n in line["mean"] else " " * 11 for n in COUNTS
        )
        lines.append(f"{line['method']:36} {line['campaigns']:>5} {cells} {line['seconds_per_round']:9.3f}")
    return "\n".join(lines)
