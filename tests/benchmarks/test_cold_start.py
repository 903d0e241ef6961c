"""The cold start's bookkeeping: the counts asked for, audits counted, wordings apart from what has none."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.vectors.pool import Pool, unit_length
from benchmarks.cold_start import COUNTS, World, campaigns, summarise


def small() -> World:
    rng = np.random.default_rng(0)
    y = rng.random(400) < 0.3
    x = unit_length(rng.normal(size=(400, 12)) + np.where(y, 1.2, -0.2)[:, None])
    names = np.array([f"a{i}" for i in range(300)])
    pool = Pool(names, np.array([f"t{i // 2}" for i in range(300)]), (x[:300],))
    towards, away = unit_length(np.ones((1, 12))), unit_length(rng.normal(size=(1, 12)))
    others = rng.random((2, 300)) < 0.3
    return World(pool, y[:300], x[300:], y[300:], ((towards, away), (away, towards)), others)


@pytest.mark.slow
def test_every_method_is_measured_at_every_count_and_phrases_help_where_they_are_true() -> None:
    rows = [
        {
            "attribute": "x",
            "seed": seed,
            "method": method,
            "wording": wording,
            "answers": answers,
            "average_precision": ap,
        }
        for seed in range(1)
        for method, wording, campaign in campaigns(small(), seed)
        for answers, ap in campaign
    ]
    per_method = {(row["method"], row["wording"], row["seed"]) for row in rows}
    assert len(rows) == len(per_method) * len(COUNTS)
    assert len(per_method) == 3 * 2 + 4
    told = {(line["method"], line["answers"]): line for line in summarise(rows)}
    first, last = told["attune, phrases", 0], told["attune, phrases", 50]
    assert first["best_wording"] > 0.8 > first["worst_wording"]
    assert last["average_precision"] > first["average_precision"]
    assert told["attune, nothing", 0]["average_precision"] == told["random", 0]["average_precision"]
    assert told["attune, 3 examples", 0]["average_precision"] > told["random", 0]["average_precision"]
