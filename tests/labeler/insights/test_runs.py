"""Questions are frozen, then answered; answers have versions, go stale, and are published and retired with reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.insights import evidence, features, imported, insights, publishing, questions, strata
from attune.labeler.insights.words import words
from attune.labeler.performance import checks, imports
from attune.labeler.records.schema import InsightQuestion, InsightVersion
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.errors import DataError, NotEnoughLabels, UnknownInsight
from attune.models.insights import differing, row_parts
from attune.models.insights.across_titles import across_titles, naive
from attune.models.insights.halves import discovery_half
from attune.models.insights.outcomes import outcomes
from attune.models.insights.power import needed, reached
from attune.models.insights.row_parts import Stored
from attune.workers.jobs import run_insights
from tests.support import performed
from tests.support.factories import workspace

EFFECT = 0.2


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return workspace(tmp_path / "workspace")


def feature(path: Path, values: Mapping[str, object]) -> str:
    path.write_text("\n".join(["asset_id,value", *(f"{name},{value}" for name, value in values.items()), ""]))
    return str(path)


def test_a_planted_effect_is_found_within_titles_and_not_by_all_in_one_pot(settings: Settings, tmp_path: Path) -> None:
    performed.bring(settings, performed.files(tmp_path, performed.names(200), EFFECT))
    run_insights.run(settings)
    (one,) = insights.listed(settings)
    low, high = one.figures["ci"]
    assert low < EFFECT < high
    assert one.figures["naive"] > high  # popular titles have the feature more often
    assert abs(one.figures["shrunk"]["estimate"]) < abs(one.figures["estimate"])
    assert (one.newest.grade, one.question.origin, one.question.titles) == ("A", "import", "all")
    assert one.figures["titles"] <= 200
    assert one.figures["e_value"] if one.newest.grade == "C" else "e_value" not in one.figures
    assert "more often than images without “smiles”" in words(one).sentence


def test_served_rows_fall_to_c_and_a_test_that_was_not_random_takes_all_with_it(
    settings: Settings, tmp_path: Path
) -> None:
    made = performed.files(tmp_path, performed.names(100), EFFECT)
    text = Path(made.performance).read_text().splitlines()
    # In 12 titles the first image was shown three times as often as the others.
    bad = [line.replace(",10000,", ",30000,") if line.startswith(tuple(f"a{n}-0," for n in range(12))) else line
           for line in text]  # fmt: skip
    Path(made.performance).write_text("\n".join([*bad, ""]))
    performed.bring(settings, made)
    run_insights.run(settings)
    (one,) = insights.listed(settings)
    assert (one.newest.grade, one.figures["ratio"]["flagged"]) == ("C", 12)
    assert one.figures["random"]
    assert one.figures["titles"] <= 88
    assert one.figures["e_value"]["estimate"] > one.figures["e_value"]["interval"] > 1
    with reading(settings) as session:
        (row,) = imports.active(session)
    imports.remove(settings, row.id, "again as served", "olga")
    imports.add(settings, made.performance, arm="serve")
    run_insights.run(settings)
    assert insights.find(settings, one.row.id).newest.grade == "C"
    assert not insights.find(settings, one.row.id).figures["random"]


def test_an_insights_grade_never_rises(settings: Settings, tmp_path: Path) -> None:
    made = performed.files(tmp_path, performed.names(60), EFFECT)
    performed.bring(settings, made, arm="serve")
    run_insights.run(settings)
    few = tmp_path / "few.csv"  # too few titles for a figure: a version without a grade
    few.write_text("\n".join(Path(made.performance).read_text().splitlines()[:30]) + "\n")
    with reading(settings) as session:
        (row,) = imports.active(session)
    imports.remove(settings, row.id, "again", "olga")
    imports.add(settings, str(few), arm="serve")
    run_insights.run(settings)
    imports.add(settings, made.performance, arm="explore")
    run_insights.run(settings)
    (one,) = insights.listed(settings)
    assert one.figures["random"]
    assert (one.newest.version, one.newest.grade) == (3, "C")


@pytest.mark.parametrize(
    ("figures", "grade"),
    [
        ({}, "A"),  # only its errors held it down
        ({"not_audited": False}, "C"),
        ({"within": False}, "D"),
        ({"ratio": {"believed": False}}, "C"),
        ({"basis": "logged", "random": False}, "B"),
        ({"basis": "every", "random": False}, "C"),
    ],
)
def test_audits_lift_a_grade_to_what_the_rows_were_good_for_then(figures: dict[str, object], grade: str) -> None:
    told = {"basis": "random", "random": True, "within": True, "not_audited": True, "ratio": {"believed": True}}
    assert insights.allowed("D" if figures.get("within") is False else "C", told | figures) == grade


def test_a_detector_compared_across_titles_stays_d_when_titles_differ_in_it(settings: Settings, tmp_path: Path) -> None:
    performed.bring(settings, performed.files(tmp_path, performed.names(60), EFFECT), arm="serve")
    run_insights.run(settings)
    (one,) = insights.listed(settings)
    with writing(settings) as session:
        version = session.get_one(InsightVersion, one.newest.id)
        version.figures = version.figures | {"within": False, "not_audited": True}
        version.grade, version.digest = "D", ""
    run_insights.run(settings)
    (one,) = insights.listed(settings)
    assert (one.newest.version, one.figures["within"], one.newest.grade) == (2, True, "D")


@pytest.mark.parametrize(("shown", "spoiled", "believed"), [(10_500, 4, True), (30_000, 1, True), (30_000, 4, False)])
def test_flagged_tests_are_left_out_alone_unless_more_than_one_in_a_hundred_failed_beyond_chance(
    settings: Settings, tmp_path: Path, shown: int, spoiled: int, believed: bool
) -> None:
    made = performed.files(tmp_path, performed.names(300, 2), EFFECT)
    first = tuple(f"a{number}-0," for number in range(spoiled))
    lines = Path(made.performance).read_text().splitlines()
    spoilt = [line.replace(",10000,", f",{shown},") if line.startswith(first) else line for line in lines]
    Path(made.performance).write_text("\n".join([*spoilt, ""]))
    performed.bring(settings, made)
    rows = evidence.load(settings)
    assert rows is not None
    assert rows.random is not None
    assert (rows.tested, rows.flagged, rows.believed) == (300, spoiled, believed)
    assert len(rows.random) == len(rows.every) - 2 * spoiled


def test_a_run_over_rows_in_a_file_says_what_it_says_of_rows_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = performed.files(tmp_path, performed.names(120), EFFECT, ("home", "phone"))
    text = Path(made.performance).read_text().replace("a7-1,t7,home,10000,", "a7-1,t7,home,30000,")  # one is left out
    Path(made.performance).write_text(text)
    told = []
    for name, sizes in (("memory", (10**6, 10**6, 10**6)), ("file", (200, 90, 300))):
        constants = ((strata, "PART"), (row_parts, "PART"), (differing, "REMEMBERED"))
        for (module, constant), size in zip(constants, sizes, strict=True):
            monkeypatch.setattr(module, constant, size)
        settings = workspace(tmp_path / name)
        performed.bring(settings, made)
        rows = evidence.load(settings)
        assert rows is not None
        assert isinstance(rows.every, Stored) == (name == "file")
        run_insights.run(settings)
        (one,) = insights.listed(settings)
        told.append(one.figures)
    assert told[0]["ratio"]["flagged"] == 1
    assert [len(told[0]["canvases"]), len(told[0]["examples"]["same"]) > 3] == [2, True]
    assert_close(*told)


def assert_close(one: object, other: object) -> None:
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_close(one[name], other[name])
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_close(*pair)
    else:
        assert one == pytest.approx(other, rel=1e-10) if isinstance(one, float) else one == other


def test_tests_of_few_impressions_are_not_called_unfair_by_a_rule_for_many(settings: Settings, tmp_path: Path) -> None:
    # Ten images that expect one impression each, of which one has seven: chi-square says p < .001, and chance does it.
    lines = ["asset_id,title_id,canvas,impressions,takes"]
    for title in range(3):
        counts = [7, *[1] * 3, *[0] * 6]
        lines += [f"a{title}-{image},t{title},home,{shown},0" for image, shown in enumerate(counts)]
    lines += [f"b{image},big,home,{shown},0" for image, shown in enumerate((1000, 1600))]
    (tmp_path / "takes.csv").write_text("\n".join([*lines, ""]))
    imports.add(settings, str(tmp_path / "takes.csv"), arm="explore")
    rows, told = evidence.load(settings), checks.check(settings)
    assert rows is not None
    assert (rows.tested, rows.flagged) == (told.tested, told.flagged) == (4, 1)
    assert [one["title_id"] for one in told.named] == ["big"]


def test_the_half_that_finds_a_question_does_not_answer_it(settings: Settings, tmp_path: Path) -> None:
    made = performed.files(tmp_path, performed.names(300), EFFECT)
    imports.add(settings, made.performance, arm="explore")
    base = dict(line.split(",") for line in Path(made.feature).read_text().splitlines()[1:])
    three = {name: "two" if value == "1" else ("none" if number % 2 else "many")
             for number, (name, value) in enumerate(base.items())}  # fmt: skip
    imported.add(settings, feature(tmp_path / "faces.csv", three), "faces", "olga")
    assert questions.register_features(settings, features.known(settings), "faces", "olga") is None
    run_insights.run(settings)
    found = insights.listed(settings)
    assert {one.question.origin for one in found} == {"discovery"}
    assert {frozenset(one.question.contrast.split(":")) for one in found if one.enough} >= {
        frozenset({"two", "none"}), frozenset({"two", "many"})
    }  # fmt: skip
    confirmation = ~discovery_half([f"t{number}" for number in range(300)])
    for one in found:
        assert one.question.titles == "confirmation"
        assert one.figures["titles"] <= confirmation.sum()
        assert one.figures["estimate"] == one.figures["halves"]["confirmation"]["estimate"]


def test_who_registers_after_a_look_gets_half_of_the_titles_and_the_same_question_is_one(
    settings: Settings, tmp_path: Path
) -> None:
    performed.bring(settings, performed.files(tmp_path, performed.names(60), 0.0, ("home", "tv")))
    known = features.known(settings)["smiles"]
    before = questions.ask(settings, known, canvas="tv", who="ana")
    assert before.row.titles == "all"
    assert not before.again
    again = questions.ask(settings, known, "0:1", "tv", "bo")  # the same two classes the other way round
    assert again.again
    assert (again.row.id, again.row.asked_by) == (before.row.id, "ana")
    run_insights.run(settings)
    assert questions.ask(settings, known, canvas="home", who="ana").row.titles == "confirmation"
    with pytest.raises(DataError, match="has the classes 1, 0"):
        questions.ask(settings, known, "1:2")
    with pytest.raises(DataError, match=r"canvas 'hoem'\. Did you mean 'home'"):
        questions.ask(settings, known, canvas="hoem", who="ana")


def test_a_question_that_was_changed_after_it_was_registered_is_not_answered(
    settings: Settings, tmp_path: Path
) -> None:
    performed.bring(settings, performed.files(tmp_path, performed.names(40), 0.0))
    with writing(settings) as session:
        session.scalars(select(InsightQuestion)).one().contrast = "0:1"
    with pytest.raises(DataError, match="was changed in the records"):
        run_insights.run(settings)


def test_the_same_inputs_make_no_new_version_and_others_make_it_stale_not_wrong(
    settings: Settings, tmp_path: Path
) -> None:
    made = performed.files(tmp_path, performed.names(120), EFFECT)
    performed.bring(settings, made)
    run_insights.run(settings)
    run_insights.run(settings)
    (one,) = insights.listed(settings)
    assert one.newest.version == 1
    assert not one.moved
    with pytest.raises(DataError, match="The reason is empty"):
        publishing.publish(settings, one.row.id, " ", "olga")
    publishing.publish(settings, one.row.id, "the autumn test says so, too", "olga")
    values = dict(line.split(",") for line in Path(made.feature).read_text().splitlines()[1:])
    values["a0-0"] = "1" if values["a0-0"] == "0" else "0"
    imported.add(settings, feature(tmp_path / "again.csv", values), "smiles", "olga")
    stale = insights.find(settings, one.row.id)
    assert stale.moved == ("smiles has another version",)
    assert stale.figures == one.figures
    with pytest.raises(DataError, match="is stale"):
        publishing.publish(settings, one.row.id, "once more", "olga")
    run_insights.run(settings)
    fresh = insights.find(settings, one.row.id)
    assert (fresh.newest.version, fresh.row.published, fresh.moved) == (2, 1, ())
    publishing.retire(settings, one.row.id, "the new page changed it", "otto")
    with reading(settings) as session:
        history = [(row.action, row.version, row.who) for row in insights.history(session, one.row.id)]
    assert history == [("retire", 2, "otto"), ("publish", 1, "olga")]
    run_insights.run(settings)
    assert insights.find(settings, one.row.id).newest.version == 2
    for move in (publishing.publish, publishing.retire):
        with pytest.raises(DataError, match="retired"):
            move(settings, one.row.id, "after all", "olga")


def test_chance_is_not_published_and_few_titles_have_no_figure(settings: Settings, tmp_path: Path) -> None:
    performed.bring(settings, performed.files(tmp_path, performed.names(60), 0.0))
    run_insights.run(settings)
    (one,) = insights.listed(settings)
    assert not one.enough
    assert words(one).sentence.startswith("Not sure yet")
    with pytest.raises(DataError, match="may be chance"):
        publishing.publish(settings, one.row.id, "looks good", "olga")
    few = {name: number % 2 for number, (name, _) in enumerate(performed.names(10))}
    imported.add(settings, feature(tmp_path / "few.csv", few), "few", "olga")
    questions.register_features(settings, features.known(settings), "few", "olga")
    run_insights.run(settings)
    none = next(one for one in insights.listed(settings) if one.question.feature == "few")
    assert none.figures["estimate"] is None
    assert "Only 10 titles" in none.figures["why"]
    with pytest.raises(DataError, match="has no figure yet"):
        publishing.publish(settings, none.row.id, "looks good", "olga")
    with pytest.raises(UnknownInsight):
        insights.find(settings, 99)


def test_what_is_the_same_for_a_title_goes_with_the_takes_and_is_grade_d(settings: Settings, tmp_path: Path) -> None:
    assets = performed.names(160)
    made = performed.files(tmp_path, assets, 0.0)
    imports.add(settings, made.performance, arm="explore")
    takes = dict.fromkeys((title for _, title in assets), 0.0)
    for line in Path(made.performance).read_text().splitlines()[1:]:
        takes[line.split(",")[1]] += float(line.split(",")[4])
    middle = sorted(takes.values())[80]
    logo = {name: "logo" if takes[title] > middle else "plain" for name, title in assets}
    imported.add(settings, feature(tmp_path / "logo.csv", logo), "logo", "olga")
    questions.register_features(settings, features.known(settings), "logo", "olga")
    run_insights.run(settings)
    (one,) = insights.listed(settings)
    assert (one.newest.grade, one.figures["within"], one.figures["share_other_way"]) == ("D", False, None)
    said = words(one).sentence
    assert "goes with" in said
    assert "better" not in said
    assert "more often" not in said


def test_a_number_is_compared_by_standard_deviation_and_each_canvas_is_shown(
    settings: Settings, tmp_path: Path
) -> None:
    made = performed.files(tmp_path, performed.names(150), EFFECT, ("home", "tv"))
    imports.add(settings, made.performance, arm="explore")
    rng = np.random.default_rng(1)
    values = {name: float(value) + rng.normal(0, 0.2) for name, value in
              (line.split(",") for line in Path(made.feature).read_text().splitlines()[1:])}  # fmt: skip
    imported.add(settings, feature(tmp_path / "bright.csv", values), "brightness", "olga")
    questions.register_features(settings, features.known(settings), "brightness", "olga")
    run_insights.run(settings)
    one = next(one for one in insights.listed(settings) if not one.question.canvas)
    assert one.question.contrast == "per sd"
    assert one.figures["unit"] == pytest.approx(np.std(list(values.values())))
    assert [part["canvas"] for part in one.figures["canvases"]] == ["home", "tv"]
    whole = one.figures["estimate"]
    for part in one.figures["canvases"]:  # a canvas alone is drawn towards all of them
        assert abs(part["shrunk"]["estimate"] - whole) <= abs(part["estimate"] - whole)
    examples = one.figures["examples"]
    assert examples["same"]
    assert all(
        values[pair["first"]["asset_id"]] > values[pair["second"]["asset_id"]]
        for way in examples.values()
        for pair in way
    )


def test_the_order_of_rows_changes_nothing_and_canvases_do_not_lend_titles(settings: Settings, tmp_path: Path) -> None:
    made = performed.files(tmp_path, performed.names(60), EFFECT, ("home", "tv", "web"))
    performed.bring(settings, made)
    run_insights.run(settings)
    one = next(one for one in insights.listed(settings) if not one.question.canvas)
    other = workspace(tmp_path / "other")
    for path in (made.performance, made.feature):
        head, *rows = Path(path).read_text().splitlines()
        Path(path).write_text("\n".join([head, *sorted(rows, key=lambda row: hash(row) % 97), ""]))
    performed.bring(other, made)
    run_insights.run(other)
    twin = next(one for one in insights.listed(other) if not one.question.canvas)
    assert twin.figures["estimate"] == pytest.approx(one.figures["estimate"], abs=1e-12)
    assert one.figures["titles"] <= 60  # three canvases of a title are one piece of luck


def test_imported_features_say_what_was_left_out_and_refuse_what_cannot_be_asked(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "f.csv"
    path.write_text("asset_id,value\na,yes\nlonely\nb,no\nb,yes\n,no\nc,\nd,no,more\nd,no\nd,no\n")
    done = imported.add(settings, str(path), "smile", "olga")
    lines = {"bad row": [3, 8], "no asset_id": [6], "no value": [7], "two values": [4, 5]}
    assert done.row.faults == {reason: {"rows": len(rows), "examples": rows} for reason, rows in lines.items()}
    assert done.faults[0].text == (
        "2 rows left out: it does not have the columns of the header, or is not UTF-8 text (rows 3, 8)."
    )
    assert (done.row.rows, done.row.classes) == (2, ["yes", "no"])
    assert imported.add(settings, str(path), "smile", "olga").again
    path.write_text("asset_id,value\na,1.0\nb,0\nc,1\n")
    assert imported.add(settings, str(path), "flag", "olga").row.classes == ["1", "0"]
    for text, why in (
        ("asset_id,score\na,1\n", "no column value"),
        ("asset_id,value\na,yes\nb,yes\n", "nothing to compare"),
        ("asset_id,value\n,1\n", "No row"),
        ("asset_id,value\n" + "".join(f"a{n},word{n}\n" for n in range(30)), "30 different values"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=why):
            imported.add(settings, str(path), "odd", "olga")
    with pytest.raises(DataError, match="not a name"):
        imported.add(settings, str(path), "Not A Name", "olga")


def test_a_planned_test_finds_its_effect_in_four_of_five_draws() -> None:
    effect, rate, tau, rng = 0.1, 0.05, 0.2, np.random.default_rng(0)
    plan = needed(effect, rate, tau, 200)
    each = plan.impressions / plan.titles / 2
    hits, draws = 0, 400
    for _ in range(draws):
        true = rng.normal(effect, tau, plan.titles)
        first, second = rng.poisson(each * rate * np.exp(true / 2)), rng.poisson(each * rate * np.exp(-true / 2))
        gone = np.log((first + 0.5) / (second + 0.5))
        hits += abs(gone.mean()) > 1.96 * gone.std() / math.sqrt(plan.titles)
    assert 0.7 < hits / draws < 0.9
    # Each image is shown a whole number of times, so a hair more often than 4 of 5 need.
    assert 0.8 <= reached(effect, rate, tau, plan.titles, plan.impressions) < 0.803
    fewer, share = plan.titles // 4, plan.impressions // 4
    assert 0.2 < reached(effect, rate, tau, fewer, share) < 0.35  # 1.4 errors from 0 in place of 2.8
    assert needed(effect, rate, 1.0, 10).titles > 10  # no number of impressions is enough for ten titles
    with pytest.raises(NotEnoughLabels):
        needed(0.0, rate, tau, 10)


def test_across_titles_the_errors_count_titles_not_images() -> None:
    rng = np.random.default_rng(3)
    titles, each = 200, 6
    x = np.repeat(rng.integers(0, 2, titles), each).astype(float)
    title = np.repeat(np.arange(titles), each)
    takes = rng.poisson(1000 * 0.05 * np.exp(np.repeat(rng.normal(0, 0.5, titles), each)))
    rows = outcomes(np.arange(titles * each), title, np.zeros(titles * each), np.full(titles * each, 1000), takes)
    effect = across_titles(rows, x)
    assert effect.se > 3 * effect.model_se
    assert abs(effect.estimate - (naive(rows, x) or 0)) < 1e-9  # one canvas: the same figure, with an honest error
    with pytest.raises(NotEnoughLabels, match="on each"):
        across_titles(rows, np.where(title < 3, 1.0, 0.0))
