"""A measured feature that experts check: drawn by its value, corrected for its errors, and never told to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.insights import audited, companions, evidence, features, insights, questions
from attune.labeler.insights.answer import Asked
from attune.labeler.insights.beside_words import caution_of
from attune.labeler.insights.companions import HOLDING, Wanted
from attune.labeler.insights.known import Known
from attune.labeler.insights.people_asked import PeopleAsked
from attune.labeler.insights.words import words
from attune.labeler.insights.work import Work
from attune.labeler.measured import checks
from attune.labeler.measured import values as measured
from attune.labeler.measured.checked import Checked, checked
from attune.labeler.performance import imports
from attune.labeler.records.schema import Annotation, Asset
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.features import FeaturePage, Row
from attune.models.clock import now
from attune.models.errors import DataError, NotEnoughLabels, UnknownExpert
from attune.models.labels.answers import UNSURE
from attune.models.measured.agreement import Agreement
from attune.models.measured.eye_checks import CHECKS
from attune.models.measured.measured_values import MeasuredValues
from attune.models.measured.measures import NAMES
from attune.workers.jobs import run_insights
from attune.workers.rounds.snapshot import take_snapshot
from tests.labeler.catalog import worlds
from tests.labeler.insights.asking import answered, asked, drawn

EFFECT, IMAGES, ASKED = 0.4, 800, 220


def truth() -> np.ndarray:
    """0, 1 or 2 faces: the more, the rarer."""
    return np.random.default_rng(3).choice(3, IMAGES, p=(0.6, 0.25, 0.15))


def said() -> np.ndarray:
    """What the detector says: one face in four is missed, and one image in twenty has one too many."""
    rng = np.random.default_rng(8)
    faces = truth()
    return np.maximum(0, faces - (rng.random(IMAGES) < 0.25)) + (rng.random(IMAGES) < 0.05)


def true_classes() -> dict[str, str]:
    """The true class of each image."""
    return {f"a{one}": CHECKS["faces"].classes[faces] for one, faces in enumerate(truth())}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Images whose detector errs, and random performance in which images that do show one face are taken more often."""
    folder = tmp_path_factory.mktemp("checked")
    made = worlds.make(folder / "workspace")
    worlds.add_assets(made, IMAGES)
    with reading(made) as session:
        assets = session.execute(select(Asset.asset_id, Asset.title_id, Asset.digest).order_by(Asset.id)).all()
    rows = np.full((IMAGES, len(NAMES)), 0.5, np.float32)
    rows[:, NAMES.index("faces")] = said()
    rows[:, NAMES.index("brightness")] = 20 + 30 * truth()
    MeasuredValues(measured.folder(made), "v").append([a.asset_id for a in assets], [a.digest for a in assets], rows)
    rng = np.random.default_rng(4)
    lines = ["asset_id,title_id,canvas,impressions,takes"]
    for one, faces in zip(assets, truth(), strict=True):
        rate = 0.05 * np.exp(EFFECT * (faces == 1) + rng.normal(0, 0.05))
        lines.append(f"{one.asset_id},{one.title_id},home,20000,{rng.binomial(20000, rate)}")
    (folder / "takes.csv").write_text("\n".join([*lines, ""]))
    imports.add(made, str(folder / "takes.csv"), arm="explore")
    known = features.known(made)
    faces = questions.ask(made, known["faces"], "1:0", who="olga").row
    light = questions.ask(made, known["brightness"], who="olga").row
    companions.ask(made, faces, known["faces"], Wanted(HOLDING, known["brightness"]))
    companions.ask(made, light, known["brightness"], Wanted(HOLDING, known["faces"], "1:0"))
    return made


def beside_faces(settings: Settings) -> list[dict[str, Any]]:
    """What was asked beside the faces: with brightness held, and of brightness with the faces held."""
    found = [one for one in insights.listed(settings) if one.figures.get(HOLDING)]
    return [one.figures[HOLDING][0] for one in sorted(found, key=lambda one: one.question.id)]


def assert_beside_stands(settings: Settings, before: list[dict[str, Any]]) -> None:
    """Asking people takes no figure away, and says what is not corrected."""
    for was, one in zip(before, beside_faces(settings), strict=True):
        assert (was["held"]["estimate"], was["grade"], was["hindered"]) == (one["held"]["estimate"], "C", "")
        assert one["not_audited"]
        assert one["grade"] == "C"
        assert "it has 4" in caution_of(one)


