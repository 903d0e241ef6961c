"""Does the audit's interval hold? Simulated campaigns on real vectors whose truth is known.

    python -m benchmarks.audit_coverage --data ../shared/bench --campaigns 200 --json OUT

Each campaign labels with a margin query and audits reserved titles meanwhile, while its probe changes. Afterwards the
interval is compared with the average precision on all reserved assets (``truth_pool``) and on titles that were never
in the pool (``truth_unseen``). Methods: ``attune`` (adaptive draw, score curve), ``attune_weighted`` (the same draw,
inverse probabilities and a bootstrap), ``uniform_bootstrap`` (uniform draw, percentile bootstrap), and
``cross_validation`` on the training answers, the naive figure. With ``--growing`` each campaign is one of the product's
instead: the share of audits follows what is known (``audit_pace``), and the interval is judged where it first
is narrow, or after 24 rounds (``attune_growing``); ``--few`` looks at 10 to 29 audits (``attune_early``).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.audit_pace import audits_due, continue_pace, stream_share
from attune.models.evaluation.evaluate import compare, cross_validated, evaluate_audit
from attune.models.evaluation.metrics import Metric, average_precision
from attune.models.files.atomic import write_bytes
from attune.models.labels.labels import Labels
from attune.models.probes.calibration import apply, calibrate, cross_calibrated, identity
from benchmarks.campaigns import BANDS, Floats, World, fitted, margin_rounds, sigmoid, world
from benchmarks.machine import machine

CLASSES = ("positive", "negative")
ROUNDS, PER_ROUND = 5, 30
GOAL, MOST_ROUNDS = 0.2, 24
COLUMNS = ("band", "data", "attribute", "seed", "audits", "method", "value", "lo", "hi", "truth_pool", "truth_unseen")

Row = tuple[Any, ...]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the .npz files")
    parser.add_argument("--campaigns", type=int, default=200, help="in each band")
    parser.add_argument("--seed", type=int, default=0, help="the first campaign's seed")
    parser.add_argument("--bands", default=",".join(BANDS), help="bands of prevalence, separated by commas")
    parser.add_argument("--growing", action="store_true", help="campaigns whose share of audits follows the answers")
    parser.add_argument("--few", action="store_true", help="the first figures, from 10 to 29 audits")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    rows_of = growing_rows if asked.growing else few_rows if asked.few else campaign_rows
    result = measure(asked.data, asked.campaigns, asked.seed, asked.bands.split(","), rows_of)
    _show(result["summary"])
    if asked.json:
        write_bytes(asked.json, compact(result))
    return result


def measure(
    folder: Path, campaigns: int, seed: int, bands: Sequence[str], rows_of: Callable[[World, int], Iterator[Row]]
) -> dict[str, Any]:
    """Rows of every campaign and their summary by band, audits and method."""
    begun = time.perf_counter()
    rows: list[Row] = []
    for band in bands:
        questions = BANDS[band]
        for i in range(campaigns):
            question = questions[i % len(questions)]
            told = (band, *question[:2], seed + i)
            rows += [(*told, *row) for row in rows_of(world(folder, question, seed + i), seed + i)]
    return {
        "what": (__doc__ or "").strip().splitlines()[0],
        "campaigns": campaigns,
        "seed": seed,
        "summary": summarise(rows),
        "columns": COLUMNS,
        "rows": rows,
        "machine": machine(),
        "seconds": round(time.perf_counter() - begun, 1),
    }


def campaign_rows(campaign: World, seed: int) -> Iterator[Row]:
    """One campaign: audits, method, value, lo, hi, the truth in the pool and on unseen titles, for each figure."""
    ids, titles = campaign.ids[campaign.audited].tolist(), campaign.titles[campaign.audited].tolist()
    adaptive, uniform = AuditDesign(seed), AuditDesign(seed + 10**6)
    earlier: Floats = np.zeros(0)
    for number, (labelled, logits) in enumerate(margin_rounds(campaign, seed)):
        mine = logits[campaign.audited]
        if number == 0:
            continue
        adaptive.extend(ids, titles, mine, PER_ROUND)
        uniform.extend(ids, titles, None, PER_ROUND)
        if number in (1, 2, ROUNDS):
            yield from _audit_rows(campaign, logits, adaptive, uniform, seed)
        if number == 2:
            earlier = logits
        if number == ROUNDS:
            yield _naive_row(campaign, labelled, logits, seed)
            yield from _later_rows(campaign, logits, earlier, adaptive, seed)
            return


def growing_rows(campaign: World, seed: int) -> Iterator[Row]:
    """A campaign by the product's rule: 20 labels a round, called settled from 240 on, so that both shares are met."""
    ids, titles = campaign.ids[campaign.audited].tolist(), campaign.titles[campaign.audited].tolist()
    design, pace, figure = AuditDesign(seed), None, None
    for number, (labelled, logits) in enumerate(margin_rounds(campaign, seed)):
        trained, told = len(labelled), figure.n if figure else 0
        width = figure.width if figure is not None and figure.value is not None else None
        share, why = stream_share(0.1, trained, "settled" if trained >= 240 else "labelling", told, width)
        pace = continue_pace(pace, trained, 0.1, share, why)
        missing = min(audits_due(pace, 0), len(ids)) - int(design.drawn(ids).sum())
        if missing > 0:
            design.extend(ids, titles, logits[campaign.audited], missing)
            labels, rows, pi = _answers(campaign, design)
            pool = sigmoid(logits[campaign.audited])
            figure = evaluate_audit(labels, sigmoid(logits[rows]), pi, CLASSES, pool=pool, seed=seed)[
                "average_precision"
            ]
        narrow = figure is not None and figure.value is not None and not figure.early and figure.width <= GOAL
        if figure is not None and (narrow or number == MOST_ROUNDS):
            yield _row(0, "attune_growing", figure, *_truths(campaign, logits))
            return


