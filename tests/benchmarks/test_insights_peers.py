"""Other libraries are asked at both prevalences, from what they said before where a folder has it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from attune.models.insights.outcomes import outcomes
from benchmarks.insights.arms import Arms
from benchmarks.insights.peers import of_before, peers
from benchmarks.insights.peers_side import PEERS

TITLES = 120
KEPT = {"0.1": ("placebo-0.1-False-0", "placebo-0.1-True-0"), "0.4": ("placebo-False-0", "placebo-True-0")}


@pytest.fixture(name="arms", scope="module")
def _arms() -> Arms:
    title = np.repeat(np.arange(TITLES), 4)
    rng = np.random.default_rng(0)
    shown = np.full(len(title), 1000.0)
    rows = outcomes(np.arange(len(title)), title, title * 0, shown, rng.binomial(1000, 0.05, len(title)).astype(float))
    return Arms(rows, title.astype(str), title / (TITLES - 1))


def test_each_prevalence_has_its_own_rows_and_kept_folders_of_before_are_read(arms: Arms, tmp_path: Path) -> None:
    for setting, names in KEPT.items():
        for name in names:
            told = [float(setting), 0.1, 0.01]
            lines = [json.dumps({"draw": 0, "method": method, "told": told}) for method in PEERS]
            cut = '{"draw": 0, "meth'  # by a kill
            (tmp_path / f"{name}.jsonl").write_text("\n".join([*lines, cut]))
    both = peers(arms, Path(sys.executable), 1, 0, kept=tmp_path)
    assert [(row["prevalence"], row["tied"]) for row in both[:: len(PEERS) + 1]] == [
        (0.1, False), (0.1, True), (0.4, False), (0.4, True)
    ]  # fmt: skip
    said = [row for row in both if row["draws"] == 1]
    assert len(said) == 4 * len(PEERS)
    assert all((row["mean_estimate"], row["rejected"]) == (row["prevalence"], 1) for row in said)
    with pytest.raises(ValueError, match=r"No placebos at 0\.2: --setting is 0\.1 or 0\.4"):
        peers(arms, Path(sys.executable), 1, 0, ["0.2"])

    file = tmp_path / "made.json"
    assert of_before(file, 0, ["0.1"]) == {"peers": []}
    file.write_text(json.dumps({"part": "placebo", "seed": 0, "seconds": 3.0, "peers": both}))
    before = of_before(file, 0, ["0.1"])
    assert before == {"peers": both[len(both) // 2 :], "seconds_before": 3.0}
    assert peers(arms, Path(sys.executable), 1, 0, ["0.1"], tmp_path) + before["peers"] == both
    with pytest.raises(ValueError, match="give --json another file"):
        of_before(file, 1, ["0.1"])
