"""The methods by the names of the command line."""

from __future__ import annotations

import difflib
from typing import Any

from benchmarks.label_efficiency import classifiers, peers
from benchmarks.label_efficiency.ours import attune
from benchmarks.label_efficiency.state import Fit, Method, Query

PROBE_SUFFIX = "+attune_probe"
# Each peer with the classifier that its users would have.
PEERS: dict[str, tuple[Fit, Query]] = {
    "random": (classifiers.logistic_regression, peers.random),
    "modal_uncertainty": (classifiers.logistic_regression, peers.modal("uncertainty_sampling")),
    "modal_margin": (classifiers.logistic_regression, peers.modal("margin_sampling")),
    "modal_ranked_batch": (classifiers.logistic_regression, peers.modal("uncertainty_batch_sampling")),
    "skactiveml_uncertainty": (classifiers.logistic_regression, peers.skactiveml("UncertaintySampling")),
    "skactiveml_typiclust": (classifiers.logistic_regression, peers.skactiveml("TypiClust")),
    "skactiveml_probcover": (classifiers.logistic_regression, peers.skactiveml("ProbCover")),
    "skactiveml_badge": (classifiers.logistic_regression, peers.skactiveml("Badge")),
    "skactiveml_dropquery": (classifiers.logistic_regression, peers.skactiveml("DropQuery")),
    "skactiveml_coreset": (classifiers.logistic_regression, peers.skactiveml("CoreSet")),
    "va_four_feeds": (classifiers.cross_validated, peers.four_feeds),
    "agile_modeling": (classifiers.perceptron_with_random_negatives, peers.margin),
    "rocchio_few_shot": (classifiers.rocchio, peers.highest),
}
OURS: dict[str, dict[str, Any]] = {
    "attune": {},
    "attune_no_audit": {"audit_share": 0.0, "reserved_share": 0.0},
    "attune_catalogue": {"catalogue": True},
    "attune_margin": {"audit_share": 0.0, "reserved_share": 0.0, "strategy": "margin"},
}
NAMES = [*OURS, *PEERS, *(name + PROBE_SUFFIX for name in PEERS)]


def method(name: str) -> Method:
    """The method of this name. Raises ValueError with the near names."""
    if name in OURS:
        return attune(**OURS[name])
    base = name.removesuffix(PROBE_SUFFIX)
    if base not in PEERS:
        near = difflib.get_close_matches(name, NAMES, n=3) or NAMES
        raise ValueError(f"There is no method {name!r}. Near: {', '.join(near)}.")
    fit, query = PEERS[base]
    return Method(classifiers.AttuneProbe if name.endswith(PROBE_SUFFIX) else fit, query)
