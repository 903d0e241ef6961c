"""The benchmarks of similar posters and of recommendations: what is learned, measured, left out and said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from attune.models.recommend.history import History
from attune.models.similarity import taste_tuning
from attune.models.vectors.pool import unit_length
from benchmarks import campaigns
from benchmarks.recommend import __main__ as recommending
from benchmarks.recommend.simulated import simulate
from benchmarks.recommend.split import split
from benchmarks.similarity import __main__ as similarity
from benchmarks.similarity.methods import METHODS

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third of the titles are test titles; six rows have no label."""
    rng = np.random.default_rng(0)
    labels = (rng.random((300, 4)) < 0.4).astype(np.uint8)
    labels[labels.sum(axis=1) == 0, 0] = 1
    labels[::50] = 0
    x = unit_length(0.6 * labels @ rng.standard_normal((4, 16)) + rng.standard_normal((300, 16)))
    titles = np.array([f"t{number // 2:03d}" for number in range(300)])
    path = tmp_path_factory.mktemp("data") / "drawn.npz"
    np.savez(
        path,
        ids=np.array([f"a{number:03d}" for number in range(300)]),
        title_ids=titles,
        vectors=x.astype(np.float16),
        labels=labels,
        label_names=np.array(["one", "two", "three", "four"]),
        split=(np.arange(300) // 2 % 3 == 0).astype(np.uint8),
    )
    return path


@pytest.fixture(autouse=True)
def few_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALPHAS", "RIDGES"):
        monkeypatch.setattr(taste_tuning, name, (1.0,) if name == "RIDGES" else (36.0,))
    monkeypatch.setattr(taste_tuning, "FOLDS", 2)
    campaigns.load.cache_clear()


@pytest.mark.slow
def test_every_method_is_measured_beside_raw(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    similarity.main(["--data", str(data), "--seeds", "2", "--json", str(out)])
    result = json.loads(out.read_text())
    assert result["rows"] == {"pool": 196, "test": 98, "without_labels": 6}
    assert set(result["figures"]) == set(METHODS) == set(result["left_out"])
    assert {(row["attune minus"], row["figure"]) for row in result["differences"]} == {
        (other, figure)
        for other in ("raw", "ridge", "logistic")
        for figure in ("precision", "ndcg", "map_at_r", "macro_precision")
    }
    for row in result["figures"].values():
        assert row["precision"]["lo"] <= row["precision"]["value"] <= row["precision"]["hi"]
    assert result["figures"]["attune"]["map_at_r"]["value"] > result["figures"]["raw"]["map_at_r"]["value"]
    assert len(result["figures"]["attune"]["by_seed"]) == 2
    assert "6 without labels left out" in capsys.readouterr().out


def test_settings_never_depend_on_the_test_titles(data: Path, tmp_path: Path) -> None:
    with np.load(data) as held:
        arrays = dict(held)
    test = arrays["split"] == 1
    arrays["labels"] = arrays["labels"].copy()
    rows = np.flatnonzero(test & (arrays["labels"].sum(axis=1) > 0))
    arrays["labels"][rows] = arrays["labels"][np.random.default_rng(1).permutation(rows)]
    other = tmp_path / "other.npz"
    np.savez(other, **arrays)
    both = [similarity.main(["--data", str(path), "--seeds", "1", "--methods", "raw,attune"]) for path in (data, other)]
    assert both[0]["tuning"] == both[1]["tuning"]
    assert both[0]["figures"]["raw"] != both[1]["figures"]["raw"]


def test_made_up_viewers_are_said_to_be_made_up(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = recommending.main(["--data", str(data), "--simulate", "80", "--untuned"])
    assert result["simulated"] is True
    assert "SIMULATED" in capsys.readouterr().out
    methods = {(row["titles"], row["method"]): row for row in result["rows"]}
    assert {kind for kind, _ in methods} == {"warm", "cold"}
    assert {"random", "popularity", "item_knn", "genres", "raw", "taste"} <= {name for _, name in methods}
    assert methods["cold", "raw"]["hit_rate_lo"] <= methods["cold", "raw"]["hit_rate"]


def test_a_history_may_name_assets_or_titles(data: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = [f"u{user},{rng.choice(['a', 't'])}{int(rng.integers(150)):03d}" for user in range(60) for _ in range(20)]
    path = tmp_path / "history.csv"
    path.write_text("user,id\n" + "\n".join([*(rows[i] for i in rng.permutation(len(rows))), "u1,nothing"]) + "\n")
    result = recommending.main(["--data", str(data), "--history", str(path), "--untuned"])
    assert result["simulated"] is False
    assert result["history"] == {"likes": 1200, "viewers": 60, "left_out": 1}


def test_no_ones_future_and_no_hidden_title_is_learned_from() -> None:
    rng = np.random.default_rng(3)
    names = tuple(f"t{number}" for number in range(40))
    history = simulate(unit_length(rng.standard_normal((40, 8))), np.ones((40, 3), dtype=np.float32), names, 30, 0)
    hideable = np.arange(40) < 20
    parts = split(history, hideable)
    assert parts.before.at.max() < parts.moment <= parts.after.at.min()
    assert not (parts.warm & parts.cold).any()
    assert parts.cold.any()
    assert not parts.cold[parts.before.title].any()
    for case in parts.cases(parts.cold):
        assert parts.cold[case.later].all()
        assert not np.isin(case.later, case.liked).any()


def test_a_made_up_history_repeats_by_seed_and_each_title_comes_once_a_viewer() -> None:
    made = [
        simulate(np.eye(30, dtype=np.float32), np.ones((30, 2), dtype=np.float32), ("t",) * 30, 5, seed)
        for seed in (1, 1, 2)
    ]
    assert made[0].title.tolist() == made[1].title.tolist() != made[2].title.tolist()
    assert isinstance(made[0], History)
    assert (np.diff(made[0].at) >= 0).all()
