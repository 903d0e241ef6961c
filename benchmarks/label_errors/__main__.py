"""Are planted label errors found, and better than by cleanlab?

    python -m benchmarks.label_errors --data ../shared/bench --cleanlab ~/venv/bin/python --json OUT

Of some images of one attribute 5 % or 15 % of the labels are flipped, whichever they are; or three experts, right on
95, 90 and 80 % of the images, answer some together. Every label gets out-of-fold probabilities, by title, of Attune's
probe, and of scikit-learn's LogisticRegression in 5 stratified folds, as cleanlab's own documents do. Ranked are all
labels: ``attune`` as the product does it; ``cleanlab METHOD, NAME`` by cleanlab itself, run by the Python of
``--cleanlab``, on the probabilities of NAME. Figures: average precision, and precision at 20 and at the number of
errors (k). Labels that were wrong before count as right, for all methods. ``listed`` and ``listed_precision`` are of
the answers that the product would name.

How ``attune`` ranks was chosen with ``--half choose``; the figures to report are of the other half of the attributes.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from attune.models.evaluation.intervals import percentile_interval
from attune.models.evaluation.splits import title_folds
from attune.models.files.atomic import write_json
from attune.models.labels.label_errors import Judged, judge, suspected, trusted
from attune.models.labels.labels import Labels, consensus
from attune.models.probes.learner import LearnerSettings, fit
from attune.models.threads import one_thread
from benchmarks.label_errors import problems as made
from benchmarks.label_errors.problems import CLASSES, Problem
from benchmarks.machine import machine
from benchmarks.printed import print_rows

FOLDS, DRAWS, TOP = 5, 2000, 20
FIGURES = ("average_precision", "precision_at_k", "precision_at_20")
SETTINGS = LearnerSettings(audit_share=0.0, reserved_share=0.0)
SIDE = Path(__file__).with_name("cleanlab_side.py")
Floats = npt.NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the .npz files, or one file")
    parser.add_argument("--half", choices=(made.CHOOSE, made.REPORT), default=made.REPORT)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.15])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cleanlab", type=Path, help="a Python with cleanlab; without it cleanlab is left out")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    begun = time.perf_counter()
    files = sorted(asked.data.glob("*.npz")) if asked.data.is_dir() else [asked.data]
    rows: list[dict[str, Any]] = []
    beside: dict[int, tuple[Problem, dict[str, Floats]]] = {}
    for number, problem in enumerate(made.problems(files, asked.half, asked.sizes, asked.shares, asked.seeds)):
        judged, probabilities = ours(problem)
        ranked = {name: -one.right for name, one in judged.items()}
        listed = {name: suspected(problem.panel, one) for name, one in judged.items()}
        for name, score in ranked.items():
            named = listed[name]
            found = float(problem.wrong[named].mean()) if named.any() else None
            rows.append(row_of(problem, name, score) | {"listed": int(named.sum()), "listed_precision": found})
        beside[number] = (problem, probabilities)
    version = "not run"
    if asked.cleanlab:
        version, theirs = cleanlab(asked.cleanlab, beside)
        rows += theirs
    result = {
        "summary": summary(rows),
        "rows": rows,
        "half": asked.half,
        "machine": machine(),
        "versions": {"cleanlab": version},
        "seconds": round(time.perf_counter() - begun, 1),
    }
    print_rows(result["summary"])
    if asked.json:
        write_json(asked.json, result)
    return result


def ours(problem: Problem) -> tuple[dict[str, Judged], dict[str, Floats]]:
    """The labels as we judge them, with and without the second fit; and the probabilities (n, 2) that cleanlab is
    given."""
    panel, labels = problem.panel, consensus(problem.answers, CLASSES)
    with one_thread():
        first = cross_fitted(problem, labels)
        second = cross_fitted(problem, trusted(labels, panel, first))
        other = LogisticRegression(max_iter=1000)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=problem.seed)
        leading = np.empty(len(labels), dtype=np.intp)
        leading[problem.pool.positions(labels.asset_ids)] = labels.majority()  # consensus sorts by id
        logistic: Floats = cross_val_predict(other, problem.x, leading, cv=folds, method="predict_proba")
    judged = {"attune": judge(panel, second), "attune, one fit": judge(panel, first)}
    return judged, {"LogisticRegression": logistic, "attune probe": first}


def cross_fitted(problem: Problem, labels: Labels) -> Floats:
    """Probabilities (n, 2) in the pool's order, each by a probe that did not learn from the title."""
    place = problem.pool.positions(labels.asset_ids)
    probabilities = np.full((len(labels), len(CLASSES)), 0.5)
    for train, test in title_folds(labels.title_ids, labels.majority(), FOLDS, problem.seed):
        probe = fit(problem.pool, labels.subset(train), CLASSES, None, SETTINGS, problem.seed)
        probabilities[place[test]] = probe.predict_proba(problem.pool.rows(place[test]))
    return probabilities


