"""``python -m benchmarks.label_efficiency.ceiling --data FILE.npz … --json OUT``: what a choice of labels could give.

Nobody could ask like this: the positives are known beforehand, and the best of some draws is picked by its test average
precision. It tells how much of an aim is left to the choice of images, for a linear head on these vectors.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import click
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from attune.models.files.atomic import write_json
from benchmarks.label_efficiency.tasks import Task, attributes, load
from benchmarks.machine import machine

COUNTS = (60, 100, 200, 400)
SHARES = (None, 0.25, 0.5)  # positives among the labels; None as they come


def draws(task: Task, n: int, share: float | None, seed: int, times: int) -> list[float]:
    """Test average precision of logistic regression (C = 1) on ``times`` random draws of ``n`` labels.

    ``share``: of them positives, known beforehand, at most half of the pool's (None: as they come).
    """
    rng = np.random.default_rng([seed, n])
    positive, negative = np.flatnonzero(task.y), np.flatnonzero(task.y == 0)
    found = []
    for _ in range(times):
        if share is None:
            chosen = rng.choice(len(task.y), n, replace=False)
        else:
            known = min(int(n * share), len(positive) // 2)
            chosen = np.concatenate(
                [rng.choice(positive, known, replace=False), rng.choice(negative, n - known, replace=False)]
            )
        if 0 < task.y[chosen].sum() < n:
            model = LogisticRegression(max_iter=1000).fit(task.pool[chosen], task.y[chosen])
            found.append(float(average_precision_score(task.y_test, task.test @ model.coef_[0])))
    return found


@click.command()
@click.option("--data", multiple=True, required=True, type=click.Path(exists=True, dir_okay=False), help=".npz files.")
@click.option("--seeds", default=2, show_default=True)
@click.option("--draws", "times", default=12, show_default=True)
@click.option("--json", "out", required=True, type=click.Path(dir_okay=False))
def main(data: tuple[str, ...], seeds: int, times: int, out: str) -> None:
    """Mean and best of the draws, averaged over attributes and seeds, with the standard error over them."""
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in data:
            for name in attributes(Path(path)):
                task = load(Path(path), name)
                for seed in range(seeds):
                    for n in COUNTS:
                        for share in SHARES:
                            found = draws(task, n, share, seed, times)
                            if found:
                                key = {"data": Path(path).stem, "attribute": name, "seed": seed, "labels": n}
                                rows.append({**key, "share": share, "mean": np.mean(found), "best": max(found)})
    write_json(Path(out), {"rows": rows, "draws": times, "machine": machine()})
    for n in COUNTS:
        for share in SHARES:
            cells = [row for row in rows if row["labels"] == n and row["share"] == share]
            mean, best = (np.array([row[key] for row in cells]) for key in ("mean", "best"))
            error = mean.std(ddof=1) / np.sqrt(len(mean))
            kind = "as they come" if share is None else f"{share:.0%} positives"
            click.echo(
                f"{n:4} labels, {kind:14} mean {mean.mean():.3f} ± {error:.3f}   best of {times} {best.mean():.3f}"
            )


if __name__ == "__main__":
    main()
