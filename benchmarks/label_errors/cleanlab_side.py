"""Cleanlab's rankings, by cleanlab itself: a script for a Python that has it, as its pins are not ours.

    PYTHON cleanlab_side.py IN.npz OUT.npz

IN has for each problem i ``votes_i`` (n, experts) int, -1 where an expert gave no label, and ``probs_i_NAME``
(n, classes) out-of-sample probabilities. OUT has for each of these and each of cleanlab's methods ``i|NAME|METHOD``
(n, experts): how likely each label is wrong, higher first; and ``version``.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np

SCORES = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def single(labels: Any, probs: Any) -> dict[str, Any]:
    """By method, (n, 1): the three label quality scores, and the issues that confident learning finds put first."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    scores = {}
    for method in SCORES:
        scores[method] = -get_label_quality_scores(labels, probs, method=method)
    issues = find_label_issues(labels, probs, n_jobs=1)  # prune_by_noise_rate, its default
    scores["find_label_issues"] = scores["self_confidence"] + 2.0 * issues
    return {name: score[:, None] for name, score in scores.items()}


def several(votes: Any, probs: Any) -> dict[str, Any]:
    """By method, (n, experts): CROWDLAB's quality of each given label, and each label's self-confidence alone."""
    from cleanlab.multiannotator import get_label_quality_multiannotator

    found = get_label_quality_multiannotator(np.where(votes < 0, np.nan, votes.astype(float)), probs, verbose=False)
    alone = np.take_along_axis(probs, np.maximum(votes, 0), axis=1)
    return {"crowdlab": -found["detailed_label_quality"].to_numpy(dtype=float), "self_confidence": -alone}


def main(source: str, target: str) -> None:
    """Rank every problem of ``source`` into ``target``."""
    import cleanlab

    warnings.simplefilter("ignore")
    out: dict[str, Any] = {"version": np.array(cleanlab.__version__)}
    with np.load(source, allow_pickle=False) as file:
        for key in file.files:
            if not key.startswith("probs_"):
                continue
            _, number, name = key.split("_", 2)
            votes = file[f"votes_{number}"]
            scores = single(votes[:, 0], file[key]) if votes.shape[1] == 1 else several(votes, file[key])
            out |= {f"{number}|{name}|{method}": score for method, score in scores.items()}
    np.savez(target, allow_pickle=False, **out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="IN.npz")
    parser.add_argument("target", metavar="OUT.npz")
    options = parser.parse_args()
    main(options.source, options.target)