def few_rows(campaign: World, seed: int) -> Iterator[Row]:
    """The early figures: 10, 15, 20 and 29 audits."""
    ids, titles = campaign.ids[campaign.audited].tolist(), campaign.titles[campaign.audited].tolist()
    design = AuditDesign(seed)
    for more, (_, logits) in zip((0, 0, 10, 5, 5, 9), margin_rounds(campaign, seed), strict=False):
        if not more:
            continue
        design.extend(ids, titles, logits[campaign.audited], more)
        labels, rows, pi = _answers(campaign, design)
        pool = sigmoid(logits[campaign.audited])
        found = evaluate_audit(labels, sigmoid(logits[rows]), pi, CLASSES, pool=pool, seed=seed)
        yield _row(len(labels), "attune_early", found["average_precision"], *_truths(campaign, logits))


def _audit_rows(
    campaign: World, logits: Floats, adaptive: AuditDesign, uniform: AuditDesign, seed: int
) -> Iterator[Row]:
    truths = _truths(campaign, logits)
    labels, rows, pi = _answers(campaign, adaptive)
    pool = sigmoid(logits[campaign.audited])
    found = evaluate_audit(labels, sigmoid(logits[rows]), pi, CLASSES, pool=pool, seed=seed)
    yield _row(len(labels), "attune", found["average_precision"], *truths)
    yield _row(len(labels), "attune_weighted", found["average_precision_weighted"], *truths)
    labels, rows, pi = _answers(campaign, uniform)
    found = evaluate_audit(labels, sigmoid(logits[rows]), pi, CLASSES, pool=pool, seed=seed)
    yield _row(len(labels), "uniform_curve", found["average_precision"], *truths)
    yield _row(len(labels), "uniform_bootstrap", found["average_precision_weighted"], *truths)


def _naive_row(campaign: World, labelled: list[int], logits: Floats, seed: int) -> Row:
    def fit_predict(train: npt.NDArray[np.intp], test: npt.NDArray[np.intp]) -> Floats:
        rows = np.asarray(labelled)
        return sigmoid(fitted(campaign, rows[train].tolist())(campaign.x[rows[test]]))

    naive = cross_validated(_labels(campaign, np.asarray(labelled)), fit_predict, CLASSES, seed=seed)
    return _row(len(labelled), "cross_validation", naive, *_truths(campaign, logits))


