"""What a detector says has no better grade than C until experts have audited it; what is calculated has no errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete, select

from attune.labeler.insights import features, goes_with, imported, insights, questions
from attune.labeler.insights.known import Known
from attune.labeler.insights.told import as_json
from attune.labeler.insights.words import words
from attune.labeler.measured import checks
from attune.labeler.measured import values as measured
from attune.labeler.people.viewer import Viewer
from attune.labeler.performance import imports
from attune.labeler.records.schema import Asset, InsightRun
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import feature_pictures
from attune.labeler.views.feature_pictures import kinds
from attune.models.clock import now
from attune.models.measured.eye_checks import CHECKS
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
    assert as_json(by_name["faces"])["unchecked"] == "Values of faces not checked by people", "as pages say"
    assert "e_value" not in by_name["faces"].figures  # its rows are random
    assert words(by_name["faces"]).reason.startswith("Shown at random. What the detector gets wrong")
    assert (by_name["brightness"].newest.grade, words(by_name["brightness"]).caution) == ("A", "")


def test_who_has_seen_a_number_has_seen_its_bands_and_the_other_way(settings: Settings) -> None:
    number = features.known(settings)["brightness"]
    checks._question(settings, CHECKS["brightness"])
    bands = features.known(settings)["brightness-bands"]
    for seen, other in ((number, bands), (bands, number)):
        with writing(settings) as session:
            session.execute(delete(InsightRun))
            session.add(ran({seen.name: seen.values}))
            session.flush()
            assert questions.looked(session, other)
            assert not questions.looked(session, features.known(settings)["saturation"])
            newer = replace(other, version=other.version + 1)  # values that came after the look
            assert questions.looked(session, newer)
            session.add(ran({other.name: newer.values}))
            session.flush()
            row = questions.frozen(other, "dark:light", "", questions.ALL, questions.PERSON, "olga")
            assert not questions.holds(session, row, newer)
    known = features.known(settings)
    assert set(known) - set(goes_with.once(known)) == {"brightness-bands"}, "it would take what the number adds"
    row = questions.ask(settings, bands, "dark:light", who="olga").row
    assert (row.seen, row.titles) == (True, questions.CONFIRMATION)


def test_what_goes_with_takes_leaves_out_what_has_one_value_or_none() -> None:
    unknown = np.nan
    for values, told in (([1, unknown, 1], False), ([unknown] * 3, False), ([], False), ([1, unknown, 2], True)):
        assert goes_with.varies(np.array(values, dtype=float)[:, None]) is told
    assert not goes_with.varies(np.array([[0.0, 1.0], [0.0, 1.0]]))


def ran(values: dict[str, str]) -> InsightRun:
    """A run that compared these features."""
    return InsightRun(q=0.1, seed=0, inputs={}, looked=dict.fromkeys(values, 1), values=values, found=[],
                      started_by="olga", started_at=now(), finished_at=now())  # fmt: skip


def test_of_a_titles_images_no_others_value_is_read(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported.add(settings, str(tmp_path / "smiles.csv"), "smiles", "olga")
    with reading(settings) as session:
        ids = np.array(session.scalars(select(Asset.asset_id).order_by(Asset.id)).all(), dtype=object)
    known, some = features.known(settings), np.array([ids[7], "nowhere", ids[200]], dtype=object)
    monkeypatch.setattr(features, "FEW", 0)
    whole = {name: features.values(settings, known[name], ids)[[7, 200]] for name in ("brightness", "faces", "smiles")}
    monkeypatch.undo()
    rows, read, of_file = [], MeasuredValues.read, features._imported
    monkeypatch.setattr(MeasuredValues, "read", lambda *given: rows.append(read(*given)) or rows[-1])
    monkeypatch.setattr(features, "_imported", lambda *given: rows.append(of_file(*given)) or rows[-1])
    for name, values in whole.items():
        found = features.values(settings, known[name], some)
        assert list(found[[0, 2]]) == list(values), name
        assert found[1] != found[1] or found[1] == "", "nobody knows it"
    assert [table.num_rows for table in rows] == [2, 2, 2]


def test_of_a_champions_values_those_of_a_titles_images_are_read(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"asset_id": ["a", "a", "b", "b"], "class": ["yes", "no"] * 2, "label": ["yes", "yes", "no", "no"]}
    pq.write_table(pa.table(said), tmp_path / "features.parquet")
    monkeypatch.setattr(features, "features_of", lambda *_: SimpleNamespace(path=tmp_path / "features.parquet"))
    champion = Known("serious", 1, "attribute", ("yes", "no"), "digest")
    assert features._attribute(settings, champion, None).num_rows == 2
    assert features._attribute(settings, champion, ["b", "nowhere"]).to_pylist() == [{"asset_id": "b", "value": "no"}]
    assert list(features.values(settings, champion, np.array(["b", "c"], dtype=object))) == ["no", ""]


def test_a_feature_is_shown_by_images_of_each_class_or_at_both_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga, known = Viewer("owner", "olga"), features.known(settings)

    def shown(name: str) -> dict[str, list[str]]:
        return {one.text: [image.asset_id for image in one.images] for one in kinds(settings, olga, known[name])}

    faces = shown("faces")
    assert list(faces) == ["“faces: 0”", "“faces: 1”"], "no class without an image, and no bare number"
    said = {text: set(features.values(settings, known["faces"], np.array(ids))) for text, ids in faces.items()}
    assert said == {"“faces: 0”": {"0"}, "“faces: 1”": {"1"}}
    low, high = (features.values(settings, known["brightness"], np.array(ids)) for ids in shown("brightness").values())
    assert max(low) < min(high)
    waits = frozenset(faces["“faces: 0”"])
    monkeypatch.setattr(feature_pictures, "hidden_images", lambda *_: waits)
    assert not waits & set(shown("faces")["“faces: 0”"]), "they wait for an answer of the reader"
