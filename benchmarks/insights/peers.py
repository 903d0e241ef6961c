"""Peers on the same placebos and on what a probe says, as their documentation uses them, by a Python that has them.

Their pins clash with Attune's, so they are in an environment of their own: pyfixest, doubleml, econml.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from attune.models.insights.within_title import within_title
from benchmarks.insights.arms import Arms, attribute
from benchmarks.insights.placebo import LEVEL, PREVALENCES, rejections
from benchmarks.insights.probe_errors import EFFECT, PROBES, summary, world
from benchmarks.insights.record import Told

SCRIPT = Path(__file__).with_name("peers_side.py")
FAR = "largest difference to pyfixest, clustered"


def peers(
    arms: Arms, python: Path, draws: int, seed: int, only: Collection[str] = (), kept: Path | None = None
) -> list[dict[str, Any]]:
    """Rejections at 5 % of each peer, at each prevalence (``only`` these, as ``0.1``, if any), tied to popularity and
    not; for pyfixest's clustered errors also the largest difference to ours. ValueError: ``only`` names no prevalence
    of the placebos."""
    strange = set(only) - {str(one) for one in PREVALENCES}
    if strange:
        known = " or ".join(map(str, PREVALENCES))
        raise ValueError(f"No placebos at {', '.join(sorted(strange))}: --setting is {known}.")
    found = []
    for prevalence in PREVALENCES:
        for tied in (False, True):
            if not only or str(prevalence) in only:
                found += _placebos(arms, python, draws, seed, prevalence, tied, kept)
    return found


def _placebos(
    arms: Arms, python: Path, draws: int, seed: int, prevalence: float, tied: bool, kept: Path | None
) -> list[dict[str, Any]]:
    rows = arms.outcomes
    x = np.array([
        attribute(arms, prevalence, tied, np.random.default_rng([seed, int(prevalence * 100), tied, draw]))
        for draw in range(draws)
    ])  # fmt: skip
    at = "" if prevalence == 0.4 else f"{prevalence}-"  # older folders are of 40 % and do not say so
    results = _ask(arms, python, kept, f"placebo-{at}{tied}-{seed}", x, np.array([rows.takes] * draws))
    setting = {"prevalence": prevalence, "tied": tied}
    found = [
        {"method": name} | setting | rejections([(estimate, p) for estimate, _, p in told])
        for name, told in results.items()
    ]
    clustered = results["pyfixest, clustered"]
    pairs = zip((within_title(rows, column) for column in x[: len(clustered)]), clustered, strict=True)
    far = max(max(abs(a.estimate - b[0]), abs(a.se - b[1])) for a, b in pairs)
    return [*found, dict.fromkeys(found[0], "") | {"method": FAR} | setting | {"mean_estimate": far}]


def of_before(file: Path, seed: int, only: Collection[str]) -> dict[str, Any]:
    """The rows of other prevalences than ``only`` that ``file`` has, if it is there, and the seconds it took.
    ValueError: it has another seed, or another part's rows."""
    if not file.is_file():
        return {"peers": []}
    old = json.loads(file.read_text())
    if (old["part"], old["seed"]) != ("placebo", seed):
        raise ValueError(f"{file} is of part {old['part']}, seed {old['seed']}: give --json another file.")
    rows = [row for row in old["peers"] if str(row["prevalence"]) not in only]
    return {"peers": rows, "seconds_before": old["seconds"] + old.get("seconds_before", 0)}


def peers_of_probes(
    arms: Arms, python: Path, campaigns: int, seed: int, only: Collection[str] = (), kept: Path | None = None
) -> list[dict[str, Any]]:
    """Coverage of each peer that takes what the probe says, above 0.5, as the attribute: the campaigns of
    ``probe_errors.error``. The logarithm of the rate is what DoubleML and EconML explain, so all tell ``EFFECT``."""
    found = []
    for number, (name, probe) in enumerate(PROBES.items()):
        if only and name not in only:
            continue
        drawn = [world(arms, probe, np.random.default_rng([seed, number, draw])) for draw in range(campaigns)]
        says = np.array([score >= 0 for _, _, score in drawn], dtype=np.float64)
        takes = np.array([rows.takes for _, rows, _ in drawn])
        results = _ask(arms, python, kept, f"{name}-{seed}".replace(" ", "-"), says, takes, logarithm=True)
        half = float(norm.isf(LEVEL / 2))
        for method, values in results.items():
            told = [Told(method, b, se, b - half * se, b + half * se, p, EFFECT) for b, se, p in values]
            found.append({"setting": name, "method": method} | summary(told))
    return found


def _ask(
    arms: Arms, python: Path, kept: Path | None, name: str, x: Any, takes: Any, logarithm: bool = False
) -> dict[str, list[list[float]]]:
    """Estimate, error and p of each method and draw of ``x`` and ``takes`` (draws, n). What the peers said is in the
    folder ``kept``, if any, and is not asked again."""
    rows = arms.outcomes
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.npz", (kept or Path(folder)) / f"{name}.jsonl"
        np.savez(given, title=rows.title, impressions=rows.impressions, takes=takes, rank=arms.rank, x=x,
                 logarithm=logarithm)  # fmt: skip
        subprocess.run([str(python), str(SCRIPT), str(given), str(made)], check=True)
        lines = [json.loads(line) for line in made.read_text().splitlines()]
    results: dict[str, list[list[float]]] = {}
    for one in sorted(lines, key=lambda one: int(one["draw"])):
        if one["draw"] < len(x):
            results.setdefault(one["method"], []).append(one["told"])
    return results
