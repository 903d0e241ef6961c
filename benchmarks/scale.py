"""``python -m benchmarks.scale --json OUT``: fit, score and choose on a million vectors, against modAL and memory."""

from __future__ import annotations

import resource
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

from benchmarks.machine import machine
from models.files import write_json
from models.labels import Labels
from models.learner import LearnerSettings, fit, plan
from models.pool import Pool
from models.products import WORTH_TORCH

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


def timed(work: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Of ``repeats`` runs the best and the median time, and the least processor time of all threads, in milliseconds.

    Processor time says more than the clock where other programs share the machine.
    """
    took, used = [], []
    for _ in range(repeats):
        began, spent = time.perf_counter(), time.process_time()
        work()
        took.append(1000 * (time.perf_counter() - began))
        used.append(1000 * (time.process_time() - spent))
    return {"best": min(took), "median": float(np.median(took)), "processor": min(used)}


def peak_mib() -> float:
    """The most memory this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _modal_round(matrix: npt.NDArray[Any], rows: npt.NDArray[Any], y: npt.NDArray[Any], n: int) -> Any:
    from modAL.models import ActiveLearner
    from modAL.uncertainty import uncertainty_sampling

    learner = ActiveLearner(
        estimator=LogisticRegression(max_iter=1000), query_strategy=uncertainty_sampling, X_training=rows, y_training=y
    )
    return learner.query(matrix, n_instances=n)


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
@click.option("--repeats", default=5, show_default=True)
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

    read = timed(lambda: matrix.view(np.uint64).sum(), repeats)
    began = time.perf_counter()
    pool.positions([str(ids[0])])
    index_ms = 1000 * (time.perf_counter() - began)
    _warm_up(dim)
    before = peak_mib()
    first = timed(ours, 1)["best"]
    mine = timed(ours, repeats)
    over = peak_mib() - before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = timed(lambda: _modal_round(matrix, rows.astype(np.float16), y, choose), 2)
    result = {
        "n": n,
        "dim": dim,
        "labels": labelled,
        "chosen": choose,
        "first_round_ms": first,
        "round_ms": mine,
        "id_index_ms": index_ms,
        "memory_over_matrix_mib": over,
        "matrix_mib": matrix.nbytes / MIB,
        "modal_uncertainty_ms": theirs,
        "modal_memory_over_matrix_mib": peak_mib() - before,
        "read_memory_ms": read,
        "times_faster_than_modal": {key: theirs[key] / mine[key] for key in mine},
        "times_reading_memory": {key: mine[key] / read[key] for key in mine},
    }
    versions = {p: version(p) for p in ("numpy", "scikit-learn", "torch", "modAL-python")}
    write_json(Path(out), {**result, "machine": machine(), "versions": versions})
    for key, value in result.items():
        shown = {k: round(v, 1) for k, v in value.items()} if isinstance(value, dict) else round(value, 2)
        click.echo(f"{key:32} {shown}")


if __name__ == "__main__":
    main()
