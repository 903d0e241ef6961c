"""What docs/explanation/evaluation.md shows is what the code does and what the benchmarks' files hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "evaluation.md").read_text(encoding="utf-8")
NAMES = {
    "attune": "Attune",
    "attune_weighted": "same draw, weights and bootstrap",
    "uniform_bootstrap": "uniform draw, percentile bootstrap",
    "cross_validation": "cross-validation on training answers",
}


def summary(name: str) -> list[dict[str, Any]]:
    held = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return list(held["summary"])


def coverage_rows() -> list[str]:
    return [
        f"| {s['band']} | {s['answers']} | {NAMES[s['method']]} | {s['with_a_figure']} | {s['covers_pool']:.3f} | "
        f"{s['covers_unseen']:.3f} | {s['width']:.2f} | {s['bias']:+.3f} | {s['rmse']:.3f} |"
        for s in summary("audit_coverage")
        if s["method"] in NAMES
    ]


def stopping_rows() -> list[str]:
    return [
        f"| {s['goal']:g} | {s['campaigns']} | {s['stopped']} | {s['median_labels']:.0f} | "
        f"{s['within_one_point']:.2f} | {s['false_stops_of_all']:.3f} | {s['mean_lost']:+.4f} |"
        for s in summary("stopping")
        if s["band"] == "all"
    ]


@pytest.mark.parametrize("row", [*coverage_rows(), *stopping_rows()])
def test_every_row_of_the_tables_is_the_benchmarks(row: str) -> None:
    assert row in PAGE


def test_the_example_runs_and_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", PAGE, re.DOTALL)[:2]
    exec(compile(code, "docs/explanation/evaluation.md", "exec"), {})
    assert capsys.readouterr().out == printed
