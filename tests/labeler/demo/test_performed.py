"""The demo's three insights: what is said is what was made true, and the trap works for all films mixed alone."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import func, select

from attune.labeler.demo import performed
from attune.labeler.insights import insights, simulated
from attune.labeler.insights.words import words
from attune.labeler.jobs.jobs import quiet
from attune.labeler.performance.simulated import is_simulated
from attune.labeler.records.schema import InsightRun
from attune.labeler.records.session import reading
from attune.labeler.sample.catalogue import Catalogue, truth_of
from attune.labeler.sample.latents import draw_scenes
from tests.support import factories


def test_the_demo_tells_three_true_insights_and_does_not_fall_into_its_trap(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path / "workspace")
    scenes = draw_scenes(7, 1600)  # what the sample's images show; nothing is drawn
    catalogue = Catalogue(tmp_path, {scene.asset_id: truth_of(scene) for scene in scenes})
    performed.add(settings, catalogue, quiet)
    performed.add(settings, catalogue, quiet)  # a demo that goes on
    folder = settings.workspace / "sample-catalogue" / "performance"
    truth = json.loads((folder / simulated.TRUTH).read_text())["features"]
    found = {one.question.feature: one for one in insights.listed(settings)}
    assert set(found) >= set(performed.HAS)
    for name in performed.HAS:
        one = found[name]
        low, high = one.figures["ci"]
        assert one.enough
        assert one.newest.grade == "A"
        assert low < truth[name]["effect"] < high
    trap = found[performed.TRAP]
    assert trap.figures["naive"] > 0.1
    assert "are taken" in words(trap).sentence
    assert "less often" in words(trap).sentence
    with reading(settings) as session:
        assert is_simulated(session)  # so pages say that nobody measured it
        assert session.scalar(select(func.count()).select_from(InsightRun)) == 1
