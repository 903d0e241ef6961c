"""Does the stopping rule stop in time, and not too soon? Campaigns on real vectors, far beyond where it stops.

    python -m benchmarks.stopping --data ../shared/bench --seeds 3 --json OUT

Each campaign labels with a margin query until nothing is left. The rule sees what it would see: its probes' logits of
the reserved assets, and the share of positives there as calibrated on 100 audit answers. Where it stops, the average
precision on unseen titles is compared with that at twice as many labels (or at the pool's end). A false stop loses more
than one point by it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.metrics import average_precision
from attune.models.files.atomic import write_json
from attune.models.labels.labels import Labels
from attune.models.probes.calibration import apply, calibrate
from attune.models.query.stopping import Checkpoint, Goals, advise, expected_gain
from benchmarks.campaigns import BANDS, World, fitted, start, world
from benchmarks.machine import machine
from benchmarks.printed import print_rows

AUDITS = 100
STOP_SET = 1000
TOLERATED = 0.01
GOALS = (0.015, 0.02, 0.03)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the .npz files")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    begun = time.perf_counter()
    rows = [
        {"band": band, "data": question[0], "attribute": question[1], "seed": seed} | found
        for seed in range(asked.seed, asked.seed + asked.seeds)
        for band, questions in BANDS.items()
        for question in questions
        for found in campaign_rows(world(asked.data, question, seed), seed)
    ]
    result = {
        "summary": summarise(rows),
        "rows": rows,
        "seeds": asked.seeds,
        "machine": machine(),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    print_rows(result["summary"])
    if asked.json:
        write_json(asked.json, result)
    return result


def campaign_rows(campaign: World, seed: int) -> list[dict[str, Any]]:
    """One row for each goal: where the rule stops, what that loses, and the curve's error of the expected gain."""
    rng = np.random.default_rng([seed, 1])
    labelled, curve, advice = start(campaign, rng), [], dict.fromkeys(GOALS, 0)
    audited, design = campaign.audited, AuditDesign(seed)
    stop_set = audited[np.sort(rng.permutation(len(audited))[:STOP_SET])]
    checkpoints: list[Checkpoint] = []
    gains: list[tuple[int, float]] = []
    while True:
        logits = fitted(campaign, labelled)(campaign.x)
        n = len(labelled)
        curve.append((n, average_precision(campaign.y[campaign.unseen], logits[campaign.unseen])))
        if not checkpoints:
            design.extend(campaign.ids[audited].tolist(), campaign.titles[audited].tolist(), logits[audited], AUDITS)
        checkpoints.append(Checkpoint(n, logits[stop_set]))
        share = float(apply(_calibration(campaign, design, logits), logits[stop_set])[:, 0].mean())
        for goal in GOALS:
            told = advise(checkpoints, share, goals=replace(Goals(), movement=goal))
            if told.state == "settled" and not advice[goal]:
                advice[goal] = n
        if told.evidence["movement"] is not None:
            gains.append((n, told.evidence["movement"]))
        rest = np.setdiff1d(campaign.trainable, labelled)
        if not len(rest):
            break
        labelled += rest[np.argsort(np.abs(logits[rest]))[: max(20, n // 8)]].tolist()
    return [_row(goal, at, curve, gains) for goal, at in advice.items()]


def _calibration(campaign: World, design: AuditDesign, logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    ids = campaign.ids[campaign.audited].tolist()
    drawn = np.flatnonzero(design.drawn(ids))
    rows = campaign.audited[drawn]
    y = campaign.y[rows].astype(np.float64)
    labels = Labels(
        tuple(campaign.ids[rows]), tuple(campaign.titles[rows]), np.stack([y, 1 - y], axis=1), np.ones(len(rows))
    )
    return calibrate(logits[rows], labels, design.inclusions(ids)[drawn])


def _row(goal: float, at: int, curve: list[tuple[int, float]], gains: list[tuple[int, float]]) -> dict[str, Any]:
    labels, ap = np.array([n for n, _ in curve]), np.array([value for _, value in curve])
    row: dict[str, Any] = {"goal": goal, "stopped_at": at or None, "pool": int(labels[-1])}
    row["gain_error"] = _gain_error(labels, ap, gains)
    if not at:
        return row | {"ap": round(float(ap[-1]), 4)}
    here, there = (float(np.interp(np.log(n), np.log(labels), ap)) for n in (at, min(2 * at, labels[-1])))
    reached = round(min(2 * at, int(labels[-1])) / at, 2)
    return row | {"ap": round(here, 4), "lost": round(there - here, 4), "went_on": reached}


def _gain_error(labels: Any, ap: Any, gains: list[tuple[int, float]]) -> float:
    """Mean of (foretold - true) gain of 50 more answers, from 60 labels on."""
    errors = []
    for n, moved in gains:
        if n >= 60 and n + 50 <= labels[-1]:
            now, then = np.interp(np.log([n, n + 50]), np.log(labels), ap)
            errors.append(expected_gain(n, moved) - (then - now))
    return round(float(np.mean(errors)), 5) if errors else 0.0


def summarise(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each goal and band: how many stopped, at how many labels, and what they lost."""
    summary = []
    for goal in GOALS:
        for band in (*BANDS, "all"):
            mine = [row for row in rows if row["goal"] == goal and band in (row["band"], "all")]
            if not mine:
                continue
            stopped = [row for row in mine if row["stopped_at"]]
            lost = np.array([row["lost"] for row in stopped])
            summary.append(
                {
                    "goal": goal,
                    "band": band,
                    "campaigns": len(mine),
                    "stopped": len(stopped),
                    "median_labels": float(np.median([row["stopped_at"] for row in stopped])) if stopped else None,
                    "median_pool": float(np.median([row["pool"] for row in mine])),
                    "within_one_point": float(np.mean(lost <= TOLERATED)) if stopped else None,
                    "within_two_points": float(np.mean(lost <= 2 * TOLERATED)) if stopped else None,
                    "false_stops_of_all": float(np.sum(lost > TOLERATED) / len(mine)),
                    "mean_lost": float(lost.mean()) if stopped else None,
                    "gain_bias": float(np.mean([row["gain_error"] for row in mine])),
                }
            )
    return summary


if __name__ == "__main__":
    main()
