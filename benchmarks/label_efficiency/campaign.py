"""One campaign: a method asks its way from 20 labels to the budget while the test split watches."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from benchmarks.label_efficiency.methods import method
from benchmarks.label_efficiency.state import State, scores
from benchmarks.label_efficiency.tasks import load

EVERY = 20  # labels between two measurements


@dataclass(frozen=True)
class Cell:
    """What identifies a campaign."""

    method: str
    data: str
    attribute: str
    seed: int
    batch: int
    budget: int


def run(cell: Cell) -> list[dict[str, Any]]:
    """The campaign's rows: one per measurement, at multiples of 20 labels, audits counted."""
    task, learner = load(Path(cell.data), cell.attribute), method(cell.method)
    state = State(task, task.start(cell.seed).tolist(), cell.seed)
    rows: list[dict[str, Any]] = []
    spent, rounds = 0.0, 0
    while True:
        began = time.perf_counter()
        estimator = learner.fit(state)
        spent, rounds = spent + time.perf_counter() - began, rounds + 1
        if len(state.asked) % EVERY == 0:
            precision = float(average_precision_score(task.y_test, scores(estimator, task.test)))
            rows.append(_row(cell, len(state.asked), precision, spent / rounds))
        if len(state.asked) >= cell.budget:
            return rows
        began = time.perf_counter()
        chosen = learner.query(estimator, state, min(cell.batch, cell.budget - len(state.asked)))
        spent += time.perf_counter() - began
        assert len(np.unique(chosen)) == len(chosen), f"{cell.method} asked one image twice in a batch"
        assert not set(chosen.tolist()) & set(state.asked), f"{cell.method} asked again what it was told"
        state.asked.extend(int(i) for i in chosen)


def _row(cell: Cell, labels: int, precision: float, seconds: float) -> dict[str, Any]:
    row = {**asdict(cell), "data": Path(cell.data).stem, "labels": labels, "average_precision": round(precision, 5)}
    del row["budget"]
    return {**row, "seconds_per_round": round(seconds, 5)}