def _later_rows(campaign: World, logits: Floats, earlier: Floats, design: AuditDesign, seed: int) -> Iterator[Row]:
    """The paired difference to an earlier probe, and the calibration error before and after calibration."""
    labels, rows, pi = _answers(campaign, design)
    pools = (sigmoid(logits[campaign.audited]), sigmoid(earlier[campaign.audited]))
    both = (sigmoid(logits[rows]), sigmoid(earlier[rows]))
    paired = compare(labels, both, pi, CLASSES, seed=seed, pools=pools)
    now, before = _truths(campaign, logits), _truths(campaign, earlier)
    yield _row(len(labels), "paired_difference", paired, now[0] - before[0], now[1] - before[1])
    for name, calibration in (("raw", identity(1)), ("calibrated", calibrate(logits[rows], labels, pi))):
        judged = apply(calibration, logits[rows]) if name == "raw" else cross_calibrated(logits[rows], labels, pi)
        pool = apply(calibration, logits[campaign.audited])
        told = evaluate_audit(labels, judged, pi, CLASSES, pool=pool, seed=seed)["calibration_error"]
        true = [
            expected_calibration_error(apply(calibration, logits[part])[:, 0], campaign.y[part])
            for part in (campaign.audited, campaign.unseen)
        ]
        yield _row(len(labels), f"calibration_error_{name}", told, *true)


def expected_calibration_error(p: Floats, y: npt.NDArray[np.intp], bins: int = 10) -> float:
    """Mean distance of stated probability and share of positives over ``bins`` of equal size."""
    parts = np.array_split(np.argsort(p, kind="stable"), bins)
    return float(sum(abs(p[part].sum() - y[part].sum()) for part in parts) / len(y))


def _answers(campaign: World, design: AuditDesign) -> tuple[Labels, npt.NDArray[np.intp], Floats]:
    ids = campaign.ids[campaign.audited].tolist()
    drawn = np.flatnonzero(design.drawn(ids))
    rows = campaign.audited[drawn]
    return _labels(campaign, rows), rows, design.inclusions(ids)[drawn]


def _labels(campaign: World, rows: npt.NDArray[np.intp]) -> Labels:
    y = campaign.y[rows].astype(np.float64)
    shares = np.stack([y, 1.0 - y], axis=1)
    return Labels(tuple(campaign.ids[rows]), tuple(campaign.titles[rows]), shares, np.ones(len(rows)))


def _truths(campaign: World, logits: Floats) -> tuple[float, float]:
    pool, unseen = (average_precision(campaign.y[part], logits[part]) for part in (campaign.audited, campaign.unseen))
    return pool, unseen


def _row(audits: int, method: str, metric: Metric, pool: float, unseen: float) -> Row:
    figures = (metric.value, metric.lo, metric.hi, pool, unseen)
    return (audits, method, *(None if figure is None else round(float(figure), 4) for figure in figures))


def summarise(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For each band, number of answers and method: coverage of both truths, mean width, bias and error."""
    groups: dict[tuple[str, int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row[0], row[4], row[5]), []).append(row)
    return [_summary(key, group) for key, group in groups.items()]


def _summary(key: tuple[str, int, str], group: list[Row]) -> dict[str, Any]:
    told = [row for row in group if row[6] is not None]
    summary: dict[str, Any] = dict(zip(("band", "answers", "method"), key, strict=True))
    summary |= {"campaigns": len(group), "with_a_figure": len(told)}
    if not told:
        return summary
    value, lo, hi, pool, unseen = np.array([row[6:] for row in told], dtype=np.float64).T
    return summary | {
        "covers_pool": round(float(np.mean((lo <= pool) & (pool <= hi))), 4),
        "covers_unseen": round(float(np.mean((lo <= unseen) & (unseen <= hi))), 4),
        "too_high": round(float(np.mean(lo > pool)), 4),
        "width": round(float(np.mean(hi - lo)), 4),
        "bias": round(float(np.mean(value - pool)), 4),
        "bias_unseen": round(float(np.mean(value - unseen)), 4),
        "rmse": round(float(np.sqrt(np.mean((value - pool) ** 2))), 4),
        "truth": round(float(np.mean(pool)), 4),
        "truth_unseen": round(float(np.mean(unseen)), 4),
        "value": round(float(np.mean(value)), 4),
    }


def compact(result: dict[str, Any]) -> bytes:
    """JSON with one row a line: thousands of rows stay readable and small."""
    head = {key: value for key, value in result.items() if key != "rows"}
    lines = ",\n  ".join(json.dumps(row) for row in result["rows"])
    return (json.dumps(head, indent=1)[:-2] + f',\n "rows": [\n  {lines}\n ]\n}}\n').encode()


def _show(summary: list[dict[str, Any]]) -> None:
    keys = ("band", "answers", "method", "with_a_figure", "covers_pool", "covers_unseen", "width", "bias", "rmse")
    shown = Table(*keys)
    for line in summary:
        shown.add_row(*(str(line.get(key, "")) for key in keys))
    Console().print(shown)


if __name__ == "__main__":
    main()
