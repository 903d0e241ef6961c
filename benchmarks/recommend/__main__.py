"""Are recommendations by posters any good, and beside what?

    python -m benchmarks.recommend --data FILE.npz --history CSV --json OUT
    python -m benchmarks.recommend --data FILE.npz --simulate 2000 --json benchmarks/results/recommend.json

FILE is as in ``benchmarks.similarity``. CSV has the columns user, id (a title_id, or an asset id), and, where known,
rating (a like from 3.5 on) and timestamp. Without real histories, ``--simulate`` makes up viewers: that tests the code
and proves nothing, and the result says so. One moment splits the history for everybody. Warm titles were liked
before it; cold ones were not: new ones, and half of the test titles, whose earlier likes are hidden. The taste space is
learned from genres of the pool's titles, never from histories. Figures: share of viewers with a later like among ten
(hit rate) and nDCG@10, over each viewer's titles not yet liked; intervals of 95 % resample viewers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.models.errors import DataError
from attune.models.evaluation.intervals import percentile_interval
from attune.models.files.atomic import write_json
from attune.models.recommend import history_rows
from attune.models.recommend.by_vectors import recommend, title_vectors
from attune.models.similarity.taste_learning import TasteSettings, learn_space
from attune.models.similarity.taste_tuning import tune
from attune.models.vectors.pool import unit_length
from benchmarks.campaigns import load
from benchmarks.machine import machine
from benchmarks.printed import print_rows
from benchmarks.recommend.methods import Scorer, scorers
from benchmarks.recommend.simulated import simulate
from benchmarks.recommend.split import Split, split

Floats = npt.NDArray[np.float32]
TEN, MOST_VIEWERS, DRAWS = 10, 3000, 1000


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the .npz")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--history", type=Path, help="a CSV with user, id, rating, timestamp")
    source.add_argument("--simulate", type=int, metavar="VIEWERS", help="make up so many viewers instead")
    parser.add_argument("--untuned", action="store_true", help="learn the taste space with the default settings")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    begun = time.perf_counter()
    held = load(asked.data)
    names, title = np.unique(held["title_ids"], return_inverse=True)
    title, labels = title.reshape(-1), held["labels"].astype(np.float32)
    raw = title_vectors(unit_length(held["vectors"]), title, len(names))
    genres = np.zeros((len(names), labels.shape[1]), dtype=np.float32)
    np.maximum.at(genres, title, labels)
    if asked.simulate:
        history = simulate(raw, genres, tuple(names.tolist()), asked.simulate, seed=0)
    else:
        read = history_rows.read(asked.history.read_bytes(), _titles(held))
        history = history_rows.likes(read, names.tolist())
    test = np.zeros(len(names), dtype=bool)
    test[title[held["split"] == 1]] = True
    parts = split(history, test)
    taste = title_vectors(_taste(held, labels, asked.untuned), title, len(names))
    rows = list(_measured(parts, dict(scorers(parts, genres, raw, taste))))
    result = {
        "rows": rows,
        "simulated": bool(asked.simulate),
        "history": {"likes": len(history), "viewers": len(history.users), "left_out": history.left_out},
        "titles": {"warm": int(parts.warm.sum()), "cold": int(parts.cold.sum())},
        "machine": machine(),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    if asked.simulate:
        print("SIMULATED viewers: how much posters help was put in. This tests the code and says nothing of people.")
    print_rows([{name: row[name] for name in ("titles", "method", "viewers", "hit_rate", "ndcg")} for row in rows])
    if asked.json:
        write_json(asked.json, result)
    return result


def _titles(held: dict[str, Any]) -> dict[str, str]:
    """The title that each asset id and title id names; a title's name goes first."""
    titles = held["title_ids"].tolist()
    return dict(zip(held["ids"].tolist(), titles, strict=True)) | dict(zip(titles, titles, strict=True))


def _taste(held: dict[str, Any], labels: Floats, untuned: bool) -> Floats:
    """All artwork in the taste space that the pool's genres teach."""
    pool = (held["split"] == 0) & (labels.sum(axis=1) > 0)
    x, taught = held["vectors"][pool], labels[pool]
    settings = TasteSettings() if untuned else tune(x, taught, held["title_ids"][pool]).settings
    return learn_space(x, taught, settings).vectors(held["vectors"])


def _measured(parts: Split, ways: dict[str, Scorer]) -> Any:
    for kind, among in (("warm", parts.warm), ("cold", parts.cold)):
        cases = list(parts.cases(among))[:MOST_VIEWERS]
        if not cases:
            raise DataError(
                f"No viewer with three likes before the moment liked a {kind} title after it. Use a longer history."
            )
        weights = np.random.default_rng(69).multinomial(len(cases), np.full(len(cases), 1 / len(cases)), size=DRAWS)
        for name, scorer in ways.items():
            figures = np.array(
                [_figures(recommend(scorer(case), case.liked, TEN, among), case.later) for case in cases]
            )
            row: dict[str, Any] = {"titles": kind, "method": name, "viewers": len(cases)}
            for place, figure in enumerate(("hit_rate", "ndcg")):
                value = float(figures[:, place].mean())
                lo, hi = percentile_interval(weights @ figures[:, place] / len(cases), value)
                row |= {figure: value, f"{figure}_lo": lo, f"{figure}_hi": hi}
            yield row


def _figures(ten: npt.NDArray[np.intp], later: npt.NDArray[np.intp]) -> tuple[float, float]:
    discount = 1 / np.log2(np.arange(2, TEN + 2))
    hits = np.isin(ten, later)
    return float(hits.any()), float((hits * discount[: len(hits)]).sum() / discount[: len(later)].sum())


if __name__ == "__main__":
    main()
