"""The size benchmark's own arithmetic: growth from runs at several sizes, and figures that outlive a stopped run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.pool_size import __main__ as pool_size
from benchmarks.pool_size import growth, kept_figures

SIZES = (20_000, 200_000, 2_000_000)


def runs(exponent: float, noise: float) -> dict[int, list[float]]:
    rng = np.random.default_rng(3)
    return {
        size: (0.01 * (size / SIZES[0]) ** exponent * np.exp(noise * rng.standard_normal(5))).tolist() for size in SIZES
    }


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found_and_its_interval_holds_it(exponent: float) -> None:
    found = growth.growth(runs(exponent, 0.2))
    assert found is not None
    assert found["lo"] < exponent < found["hi"] < found["lo"] + 0.5
    assert found["n"] == 15


def test_two_sizes_have_a_ratio_and_no_interval() -> None:
    two = dict(list(runs(1.0, 0.0).items())[:2])
    found = growth.growth(two)
    assert found == {"ratio": pytest.approx(10), "times": 10, "n": 10}
    assert growth.shown(found) == "x 10.00 for x 10"


def test_runs_too_short_for_the_clock_and_a_single_size_say_nothing() -> None:
    assert growth.growth({20_000: [0.0, 0.001], 200_000: [0.5]}) is None
    assert growth.growth({20_000: [0.5, 0.6]}) is None


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about, made = {"role": "owner", "page": "home.page", "way": "same"}, []
    monkeypatch.setattr(kept_figures, "commit", lambda: f"commit-{len(made)}")

    def measure() -> kept_figures.Row:
        made.append(1)
        return {"n": len(made)}

    assert kept_figures.once(tmp_path, about, measure) == about | {"n": 1, "commit": "commit-1"}
    with (tmp_path / kept_figures.NAME).open("a") as file:
        file.write('{"role": "owner", "pa')  # killed in the middle of a line
    assert kept_figures.once(tmp_path, about, measure) == about | {"n": 1, "commit": "commit-1"}
    kept_figures.forget(tmp_path, "review")
    assert kept_figures.once(tmp_path, about, measure) == about | {"n": 1, "commit": "commit-1"}
    kept_figures.forget(tmp_path, "home")
    assert kept_figures.once(tmp_path, about, measure) == about | {"n": 2, "commit": "commit-2"}


def test_the_table_tells_growth_of_what_was_measured_at_every_size() -> None:
    def size(pool: int, seconds: float, pages: list[str]) -> dict[str, object]:
        row = {"n": 1, "runs": [seconds], "processor_p50": seconds, "processor_p95": seconds, "mib": 9}
        return {
            "pool": pool,
            "pages": [{"role": "owner", "page": one, "way": "same"} | row for one in pages],
            "work": [],
        }

    sizes = [size(20_000, 0.1, ["home"]), size(200_000, 0.2, ["home", "new"])]
    table = {row["what"]: row for row in pool_size.rows(sizes, pool_size.growths(sizes))}
    assert table["owner home same"]["growth"] == "x 2.00 for x 10"
    assert table["owner home same"]["200k"] == "0.200 (0.200 to 0.200, n = 1)"
    assert (table["owner new same"]["20k"], table["owner new same"]["growth"]) == ("-", "-")
