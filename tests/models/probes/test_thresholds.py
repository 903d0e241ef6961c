from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest

from attune.models.errors import DataError
from attune.models.probes.thresholds import Goal, choose_thresholds
from tests.models.evaluation.answered import CLASSES, audited_world

Floats = npt.NDArray[np.float64]


def reached(
    pool: Floats,
    truth: Floats,
    line: float,
) -> tuple[float, float]:
    above = pool[:, 0] >= line
    return float(truth[above].mean()), float(truth[above].sum() / truth.sum())


def test_a_line_for_a_stated_precision_keeps_it_mostly() -> None:
    kept = []
    for seed in range(12):
        labels, proba, inclusion, pool, truth = audited_world(seed, prevalence=0.25, strength=2.5, audits=150)
        found = choose_thresholds(labels, proba, inclusion, CLASSES, Goal("precision", 0.7), pool=pool)["romance"]
        assert found.probability is not None
        kept.append(reached(pool, truth, found.probability)[0] >= 0.7)
    assert np.mean(kept) >= 0.6


def test_a_line_for_a_stated_recall_and_its_interval() -> None:
    labels, proba, inclusion, pool, truth = audited_world(1, prevalence=0.25, strength=2.5, audits=150)
    found = choose_thresholds(labels, proba, inclusion, CLASSES, Goal("recall", 0.8, 0.5), pool=pool)["romance"]
    assert found.probability is not None
    precision, recall = reached(pool, truth, found.probability)
    assert recall == pytest.approx(0.8, abs=0.12)
    assert found.precision.lo is not None
    assert found.precision.hi is not None
    assert found.precision.lo <= precision <= found.precision.hi
    assert json.loads(json.dumps(found.to_dict()))["goal"] == "recall 0.8"


def test_being_surer_draws_a_higher_line() -> None:
    labels, proba, inclusion, pool, _ = audited_world(2, prevalence=0.3, strength=2.5, audits=150)
    lines = [
        choose_thresholds(labels, proba, inclusion, CLASSES, Goal("precision", 0.6, sure), pool=pool)[
            "romance"
        ].probability
        for sure in (0.5, 0.9)
    ]
    assert lines[0] is not None
    assert lines[1] is not None
    assert lines[1] > lines[0]


def test_what_no_line_reaches_is_said() -> None:
    labels, proba, inclusion, pool, _ = audited_world(3, prevalence=0.1, strength=0.3)
    found = choose_thresholds(labels, proba, inclusion, CLASSES, Goal("precision", 0.95), pool=pool)["romance"]
    assert found.probability is None
    assert found.reason.startswith("no threshold reaches precision 0.95: the best precision is 0.")
    assert found.recall.value is None


@pytest.mark.parametrize(
    ("figure", "value", "sure", "says"),
    [("accuracy", 0.9, 0.8, "figure: 'accuracy'"), ("recall", 1.0, 0.8, "recall: 1"), ("recall", 0.5, 0, "sure: 0")],
)
def test_a_goal_that_could_never_be_met_names_its_field(figure: str, value: float, sure: float, says: str) -> None:
    with pytest.raises(DataError, match=says):
        Goal(figure, value, sure)
