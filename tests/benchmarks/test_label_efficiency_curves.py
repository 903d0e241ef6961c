"""The drawn curves compare methods on the campaigns that all of them ran, and say so where one ran none."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.label_efficiency.curves import PANELS, common


def row(method: str, seed: int, labels: int, value: float) -> dict[str, Any]:
    told = {"method": method, "data": "d", "attribute": "a", "seed": seed, "batch": 1}
    return {**told, "labels": labels, "average_precision": value}


def test_only_campaigns_that_every_method_ran_are_drawn() -> None:
    names = [name for name, *_ in PANELS[1]]
    rows = [row(name, seed, labels, 0.1 * seed) for name in names for seed in (1, 2) for labels in (20, 40)]
    rows += [row("attune", 9, labels, 0.9) for labels in (20, 40)]  # a seed that the others never ran
    means, campaigns = common(rows, 1)
    assert campaigns == 2
    assert means["attune"] == pytest.approx({20: 0.15, 40: 0.15})


def test_a_method_without_campaigns_is_named() -> None:
    with pytest.raises(ValueError, match="modal_margin, random"):
        common([row("attune", 1, 20, 0.5)], 1)
