"""``python -m benchmarks.scale --json OUT``: fit, score and choose on a million vectors, against modAL and memory."""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from attune.models.files.atomic import write_json
from attune.models.labels.labels import Labels
from attune.models.probes.learner import LearnerSettings, fit, plan
from attune.models.vectors.pool import Pool
from attune.models.vectors.products import WORTH_TORCH
from benchmarks.machine import machine

MIB = 1 << 20


def vectors(n: int, dim: int, seed: int) -> npt.NDArray[np.float16]:
    """Unit-length rows (n, d) float16 in a few hundred loose clusters, made in blocks."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((300, dim), dtype=np.float32)
    out = np.empty((n, dim), dtype=np.float16)
    for start in range(0, n, 50_000):
        size = min(50_000, n - start)
        rows = centres[rng.integers(300, size=size)] + 1.5 * rng.standard_normal((size, dim), dtype=np.float32)
        out[start : start + size] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return out


Clocked = dict[str, float]


def clocked(work: Callable[[], Any]) -> Clocked:
    """One run's time by the wall and by the processor, all threads, in milliseconds."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    return {"wall": 1000 * (time.perf_counter() - began), "processor": 1000 * (time.process_time() - spent)}


def summary(runs: list[Clocked]) -> dict[str, float]:
    """Least, median and greatest of the runs' times.

    Processor time says more than the clock where other programs share the machine.
    """
    wall = [run["wall"] for run in runs]
    return {
        "best": min(wall),
        "median": float(np.median(wall)),
        "worst": max(wall),
        "processor": float(np.median([run["processor"] for run in runs])),
    }


def ratio(above: list[Clocked], below: list[Clocked]) -> dict[str, float]:
    """``above`` over ``below``, round by round: the median ratio and the range."""
    each = [a["wall"] / b["wall"] for a, b in zip(above, below, strict=True)]
    return {"median": float(np.median(each)), "lo": min(each), "hi": max(each)}


def forget_peak() -> None:
    """Start the high-water mark of this process's memory anew (Linux: proc(5), clear_refs 5)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mib() -> float:
    """The most memory this process held since ``forget_peak``, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def _modal_round(matrix: npt.NDArray[Any], rows: npt.NDArray[Any], y: npt.NDArray[Any], n: int) -> Any:
    from modAL.models import ActiveLearner
    from modAL.uncertainty import uncertainty_sampling

    learner = ActiveLearner(
        estimator=LogisticRegression(max_iter=1000), query_strategy=uncertainty_sampling, X_training=rows, y_training=y
    )
    return learner.query(matrix, n_instances=n)


def _turn(*works: Callable[[], Any]) -> list[Clocked]:
    """One run of each, in order; what a run left behind is freed between them, as part of none."""
    times = []
    for work in works:
        times.append(clocked(work))
        gc.collect()
    return times


def _warm_up(dim: int) -> None:
    """Load what a first round loads, torch above all, so that it does not count as time or memory of the round."""
    small = vectors(WORTH_TORCH // dim + 1, dim, 2)
    ids = np.array([str(i) for i in range(len(small))])
    pool, labels = Pool(ids, ids, (small,)), Labels(("0", "1"), ("0", "1"), np.eye(2), np.ones(2))
    probe = fit(pool, labels, ("yes", "no"), None, LearnerSettings(), 0)
    plan(pool, probe, labels, [0, 1], 5, LearnerSettings(), 0)


@click.command()
@click.option("--pool", "n", default=1_000_000, show_default=True)
@click.option("--dim", default=512, show_default=True)
@click.option("--labels", "labelled", default=200, show_default=True)
@click.option("--choose", default=20, show_default=True)
@click.option("--repeats", default=7, show_default=True, help="Rounds, by turns.")
@click.option("--json", "out", required=True, type=click.Path(dir_okay=False))
def main(n: int, dim: int, labelled: int, choose: int, repeats: int, out: str) -> None:
    """Milliseconds, memory over the matrix, and the ratios to modAL's uncertainty sampling and to reading it."""
    matrix = vectors(n, dim, 0)
    ids = np.array([f"{i:08d}" for i in range(n)])
    pool, settings = Pool(ids, ids, (matrix,)), LearnerSettings()
    rng = np.random.default_rng(1)
    asked = np.sort(rng.choice(n, labelled, replace=False))
    rows = pool.rows(asked)
    y = (rows @ rng.standard_normal(dim).astype(np.float32) > 0).astype(int)
    labels = Labels(
        tuple(ids[asked].tolist()), tuple(ids[asked].tolist()), np.column_stack([y, 1.0 - y]), np.ones(labelled)
    )

    def ours() -> Any:
        probe = fit(pool, labels, ("yes", "no"), None, settings, 0)
        return plan(pool, probe, labels, asked, choose, settings, 0)

    def read() -> Any:
        return matrix.view(np.uint64).sum()

    def theirs() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _modal_round(matrix, rows.astype(np.float16), y, choose)

    index_ms = clocked(lambda: pool.positions([str(ids[0])]))["wall"]
    _warm_up(dim)
    forget_peak()
    before = peak_mib()
    first = clocked(ours)["wall"]
    ours()
    over = peak_mib() - before
    forget_peak()
    before = peak_mib()
    theirs()
    modal_over = peak_mib() - before
    turns = [_turn(read, ours, theirs) for _ in range(repeats)]
    reads, mine, modal = (list(column) for column in zip(*turns, strict=True))
    result = {
        "n": n,
        "dim": dim,
        "labels": labelled,
        "chosen": choose,
        "rounds": repeats,
        "first_round_ms": first,
        "round_ms": summary(mine),
        "id_index_ms": index_ms,
        "memory_over_matrix_mib": over,
        "matrix_mib": matrix.nbytes / MIB,
        "modal_uncertainty_ms": summary(modal),
        "modal_memory_over_matrix_mib": modal_over,
        "read_memory_ms": summary(reads),
        "times_faster_than_modal": ratio(modal, mine),
        "times_reading_memory": ratio(mine, reads),
    }
    versions = {p: version(p) for p in ("numpy", "scikit-learn", "torch", "modAL-python")}
    write_json(Path(out), {**result, "machine": machine(), "versions": versions})
    for key, value in result.items():
        shown = {k: round(v, 1) for k, v in value.items()} if isinstance(value, dict) else round(value, 2)
        click.echo(f"{key:32} {shown}")


if __name__ == "__main__":
    main()
