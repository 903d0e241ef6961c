"""What a detector says has no better grade than C until experts have audited it; what is calculated has no errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.insights import features, insights, questions
from attune.labeler.insights.told import as_json
from attune.labeler.insights.words import words
from attune.labeler.measured import values as measured
from attune.labeler.performance import imports
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.measured.measured_values import MeasuredValues
from attune.models.measured.measures import NAMES
from attune.workers.jobs import run_insights
from tests.support import factories, performed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Random rows of 80 titles; images with a face are darker, and taken more often."""
    made = factories.workspace(tmp_path / "workspace")
    factories.add_assets(made, 320, per_title=4)
    with reading(made) as session:
        assets = session.execute(select(Asset.asset_id, Asset.title_id, Asset.digest)).all()
    files = performed.files(tmp_path, [(one.asset_id, one.title_id or "") for one in assets], 0.3)
    imports.add(made, files.performance, arm="explore")
    faces = [float(line.split(",")[1]) for line in Path(files.feature).read_text().split()[1:]]
    rows = np.full((len(assets), len(NAMES)), 0.5, np.float32)
    rows[:, NAMES.index("faces")] = faces
    rows[:, NAMES.index("brightness")] = 50 - 10 * np.array(faces) + np.arange(len(assets)) % 7
    MeasuredValues(measured.folder(made), "v").append([a.asset_id for a in assets], [a.digest for a in assets], rows)
    return made


def test_a_detector_that_nobody_audited_is_grade_c_and_says_so(settings: Settings) -> None:
    known = features.known(settings)
    questions.ask(settings, known["faces"], "1:0", who="olga")
    questions.ask(settings, known["brightness"], who="olga")
    run_insights.run(settings)
    by_name = {one.question.feature: one for one in insights.listed(settings) if one.question.origin == "person"}
    assert by_name["faces"].figures["random"]
    assert by_name["faces"].newest.grade == "C"
    assert "the detector’s errors are not known" in words(by_name["faces"]).caution
    assert "not known" in as_json(by_name["faces"])["caution"]
    assert "e_value" not in by_name["faces"].figures  # its rows are random
    assert words(by_name["faces"]).reason.startswith("Shown at random. What the detector gets wrong")
    assert (by_name["brightness"].newest.grade, words(by_name["brightness"]).caution) == ("A", "")
