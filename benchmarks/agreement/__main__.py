"""What several experts are worth: soft labels, consensus, reliability, second opinions and panel parity.

    python -m benchmarks.agreement --data ../shared/bench --seeds 10 --json OUT

``votes``: the ten votes of ferplus.npz. With the same number of answers, a probe learns from one random answer on each
of A images, or from three on each of A / 3: their majority, their shares as soft labels, or ``consensus`` (soft labels
and weights). ``alpha``: over pseudo-raters, a random seating of the ten votes, as the raters are not identified.
``experts``: simulated people of known confusion over real vectors and the true labels. ``weighing``: whether a probe
gains where answers of an unreliable expert count less (half as many seeds). ``beside``: how soon one whom the probe
contradicts on the audit is named.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attune.models.files.atomic import write_json
from benchmarks.agreement.beside import FIRST_SEED, beside_rows, beside_summary
from benchmarks.agreement.experts import expert_rows, expert_summary
from benchmarks.agreement.votes import alpha_rows, vote_rows, vote_summary
from benchmarks.agreement.weighing import weighing_rows, weighing_summary
from benchmarks.machine import machine
from benchmarks.printed import print_rows


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print tables, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the .npz files")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    begun = time.perf_counter()
    votes = [row for seed in range(asked.seeds) for row in vote_rows(asked.data, seed)]
    experts = [row for seed in range(asked.seeds) for row in expert_rows(asked.data, seed)]
    weighing = [row for seed in range((asked.seeds + 1) // 2) for row in weighing_rows(asked.data, seed)]
    fresh = range(FIRST_SEED, FIRST_SEED + asked.seeds)
    beside = [row for seed in fresh for row in beside_rows(asked.data, seed)]
    result = {
        "votes": {"summary": vote_summary(votes), "rows": votes},
        "alpha": alpha_rows(asked.data),
        "experts": {"summary": expert_summary(experts), "rows": experts},
        "weighing": {"summary": weighing_summary(weighing), "rows": weighing},
        "beside": {"summary": beside_summary(beside), "rows": beside},
        "seeds": asked.seeds,
        "machine": machine(),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    print_rows(result["alpha"])
    for part in ("votes", "experts", "weighing", "beside"):
        print_rows(result[part]["summary"])
    if asked.json:
        write_json(asked.json, result)
    return result


if __name__ == "__main__":
    main()