def cleanlab(python: Path, beside: dict[int, tuple[Problem, dict[str, Floats]]]) -> tuple[str, list[dict[str, Any]]]:
    """Cleanlab's version and its rows."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for number, (problem, probabilities) in beside.items():
        arrays[f"votes_{number}"] = problem.votes
        arrays |= {f"probs_{number}_{name}": values for name, values in probabilities.items()}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, allow_pickle=False, **arrays)
        subprocess.run([str(python), str(SIDE), str(source), str(target)], check=True)
        with np.load(target, allow_pickle=False) as file:
            found = {key: file[key] for key in file.files}
    version = str(found.pop("version"))
    rows = []
    for key, score in found.items():
        number, name, method = key.split("|")
        rows.append(row_of(beside[int(number)][0], f"cleanlab {method}, {name}", score))
    return version, rows


def row_of(problem: Problem, method: str, score: Floats) -> dict[str, Any]:
    """The figures of one ranking (n, experts), higher is likelier wrong; equals in the order of the images."""
    given = problem.votes >= 0
    wrong, values = problem.wrong[given], np.asarray(score, dtype=np.float64)[given]
    order = np.argsort(-values, kind="stable")
    errors = int(wrong.sum())
    return {
        "data": problem.data,
        "attribute": problem.attribute,
        "seed": problem.seed,
        "size": len(given),
        "labels": int(given.sum()),
        "planted": problem.kind,
        "errors": errors,
        "method": method,
        "average_precision": float(average_precision_score(wrong, values)),
        "precision_at_k": float(wrong[order[:errors]].mean()),
        "precision_at_20": float(wrong[order[:TOP]].mean()),
    }


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means by method with 95 % intervals over attributes (their seeds stay together), and the difference of
    ``attune``'s average precision."""
    groups: dict[tuple[Any, ...], dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        held = groups.setdefault((row["size"], row["planted"], row["method"]), {})
        held.setdefault(f"{row['data']}/{row['attribute']}", []).append(row)
    return [
        {"images": size, "planted": planted, "method": method, "n": sum(map(len, held.values()))}
        | {figure: _in_words(_means(held, figure)) for figure in FIGURES}
        | {"attune_minus": _difference(groups[size, planted, "attune"], held) if method != "attune" else ""}
        for (size, planted, method), held in sorted(groups.items(), key=lambda one: one[0][:2])
    ]


def _means(held: dict[str, list[dict[str, Any]]], figure: str) -> Floats:
    return np.array([np.mean([row[figure] for row in held[name]]) for name in sorted(held)])


def _in_words(values: Floats, signed: bool = False) -> str:
    rng = np.random.default_rng(0)
    draws = values[rng.integers(len(values), size=(DRAWS, len(values)))].mean(axis=1)
    value = float(values.mean())
    lo, hi = percentile_interval(draws, value)
    return f"{value:+.3f} [{lo:+.3f}, {hi:+.3f}]" if signed else f"{value:.3f} [{lo:.3f}, {hi:.3f}]"


def _difference(mine: dict[str, list[dict[str, Any]]], theirs: dict[str, list[dict[str, Any]]]) -> str:
    return _in_words(_means(mine, FIGURES[0]) - _means(theirs, FIGURES[0]), signed=True)


if __name__ == "__main__":
    main()
