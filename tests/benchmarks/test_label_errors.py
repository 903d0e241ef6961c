"""The label-error benchmark: errors are planted as said, and every ranking is held against the same labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from attune.models.labels.panel import NO_VOTE
from benchmarks.label_errors import __main__ as benchmark
from benchmarks.label_errors.problems import Problem, problems


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two attributes that the vectors show well; the ids are in no order."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 16))
    ids = np.array([f"a{number:03d}" for number in rng.permutation(120)])
    labels = (x[:, :2] > 0).astype(np.uint8)
    path = tmp_path / "drawn.npz"
    np.savez(
        path, ids=ids, title_ids=ids, vectors=x.astype(np.float16), labels=labels, label_names=np.array(["one", "two"])
    )
    return path


def made(data: Path, half: str = "report") -> list[Problem]:
    return list(problems([data], half, [100], [0.05, 0.15], 2))


def test_as_many_errors_are_planted_as_said_on_the_half_that_was_asked_for(data: Path) -> None:
    found = made(data)
    assert {one.attribute for one in found} == {"two"}
    assert {one.attribute for one in made(data, "choose")} == {"one"}
    assert [int(one.wrong.sum()) for one in found if one.kind == "5%"] == [5, 5]
    assert [int(one.wrong.sum()) for one in found if one.kind == "15%"] == [15, 15]
    experts = [one for one in found if one.kind == "experts"]
    assert all(((one.votes != NO_VOTE).sum(axis=1) >= 1).all() for one in experts)
    assert not np.array_equal(experts[0].votes, experts[1].votes)


def test_both_sets_of_probabilities_are_those_of_the_labels_they_stand_beside(data: Path) -> None:
    """Once one of them was in another order than the labels, and looked far worse than it is."""
    for problem in made(data):
        if problem.kind != "5%":
            continue
        truth: NDArray[np.intp] = np.where(problem.wrong, 1 - problem.votes, problem.votes)[:, 0]
        for name, probabilities in benchmark.ours(problem)[1].items():
            assert (probabilities.argmax(axis=1) == truth).mean() > 0.8, name


def test_figures_are_of_the_ranking_and_a_perfect_one_is_perfect(data: Path) -> None:
    problem = made(data)[0]
    perfect = benchmark.row_of(problem, "perfect", problem.wrong.astype(float))
    worst = benchmark.row_of(problem, "worst", -problem.wrong.astype(float))
    assert (perfect["average_precision"], perfect["precision_at_k"], perfect["precision_at_20"]) == (1.0, 1.0, 0.25)
    assert worst["precision_at_k"] == 0.0
