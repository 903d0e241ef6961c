"""Do the insights hold on real randomised tests, and beside the usual analyses?

    python -m benchmarks.insights --part placebo --json benchmarks/results/insights_placebo.json
    python -m benchmarks.insights --part error --json benchmarks/results/insights_error.json
    python -m benchmarks.insights --part error --peers PYTHON --kept FOLDER
    python -m benchmarks.insights --part placebo --peers PYTHON --setting 0.1 --json FILE
    python -m benchmarks.insights --part members --json benchmarks/results/insights_members.json
    python -m benchmarks.insights --part scale --rows 10000000
    python -m benchmarks.insights --part scale --rows 100000000 --weeks 10
    python -m benchmarks.insights --part titles --rows 10000000

Parts: ``placebo``: made-up attributes, rejections at 5 % (400 draws x 2 prevalences x 2 ties to popularity, then few
titles). ``fdr``: 100 attributes tied to popularity, 20 true of 3 to 10 %. ``ratio``: the sample ratio check.
``curse``: one half of the titles names the best image, the other half measures it. ``error``: attributes that a probe
says, corrected by 465 audits, 300 campaigns for each probe. ``bandit``: served and explore rows of simulated titles
whose truth is known. ``scale``: import, checks and effects of made-up rows; ``titles``: pages of titles beside as many.
``faces``: faces counted on montages of photographs, and images measured a second. ``members``: planted groups of
members, found by viewing and by response, and forecasts of their shares of titles that nobody watched. ``weekly``: a
question about nothing, answered every week for 12 weeks. ``interactions``: whether an effect depends on another
attribute, planted and not, and what it is with the other held. ``checks``: detectors whose classes people checked, 60
and 240 times, 300 campaigns for each.
``--setting`` of peers on placebos is the prevalence; the other one's rows stay in FILE.
``--data`` is the folder with ``arms.csv`` (22,666 arms of 4,873 tests; its README says where
it is from).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attune.models.files.atomic import write_json
from benchmarks.insights import arms, bandit, checks, discoveries, interactions, placebo, probe_errors, weekly, winners
from benchmarks.insights.record import Record
from benchmarks.machine import machine
from benchmarks.printed import print_rows

DATA = Path("../shared/experiments")
PHOTOS = Path("../shared/photos/images")
ONLY = "for error, interactions, checks, peers on placebos (0.1): only this, repeatable"
PARTS = (
    "placebo", "fdr", "ratio", "curse", "error", "bandit", "scale", "faces", "members", "weekly", "interactions",
    "checks", "titles",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure one part, print its tables, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, required=True)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with arms.csv")
    parser.add_argument("--draws", type=int, help="draws, runs, splits or campaigns; default: 400, 50, 20, 300, 10")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="for faces: a folder of .jpg, one person each")
    parser.add_argument("--setting", action="append", default=[], help=ONLY)
    parser.add_argument("--rows", type=int, default=10_000_000, help="for scale, titles")
    parser.add_argument("--weeks", type=int, default=1, help="for scale, titles: in which the rows were measured")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="for placebo, error: only peers, by this")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="for --peers: what they said; go on there")
    parser.add_argument("--record", type=Path, help="for error, checks, interactions: what ended; go on there")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    begun = time.perf_counter()
    result: dict[str, Any] = {"part": asked.part, "seed": asked.seed}
    result |= _measure(asked)
    result |= {"seconds": time.perf_counter() - begun, "machine": machine()}
    for name in ("rows", "growth", "few_titles", "peers", "forecasts"):
        if result.get(name):
            print_rows(result[name])
    if asked.json:
        write_json(asked.json, result)
    return result


def _measure(asked: argparse.Namespace) -> dict[str, Any]:
    if asked.part == "faces":
        from benchmarks.insights.face_counts import count_faces

        return {"rows": count_faces(asked.photos, asked.draws or 300, asked.seed)}
    if asked.part in ("scale", "titles"):
        from benchmarks.insights.scale import PAGES, WHOLE, scale

        return scale(asked.rows, asked.seed, asked.weeks, PAGES if asked.part == "titles" else WHOLE)
    if asked.part == "members":
        from benchmarks.insights import members

        runs = asked.draws or members.RUNS
        return {"rows": members.groups(runs, asked.seed), "forecasts": members.forecasts(runs, asked.seed)}
    if asked.part == "bandit":
        return {"rows": bandit.bandit(asked.draws or bandit.RUNS, asked.seed)}
    tests = arms.load(asked.data / "arms.csv")
    if asked.peers:
        return _peers(tests, asked)
    if asked.part == "placebo":
        draws = asked.draws or 400
        return {
            "rows": placebo.placebo(tests, draws, asked.seed),
            "few_titles": placebo.few_titles(tests, draws, asked.seed),
        }
    if asked.part == "fdr":
        return {"rows": discoveries.fdr(tests, asked.draws or 50, asked.seed)}
    if asked.part == "weekly":
        return {"rows": weekly.weekly(tests, asked.draws or 400, asked.seed)}
    kept = Record(asked.record)
    if asked.part == "interactions":
        return {"rows": interactions.interactions(tests, asked.draws or 400, asked.seed, asked.setting, kept)}
    if asked.part == "error":
        return {"rows": probe_errors.error(tests, asked.draws or 300, asked.seed, asked.setting, kept)}
    if asked.part == "checks":
        return {"rows": checks.checks(tests, asked.draws or 300, asked.seed, asked.setting, kept)}
    return {
        "rows": winners.ratio(tests) if asked.part == "ratio" else winners.curse(tests, asked.draws or 20, asked.seed)
    }


def _peers(tests: arms.Arms, asked: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.insights.peers import of_before, peers, peers_of_probes

    draws = asked.draws or 50
    if asked.part == "error":
        return {"peers": peers_of_probes(tests, asked.peers, draws, asked.seed, asked.setting, asked.kept)}
    before = of_before(asked.json, asked.seed, asked.setting) if asked.json and asked.setting else {"peers": []}
    found = peers(tests, asked.peers, draws, asked.seed, asked.setting, asked.kept)
    return before | {"peers": sorted(before["peers"] + found, key=lambda row: float(row["prevalence"]))}


if __name__ == "__main__":
    main()
