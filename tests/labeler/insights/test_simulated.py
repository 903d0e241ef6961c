"""`attune insights simulate`: files that can be imported, say that they are made up, and hold the truth they tell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from attune.labeler.insights import features, imported, insights, questions, simulated
from attune.labeler.insights.told import as_json
from attune.labeler.members import bring, groupings, kept, words
from attune.labeler.members.columns import RESPONSES, VIEWING
from attune.labeler.performance import imports
from attune.labeler.performance.simulated import is_simulated
from attune.labeler.records.session import reading
from attune.models.errors import DataError
from attune.workers.jobs import group_members, run_insights
from tests.support import factories, performed

SMALL = replace(simulated.world(300), periods=3, explore=0.5)


def test_the_files_tell_their_truth_and_nobody_takes_them_for_measured(tmp_path: Path) -> None:
    folder, settings = tmp_path / "made-up", factories.workspace(tmp_path / "workspace")
    told = simulated.write(folder, 1, SMALL)
    imports.add(settings, str(folder / simulated.PERFORMANCE))
    for name in ("property", "placebo"):
        imported.add(settings, str(folder / f"{name}.csv"), name)
        questions.register_features(settings, features.known(settings), name, "olga")
    with reading(settings) as session:
        assert is_simulated(session)
    run_insights.run(settings)
    found = {one.question.feature: one for one in insights.listed(settings)}
    assert as_json(found["property"])["simulated"] is True
    low, high = found["property"].figures["ci"]
    truth = json.loads((folder / simulated.TRUTH).read_text())
    assert low < truth["property"] == told.effect < high
    assert not found["placebo"].enough
    assert found["placebo"].figures["naive"] > 0.1  # the trap is there
    assert "23 % more often" in (folder / simulated.README).read_text()


def test_made_up_members_say_so_in_their_files_and_in_what_is_made_of_them(tmp_path: Path) -> None:
    folder, settings = tmp_path / "made-up", factories.workspace(tmp_path / "workspace")
    simulated.write(folder, 1, replace(SMALL, titles=60, periods=1))
    assert "attune members fit --viewing viewing.parquet" in (folder / simulated.README).read_text()
    for kind in (VIEWING, RESPONSES):
        row = bring.add(settings, bring.Wanted(kind, str(folder / f"{kind}.parquet")), 1).row
        assert row.simulated
        assert not row.faults
    version = groupings.find(settings, str(group_members.run(settings, clusters=3)["version"]))
    assert words.simulated(version)
    assert version.figures["resonance"]["grade"] == "A"
    kept.erase(settings, "member-1")
    with reading(settings) as session:
        assert all(one.simulated for one in kept.listed(session)), "what is left after an erasure says so, too"
    (folder / "mine.csv").write_text("member,title_id\na,t\n")
    assert not bring.add(settings, bring.Wanted(VIEWING, str(folder / "mine.csv")), 1).row.simulated


def test_the_same_seed_writes_the_same_rows_and_other_files_are_left_alone(tmp_path: Path) -> None:
    tiny = replace(SMALL, titles=30, periods=1)
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        simulated.write(tmp_path / name, seed, tiny)
    simulated.write(tmp_path / "one", 5, tiny)  # again, over itself
    one, two, three = ((tmp_path / name / simulated.PERFORMANCE).read_bytes() for name in ("one", "two", "three"))
    assert one == two != three
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("do not lose this")
    with pytest.raises(DataError, match="is not empty"):
        simulated.write(tmp_path / "mine", 5, tiny)


def test_a_world_without_a_trap_has_none_and_measured_files_are_not_called_simulated(tmp_path: Path) -> None:
    assert simulated.world(30, ("bandit",)).bandit is False
    assert simulated.world(30, ("confounding", "errors")).confounding == 0
    settings = factories.workspace(tmp_path / "workspace")
    performed.bring(settings, performed.files(tmp_path, performed.names(40), 0.1))
    with reading(settings) as session:
        assert not is_simulated(session)
