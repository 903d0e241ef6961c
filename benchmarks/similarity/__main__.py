"""Whose neighbours share more: raw vectors, plain maps, losses of metric learning, or the taste space?

    python -m benchmarks.similarity --data FILE.npz --json benchmarks/results/similarity.json

FILE has ``ids`` (n,), ``title_ids`` (n,), ``vectors`` (n, d), ``labels`` (n, k) multi-hot, ``label_names`` (k,) and
``split`` (n,) 0 pool, 1 test. Rows without a label are left out and counted. Everything is learned, and every setting
chosen, on the pool. Queries and gallery are the test titles; an image's own title is never in its list. Figures: P@10
(shares a label), nDCG@10 (gain is the Jaccard overlap), mAP@R, macro P@10 over labels, the most lists that one image
is in, and left-out labels: P@10 for labels that were hidden while learning, the mean over four halves, first seed.
Intervals of 95 % resample titles.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.files.atomic import digest_file, write_json
from attune.models.similarity.neighbour_lists import costs
from attune.models.similarity.neighbour_measures import ListMeasures, measure_lists
from attune.models.similarity.taste_learning import TasteSettings, principal_axes
from attune.models.similarity.taste_tuning import Tuned, halves, tune
from benchmarks.campaigns import load
from benchmarks.machine import machine
from benchmarks.printed import print_rows
from benchmarks.similarity import report
from benchmarks.similarity.methods import METHODS, TRAINED, Way, learn

Floats = npt.NDArray[np.float32]
HALVES = 2  # draws of hidden labels, two halves each


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the .npz")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", type=methods, default=list(METHODS), help=f"of {','.join(METHODS)}")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    begun = time.perf_counter()
    held, unlabelled = labelled(asked.data)
    pool, test = held["split"] == 0, held["split"] == 1
    held["axes"] = principal_axes(held["vectors"][pool], TasteSettings().components)
    tuned = Tuned(TasteSettings())
    if "attune" in asked.methods:
        tuned = tune(held["vectors"][pool], held["labels"][pool], held["title_ids"][pool], seed=0)
    lists = {name: list(_lists(name, held, tuned, asked.seeds)) for name in asked.methods}
    draws = report.draws_of(held["title_ids"][test].tolist())
    found, left_out = report.figures(lists, draws), {name: _left_out(name, held, tuned) for name in asked.methods}
    result = {
        "figures": found,
        "differences": report.differences(lists, draws),
        "left_out": left_out,
        "tuning": tuned.facts(),
        "data": {"file": asked.data.name, "sha256": digest_file(asked.data), "labels": held["label_names"].tolist()},
        "rows": {"pool": int(pool.sum()), "test": int(test.sum()), "without_labels": unlabelled},
        "seeds": asked.seeds,
        "machine": machine(),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    print(f"{pool.sum()} images to learn from, {test.sum()} to measure on, {unlabelled} without labels left out")
    print_rows(report.table(found, {name: float(np.mean(values)) for name, values in left_out.items()}))
    if result["differences"]:
        print_rows(result["differences"])
    if asked.json:
        write_json(asked.json, result)
    return result


def methods(text: str) -> list[str]:
    """The names in ``raw,ridge,attune``. Raises ArgumentTypeError for one that there is not."""
    names = text.split(",")
    unknown = sorted(set(names) - set(METHODS))
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no method {unknown[0]!r}; choose of {','.join(METHODS)}")
    return names


def labelled(path: Path) -> tuple[dict[str, Any], int]:
    """The file's rows that have a label, vectors as float32, and how many have none."""
    held = load(path)
    has = np.asarray(held["labels"]).sum(axis=1) > 0
    rows = {name: held[name][has] for name in ("title_ids", "vectors", "labels", "split")}
    rows["labels"] = rows["labels"].astype(np.float32)
    return rows | {"label_names": held["label_names"]}, int((~has).sum())


def _lists(name: str, held: dict[str, Any], tuned: Tuned, seeds: int) -> list[ListMeasures]:
    pool, test = held["split"] == 0, held["split"] == 1
    found = []
    for seed in range(seeds if name in TRAINED else 1):
        way = learn(name, held["axes"], held["vectors"][pool], held["labels"][pool], tuned.settings, seed)
        found.append(_seen(way, held, test, held["labels"][test]))
    return found


def _left_out(name: str, held: dict[str, Any], tuned: Tuned) -> list[float]:
    """P@10 for each hidden half of the labels, by a way that learned from the other half."""
    pool, test = held["split"] == 0, held["split"] == 1
    found = []
    for draw in range(HALVES):
        for known, hidden in halves(held["labels"].shape[1], draw):
            taught = held["labels"][:, known]
            rows = pool & (taught.sum(axis=1) > 0)
            way = learn(name, held["axes"], held["vectors"][rows], taught[rows], tuned.settings, 0)
            found.append(float(_seen(way, held, test, held["labels"][test][:, hidden], False).figure("precision")))
    return found


def _seen(
    way: Way, held: dict[str, Any], test: npt.NDArray[np.bool_], labels: Floats, whole: bool = True
) -> ListMeasures:
    vectors, titles = way.see(held["vectors"][test]), held["title_ids"][test]
    return measure_lists(vectors, titles, labels, costs(vectors, titles, way.hub_weight), whole)


if __name__ == "__main__":
    main()