def test_experts_correct_a_detector_and_the_grade_follows(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(settings, "faces") is None
    run_insights.run(settings)
    (before,) = [one for one in insights.listed(settings) if one.question.contrast == "1:0"]
    beside = beside_faces(settings)
    assert before.newest.grade == "C"
    assert "Not checked by people yet" in words(before).caution
    name = asked(settings, CHECKS["faces"])
    ids = drawn(settings, name, ASKED)
    assert len(ids) == ASKED
    by_value = np.bincount([int(said()[int(id_[1:])]) for id_ in ids], minlength=4)
    assert by_value[3] == (said() == 3).sum(), "the rarest value is checked whole"
    assert by_value[2] > 40, "each value has its share, whatever its size"
    assert not insights.find(settings, before.row.id).moved, "nobody has answered yet"
    run_insights.run(settings)
    assert_beside_stands(settings, beside)

    answered(settings, name, ids[:59], true_classes())
    run_insights.run(settings)
    assert_beside_stands(settings, beside)
    few = insights.find(settings, before.row.id)
    assert few.newest.grade == "C"
    assert few.figures["corrected"] is None
    assert "audits of check-faces are open" in words(few).caution

    answered(settings, name, ids[59:], true_classes())
    assert insights.find(settings, before.row.id).moved == ("faces has other audit answers",)
    with monkeypatch.context() as earlier:
        earlier.setattr(insights, "CORRECTED_METHOD", insights.CORRECTED_METHOD - 1)
        run_insights.run(settings)
    stale = [told.moved for told in insights.listed(settings) if told.question.kind == "measured"]
    assert sorted(stale) == [()] * (len(stale) - 1) + [("made by an earlier method",)], "only what answers corrected"
    run_insights.run(settings)
    assert not insights.find(settings, before.row.id).moved, "it is answered again"
    assert_beside_stands(settings, beside)
    one = insights.find(settings, before.row.id)
    corrected, plain = one.figures["corrected"], one.figures["uncorrected"]
    assert one.newest.grade == "A"
    assert words(one).caution == ""
    assert corrected["audits"] == ASKED
    assert corrected["ci"][0] < EFFECT < corrected["ci"][1]
    assert plain["estimate"] < 0.85 * EFFECT, "misread images hide a part of the effect"
    assert plain["ci"][1] < EFFECT

    told = checked(settings, "faces")
    assert told is not None
    assert (told.found.n, told.open, told.undecided) == (ASKED, 0, 0)
    agrees = float((said() == truth()).mean())
    assert told.found.lo is not None
    assert told.found.hi is not None
    assert told.found.lo < agrees < told.found.hi
    assert sum(map(sum, told.found.confusion)) == ASKED
    assert told.found.confusion[0][1] > 0, "missed faces"

    assert_only_what_was_drawn_and_decided_counts(settings, ids[0])
    assert drawn(settings, name, 60)
    with pytest.raises(NotEnoughLabels, match="audits of check-faces are open"):  # no figure, as of an attribute
        compared(settings)


def assert_only_what_was_drawn_and_decided_counts(settings: Settings, unsure: str) -> None:
    """One answer becomes unsure, and four images come after the draw."""
    key = select(Asset.id).where(Asset.asset_id == unsure)
    with writing(settings) as session:
        row = session.scalars(select(Annotation).where(Annotation.asset_pk == key.scalar_subquery())).one()
        row.value, row.updated_at = UNSURE, now()
    (one, *_) = compared(settings).properties
    assert len(one.audited) == ASKED - 1
    worlds.add_assets(settings, 4, IMAGES)
    new = [f"a{IMAGES + number}" for number in range(4)]
    digests = [f"{IMAGES + number:064x}" for number in range(4)]
    MeasuredValues(measured.folder(settings), "v").append(new, digests, np.ones((4, len(NAMES)), np.float32))
    told = checked(settings, "faces")
    assert told is not None
    assert (told.found.n, told.undecided, told.undrawn) == (ASKED - 1, 1, 4)
    assert told.later.startswith("4 images were not measured yet")
    here = audited.properties(
        settings, features.known(settings)["faces"], ("1", "0"), np.array([unsure, "a1", *new], dtype=object)
    )
    assert np.isnan(here[0].probability).tolist() == [False, False, True, True, True, True]


def compared(settings: Settings) -> Asked:
    """What a run compares of the faces."""
    rows, known = evidence.load(settings), features.known(settings)
    assert rows is not None
    return Work(settings, rows, known).asked(known["faces"], "1:0")


def test_a_number_is_checked_in_bands_that_can_be_asked_about(settings: Settings) -> None:
    assert "brightness-bands" not in features.known(settings)
    checks._question(settings, CHECKS["brightness"])
    known = features.known(settings)["brightness-bands"]
    assert known.classes == ("dark", "medium", "light")
    assert known.audited_by == "check-brightness"
    found = features.values(settings, known, np.array(["a0", "gone"], dtype=object))
    assert list(found) == [known.classes[truth()[0]], ""]
    assert features.known(settings)["brightness"].audited_by == "", "the number itself is what it is defined to be"
    with reading(settings) as session:
        asked = PeopleAsked.of(session, features.known(settings))
    assert asked.about("brightness"), "its pictures would tell the band"
    assert asked.about("brightness-bands")
    assert not asked.about("saturation")


@pytest.mark.parametrize(
    ("share", "wrong"), [((0.26, 0.19, 0.34), True), ((0.45, 0.36, 0.54), False), ((None, None, None), False)]
)
def test_a_feature_that_people_mostly_contradict_is_not_to_be_used(
    share: tuple[float | None, float | None, float | None], wrong: bool
) -> None:
    found = Checked(CHECKS["faces"], "check-faces", Agreement(140, *share, (), ()), 0, 0)
    row = Row(Known("faces", 1, "measured", CHECKS["faces"].classes, ""), found)
    assert row.wrong is wrong
    assert bool(FeaturePage(row.one, row.said, (), found, True).warning) is wrong


def test_what_tells_faces_is_hidden_from_who_is_asked_about_faces() -> None:
    known = {one: Known(one, 1, "measured", (), one) for one in ("faces", "face_across", "brightness", "entropy")}
    asked = PeopleAsked(known, frozenset({"faces"}))
    assert [name for name in known if asked.about(name)] == ["faces", "face_across"]
    assert PeopleAsked(known, frozenset({"face_share"})).about("faces")


def test_its_answers_teach_no_probe(settings: Settings) -> None:
    snapshot = take_snapshot(settings, "check-faces")
    assert not len(snapshot.training)
    assert snapshot.learner.audit_share == 0
    assert snapshot.measured is not None


def test_what_nobody_can_check_is_refused_with_what_can_be(settings: Settings) -> None:
    with pytest.raises(DataError, match="People can check faces"):
        checks.request(settings, "entropy", 60)
    with pytest.raises(UnknownExpert, match=r"ana@example\.org"):
        checks.request(settings, "faces", 60, ["bo@example.org"])
