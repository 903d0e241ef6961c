"""The benchmark itself: every method runs, starts alike and counts what it asked; a stopped run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.label_efficiency.__main__ import main
from benchmarks.label_efficiency.campaign import Cell, run
from benchmarks.label_efficiency.methods import NAMES
from benchmarks.label_efficiency.report import compare
from benchmarks.label_efficiency.tasks import load

pytestmark = pytest.mark.torch


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    labels = (rng.random((400, 2)) < 0.2).astype(np.uint8)
    centres = rng.standard_normal((2, 16))
    vectors = labels @ centres + 1.2 * rng.standard_normal((400, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    path = tmp_path / "drawn.npz"
    np.savez(
        path,
        ids=np.array([f"i{i}" for i in range(400)]),
        title_ids=np.array([f"t{i // 2}" for i in range(400)]),
        vectors=vectors.astype(np.float16),
        labels=labels,
        label_names=np.array(["red", "round"]),
        split=(np.arange(400) // 2 % 2).astype(np.uint8),
    )
    return path


@pytest.mark.parametrize("name", NAMES)
def test_every_method_asks_each_image_once_and_is_measured_every_twenty_labels(name: str, data: Path) -> None:
    rows = run(Cell(name, str(data), "red", seed=0, batch=20, budget=60))
    assert [row["labels"] for row in rows] == [20, 40, 60]
    assert all(0 < row["average_precision"] <= 1 for row in rows)


def test_all_methods_start_with_the_same_three_positives_and_seventeen_random_images(data: Path) -> None:
    task = load(data, "red")
    start = task.start(3)
    assert task.y[start[:3]].tolist() == [1, 1, 1]
    assert len(set(start.tolist())) == 20
    np.testing.assert_array_equal(start, load(data, "red").start(3))
    assert start.tolist() != task.start(4).tolist()


def test_a_stopped_run_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ["--data", str(data), "--budget", "40", "--jobs", "1", "--methods", "random,modal_margin"]
    first = CliRunner().invoke(main, [*arguments, "--seeds", "1", "--json", str(out)])
    assert first.exit_code == 0, first.output
    journal = out.with_suffix(".rows.jsonl")
    kept = journal.read_text().splitlines()
    journal.write_text("\n".join(kept[:2]) + "\n" + '{"half a row')
    again = CliRunner().invoke(main, [*arguments, "--seeds", "2", "--json", str(out)])
    assert again.exit_code == 0, again.output
    rows = json.loads(out.read_text())["rows"]
    keys = [(r["method"], r["attribute"], r["seed"], r["labels"]) for r in rows]
    assert len(keys) == len(set(keys)) == 2 * 2 * 2 * 2
    assert [json.loads(line) for line in journal.read_text().splitlines()] == rows


def test_an_unknown_method_or_attribute_is_refused_with_the_names_there_are(data: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out.json")
    wrong = CliRunner().invoke(main, ["--data", str(data), "--methods", "atune", "--json", out])
    assert wrong.exit_code == 2
    assert "attune" in wrong.output
    other = CliRunner().invoke(main, ["--data", str(data), "--attributes", "blue", "--json", out])
    assert other.exit_code == 2
    assert "red" in other.output


def test_comparison_counts_wins_ties_and_labels_to_the_reference() -> None:
    def rows(method: str, curve: dict[int, float]) -> list[dict[str, object]]:
        return [
            {"method": method, "data": "d", "attribute": "a", "seed": s, "batch": 20, "labels": n,
             "average_precision": ap + 0.001 * s, "seconds_per_round": 0.1}
            for n, ap in curve.items() for s in range(3)
        ]  # fmt: skip

    theirs = {20: 0.3, 40: 0.3, 60: 0.3, 100: 0.4, 120: 0.4, 200: 0.4, 400: 0.5}
    ours = {20: 0.3, 40: 0.4, 60: 0.45, 100: 0.55, 120: 0.6, 200: 0.3, 400: 0.6}
    found = compare([*rows("va_four_feeds", theirs), *rows("attune", ours)], "attune")
    assert found["win_or_tie"]["va_four_feeds"] == {"cells": 6, "win": 0.8333, "win_or_tie": 0.8333}
    assert found["median_labels_to_reference_at_400"] == 80
