"""Peers on the same placebos, as their documentation uses them, run by a Python that has them.

Their pins clash with Attune's, so they are in an environment of their own: pyfixest, doubleml, econml.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from attune.models.evaluation.intervals import share_interval
from attune.models.insights.within_title import within_title
from benchmarks.insights.arms import Arms, attribute

SCRIPT = Path(__file__).with_name("peers_side.py")
PREVALENCE, LEVEL = 0.4, 0.05


def peers(arms: Arms, python: Path, draws: int, seed: int) -> list[dict[str, Any]]:
    """Rejections at 5 % of each peer; for pyfixest's clustered errors also the largest difference to ours."""
    rows, found = arms.outcomes, []
    for tied in (False, True):
        x = np.array([
            attribute(arms, PREVALENCE, tied, np.random.default_rng([seed, int(PREVALENCE * 100), tied, draw]))
            for draw in range(draws)
        ])  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            given, made = Path(folder) / "given.npz", Path(folder) / "made.json"
            np.savez(given, title=rows.title, impressions=rows.impressions, takes=rows.takes, rank=arms.rank, x=x)
            subprocess.run([str(python), str(SCRIPT), str(given), str(made)], check=True)
            results: dict[str, list[list[float]]] = json.loads(made.read_text())
        for name, values in results.items():
            rejected = sum(p < LEVEL for _, _, p in values)
            lo, hi = share_interval(rejected, len(values))
            found.append(
                {"method": name, "prevalence": PREVALENCE, "tied": tied, "draws": len(values),
                 "rejected": rejected / len(values), "lo": lo, "hi": hi,
                 "mean_estimate": float(np.mean([one[0] for one in values]))}
            )  # fmt: skip
        ours = [within_title(rows, column) for column in x[: len(results["pyfixest, clustered"])]]
        pairs = zip(ours, results["pyfixest, clustered"], strict=True)
        far = max(max(abs(a.estimate - b[0]), abs(a.se - b[1])) for a, b in pairs)
        found.append({"method": "largest difference to pyfixest, clustered", "tied": tied, "mean_estimate": far})
    keys = list(found[0])
    return [{key: one.get(key, "") for key in keys} for one in found]
