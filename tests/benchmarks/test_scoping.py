"""The benchmark of scoping: halves apart, the expert's acts counted, and the worth read from the curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attune.models.scope.group_settings import GroupSettings
from attune.models.vectors.pool import unit_length
from benchmarks import scoping
from benchmarks.scoping import ANSWERS, Cell


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two attributes over 500 images of five kinds."""
    rng = np.random.default_rng(0)
    kind = rng.integers(5, size=500)
    vectors = unit_length(np.eye(16)[kind] + rng.normal(scale=0.25, size=(500, 16)))
    labels = np.stack([vectors[:, 0] + vectors[:, 1] > 0.6, vectors[:, 2] > 0.5], axis=1).astype(np.uint8)
    ids, titles = np.arange(500).astype(str), np.array([f"t{n // 2}" for n in range(500)])
    path = tmp_path_factory.mktemp("bench") / "kinds.npz"
    split = (np.arange(500) // 2) % 3 == 0
    np.savez(path, ids=ids, title_ids=titles, vectors=vectors.astype(np.float16), labels=labels,
             label_names=np.array(["warm", "tall"]), split=split.astype(np.uint8))  # fmt: skip
    return str(path)


def test_settings_are_chosen_on_other_attributes_and_seeds_than_those_reported(data: str) -> None:
    tune, report = (
        {(one.attribute, one.seed) for one in scoping.cells([data], half, 2)} for half in ("tune", "report")
    )
    assert {name for name, _ in tune} == {"warm"}
    assert {name for name, _ in report} == {"tall"}
    assert not {seed for _, seed in tune} & {seed for _, seed in report}


def test_what_the_expert_does_is_counted(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoping, "ANSWERS", (0, 10))
    rows = scoping.rows_of(Cell(data, "warm", 0), GroupSettings(band=120))
    by_way = {row["method"]: row for row in rows}
    assert [row["answers"] for row in rows if row["method"] == "single"] == [0, 10]
    assert (by_way["pages"]["answers"], by_way["pages"]["decisions"]) == (120, 10)
    one = by_way["scoping"]
    assert 0 < one["decisions"] <= 10
    assert 6 * one["decisions"] <= one["answers"] <= 12 * one["decisions"]
    assert 0 <= one["ticks"] < one["answers"]


def rows(scores: dict[int, float], mine: float) -> list[dict[str, Any]]:
    shared = {"data": "d", "ticks": 0, "decisions": 0}
    places = [(name, seed) for name in ("a", "b") for seed in (0, 1)]
    singles = [
        shared | {"method": "single", "attribute": name, "seed": seed, "answers": n, "average_precision": score}
        for name, seed in places
        for n, score in scores.items()
    ]
    decided = {"method": "scoping", "answers": 120, "average_precision": mine}
    return singles + [shared | decided | {"attribute": name, "seed": seed} for name, seed in places]


def test_the_worth_is_where_the_curve_of_single_answers_reaches_it() -> None:
    scores = {n: 0.3 + n / 1000 for n in ANSWERS}
    assert scoping.worth(rows(scores, 0.36)) == pytest.approx(60)
    assert scoping.worth(rows(scores, 0.9)) == ANSWERS[-1]
    ahead = {one["way"]: one for one in scoping.compared(rows(scores, 0.36))}
    assert ahead["single 50"]["ahead"] == pytest.approx(0.01)
    assert ahead["single 50"]["wins"] == 1
    assert ahead["single 100"]["hi"] < 0
