"""Served rows with logged chances get grade B where each row had one and the log fits what was shown; else C."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attune.labeler.insights import evidence, features, imported, insights, questions
from attune.labeler.performance import imports
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.insights.simulate import Simulated, World, simulate
from attune.workers.jobs import run_insights
from tests.support.factories import workspace


@pytest.fixture(scope="module")
def told() -> Simulated:
    return simulate(World(titles=120, periods=6, impressions=3000, explore=0.01), 1)


def served(settings: Settings, folder: Path, told: Simulated, propensity: np.ndarray) -> None:  # type: ignore[type-arg]
    """Import what a bandit served, with its log, and the feature that it is about."""
    kept = told.rows["arm"] == "serve"
    columns = {name: column[kept] for name, column in told.rows.items()} | {"propensity": propensity[kept]}
    pq.write_table(pa.table(columns), folder / "served.parquet")
    imports.add(settings, str(folder / "served.parquet"), one_chance=True)
    lines = ["asset_id,value", *(f"{name},{int(has)}" for name, has in zip(told.asset_ids, told.has, strict=True)), ""]
    (folder / "smiles.csv").write_text("\n".join(lines))
    imported.add(settings, str(folder / "smiles.csv"), "smiles", "olga")
    questions.register_features(settings, features.known(settings), "smiles", "olga")


def summed(folder: Path, told: Simulated) -> tuple[str, int]:
    """What a bandit served, summed over its groups of members with the mean chance of their showings; rows of it."""
    kept = told.rows["arm"] == "serve"
    served = {name: column[kept] for name, column in told.rows.items()}
    cell = np.unique([f"{t} {p} {g}" for t, p, g in zip(*(served[name] for name in (
        "title_id", "period_start", "member_cluster")), strict=True)], return_inverse=True)[1]  # fmt: skip
    traffic = np.bincount(cell, served["impressions"])[cell]  # of a group, and not of one image
    keys = ["asset_id", "title_id", "canvas", "period_start", "period_end"]
    table = pa.table(served | {"traffic": traffic, "chances": traffic * served["propensity"]})
    rows = table.group_by(keys).aggregate([(name, "sum") for name in ("impressions", "takes", "traffic", "chances")])
    columns = {"impressions": rows["impressions_sum"], "takes": rows["takes_sum"]}
    chance = np.minimum(rows["chances_sum"].to_numpy() / rows["traffic_sum"].to_numpy(), 1)
    pq.write_table(pa.table({name: rows[name] for name in keys} | columns | {"propensity": chance}),
                   folder / "summed.parquet")  # fmt: skip
    assert rows.num_rows < table.num_rows
    return str(folder / "summed.parquet"), rows.num_rows


def test_a_log_that_fits_is_grade_b_and_holds_the_truth(told: Simulated, tmp_path: Path) -> None:
    settings = workspace(tmp_path / "workspace")
    served(settings, tmp_path, told, told.rows["propensity"])
    run_insights.run(settings)
    one = next(one for one in insights.listed(settings) if one.question.origin == "import")
    figures = one.figures
    assert (one.newest.grade, figures["basis"], figures["random"]) == ("B", "logged", False)
    assert figures["any_time"]["ci"][0] < told.effect < figures["any_time"]["ci"][1]
    assert figures["log"]["believed"]
    assert figures["log"]["lost"] < 0.01
    assert figures["naive"] != pytest.approx(figures["estimate"], abs=0.01)  # of the rows as they were counted


def test_a_log_that_does_not_fit_what_was_shown_is_not_believed(told: Simulated, tmp_path: Path) -> None:
    settings = workspace(tmp_path / "workspace")
    served(settings, tmp_path, told, np.full(len(told.rows["propensity"]), 0.2))
    rows = evidence.load(settings)
    assert rows is not None
    assert rows.logged is not None
    assert (rows.logged.believed, rows.logged.enough) == (False, False)
    assert [basis for basis, _ in rows.sources()] == ["every"]


def test_a_log_summed_over_members_is_not_weighed_unless_somebody_declares_one_chance(
    told: Simulated, tmp_path: Path
) -> None:
    """Summed over groups that the bandit treated differently, it passes every check and says twice the truth."""
    settings = workspace(tmp_path / "workspace")
    file, rows_of_it = summed(tmp_path, told)
    imports.add(settings, file)
    rows = evidence.load(settings)
    assert rows is not None
    assert (rows.logged, rows.undeclared) == (None, rows_of_it)
    assert [basis for basis, _ in rows.sources()] == ["every"]
    imports.add(settings, file, one_chance=True)
    declared = evidence.load(settings)
    assert declared is not None
    assert declared.logged is not None
    assert (declared.logged.enough, declared.undeclared) == (True, 0)  # no check can see it: only who imports knows


def test_a_declaration_needs_chances(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("asset_id,title_id,canvas,impressions,takes\na,t,home,10,1\n")
    with pytest.raises(DataError, match="has no column for it"):
        imports.add(workspace(tmp_path / "workspace"), str(tmp_path / "p.csv"), one_chance=True)
