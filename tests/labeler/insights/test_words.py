"""The words beside a grade say what its own rows lack; the headline's interval is the one that decides."""

from __future__ import annotations

import re
from typing import Any

import pytest

from attune.labeler.insights.amounts import change, step
from attune.labeler.insights.beside_words import depends_words
from attune.labeler.insights.goes_with_words import sentence
from attune.labeler.insights.insights import Told
from attune.labeler.insights.words import NO_PROOF, chance, in_times, interval, other_way, reason, sides_of, unchecked
from attune.labeler.insights.words import sentence as sentence_of
from attune.labeler.records.schema import Insight, InsightQuestion, InsightVersion
from attune.labeler.views.insight_bars import halves_said, lines, reach_of, shrunk_bar
from attune.labeler.views.insights import struck


@pytest.mark.parametrize(
    ("grade", "changed", "said"),
    [
        ("A", {}, "Shown at random. The images"),
        ("A", {"q": 0.4}, "Shown at random. It is not known yet which images"),
        ("C", {"not_audited": True}, "Shown at random. What the detector gets wrong"),
        ("C", {"ratio": {"believed": False}}, "Planned as random"),
        ("C", {}, "Shown at random. An earlier answer had grade C"),
        ("B", {"basis": "logged"}, "Chosen with known chances. The images"),
        ("C", {"basis": "logged"}, "Chosen with known chances. An earlier answer had grade C"),
        ("C", {"basis": "every"}, "Not shown at random. Something else"),
        ("C", {"basis": "every", "undeclared": 5}, "Not shown at random. The rows have chances, and no import says"),
        ("D", {"basis": "every", "within": False}, "Compared across titles"),
        ("D", {"basis": "every"}, "Compared within titles. An earlier answer had grade D"),
    ],
)
def test_a_grade_is_explained_by_the_rows_that_answered(grade: str, changed: dict[str, object], said: str) -> None:
    figures = {"basis": "random", "random": True, "within": True, "not_audited": False, "ratio": {"believed": True}}
    figures |= {"estimate": 0.1, "q": 0.01}
    told = Told(Insight(), InsightQuestion(), InsightVersion(grade=grade, figures=figures | changed))
    assert reason(told).startswith(said)


def test_the_headline_says_the_interval_that_decides() -> None:
    """At the twelfth look the figure alone is clear of 0, and what decides is not."""
    figures = {"estimate": 0.05, "se": 0.02, "shrunk": {"estimate": 0.04, "se": 0.018}}
    once = figures | {"any_time": {"ci": [0.01, 0.09]}}
    later = figures | {"any_time": {"ci": [-0.01, 0.11]}}
    assert interval(once, True) == "Probably between 0.4 % and 8 % more often."
    assert interval(later, True) == "Anything between 1.4 % less and 10 % more often is possible."
    unsure = "No figure to use yet. Possible: between"
    assert interval(once, False) == f"{unsure} 0.4 % and 8 % more often, or no difference."  # beside all other answers
    assert interval(later, False) == f"{unsure} 1.4 % less and 10 % more often."
    for told in (once, later):
        possible = shrunk_bar(told, 0.1, enough=False).said
        assert interval(told, False) == f"No figure to use yet. Possible: {possible}.", "one range has one saying"
    bar = shrunk_bar(later, 0.1)
    assert bar.low < 50 < bar.low + bar.width
    assert shrunk_bar(later, 0.05).cut, "what is wider than the one scale of all insights is cut, and says so"
    assert not bar.cut


def told_with_error(se: float, q: float, state: str = "proposed") -> Told:
    figures = {"estimate": 0.08, "se": se, "shrunk": {"estimate": 0.08, "se": se}, "q": q}
    return Told(Insight(state=state), InsightQuestion(), InsightVersion(figures=figures))


def test_the_scale_is_that_of_what_is_sure_so_that_its_bars_can_be_seen() -> None:
    sure, unsure = told_with_error(0.02, 0.01), told_with_error(0.9, 0.6)
    alone = reach_of([sure])
    assert reach_of([sure, unsure, told_with_error(0.5, 0.01, "retired")]) == alone
    assert not shrunk_bar(sure.figures, alone).cut
    assert shrunk_bar(unsure.figures, alone).cut
    assert not shrunk_bar(unsure.figures, reach_of([unsure])).cut, "where nothing is sure, the guesses fit"


def test_the_step_of_a_number_is_named_in_its_own_units() -> None:
    figures = {"within": True, "unit": 12.345, "rate": 0.05, "estimate": 0.1, "q": 0.01, "shrunk": {"estimate": 0.1}}
    asked = InsightQuestion(feature="brightness", contrast="per sd", canvas="")
    one = Told(Insight(), asked, InsightVersion(figures=figures))
    said = "an image whose brightness is 12 higher (a usual difference between two images) is taken 11 % more often."
    assert sentence_of(one) == f"Within a title, {said}"
    assert in_times(one).endswith("one whose brightness is 12 higher about 553 times.")
    figures["within"] = False
    assert sentence_of(one).startswith("Across titles, artwork whose brightness is 12 higher (")
    assert [step(unit) for unit in (0.08349, 1.0, 1234.5)] == ["0.083", "1", "1,200"], "never 1.23e+03"
    entry = {"feature": "saturation", "contrast": "per sd", "unit": 3.21, "seen": False, "estimate": 0.2, "q": 0.01}
    entry |= {"titles": 40, "assets": 80, "impressions": 100, "high": None, "low": None}
    assert depends_words(one, entry).note.endswith("High and low are 3.2 above and below the average saturation.")


def test_what_is_said_of_chance_and_of_the_other_way_needs_no_statistics() -> None:
    assert chance(0.05) == "Of answers as clear as this one, about 1 in 20 is a false alarm (q 0.050)."
    assert chance(0.858) == "This is probably only chance."
    for estimate, there in ((0.1, "less"), (-0.1, "more")):
        said = other_way({"share_other_way": 0.31, "shrunk": {"estimate": estimate}})
        assert said.endswith(
            f"31 % of titles it goes the other way: there, such images are taken {there} often. {NO_PROOF}"
        )


@pytest.mark.parametrize(
    ("contrast", "effect", "rate", "said"),
    [
        ("yes:no", 0.14, 0.076, "the image without “smiles” is taken 76 times; the one with it about 87 times."),
        ("no:yes", -0.14, 0.087, "the image with “smiles” is taken 87 times; the one without it about 76 times."),
        ("a:b", -0.07, 0.6, "the image with “b” is taken 600 times; the one with “a” about 559 times."),
        ("a:b", 0.14, 0.0, "the image with “b” is taken 100 times; the one with “a” about 115 times."),
        ("a:b", 0.0344, 0.3, "the image with “b” is taken 300 times; the one with “a” about 310 times."),
    ],
)
def test_a_percentage_is_also_said_in_times_shown(contrast: str, effect: float, rate: float, said: str) -> None:
    """+15 % of a few is not 15 points: the mean of the data is where the example begins."""
    assert in_times(told_of(contrast, effect, rate)) == f"Shown 1,000 times, {said}"


@pytest.mark.parametrize(
    ("contrast", "sides"),
    [
        ("yes:no", ("with “smiles”", "without “smiles”")),
        ("no:yes", ("without “smiles”", "with “smiles”")),
        ("False:True", ("without “smiles”", "with “smiles”")),
        ("dog:no dog", ("with “dog”", "without “dog”")),
        ("not dog:dog", ("without “dog”", "with “dog”")),
        ("dog:cat", ("with “dog”", "with “cat”")),
        ("per sd", ("with a higher smiles", "with a lower smiles")),
    ],
)
def test_both_sides_name_what_is_looked_at_whichever_was_asked_first(contrast: str, sides: tuple[str, str]) -> None:
    assert sides_of("smiles", contrast) == sides


def told_of(contrast: str, effect: float, rate: float) -> Told:
    figures = {"within": True, "unit": None, "rate": rate, "shrunk": {"estimate": effect}}
    return Told(Insight(), InsightQuestion(feature="smiles", contrast=contrast), InsightVersion(figures=figures))


@pytest.mark.parametrize(("effect", "rate", "shown"), [(0.01, 0.6, "10,000"), (0.0005, 0.05, "1,000,000")])
def test_a_small_difference_is_shown_by_whole_takes(effect: float, rate: float, shown: str) -> None:
    said = in_times(told_of("a:b", effect, rate))
    assert said.startswith(f"Shown {shown} times, ")
    base, more = (int(part.replace(",", "")) for part in re.findall(r"([\d,]+) times[;.]", said))
    assert more / base - 1 == pytest.approx(effect, rel=0.05)


@pytest.mark.parametrize(("effect", "rate"), [(0.3, 0.9), (1e-8, 0.05)])
def test_no_example_is_given_where_none_can_be(effect: float, rate: float) -> None:
    """121 takes of 100 times shown; or a difference that not one take in a million shows."""
    assert in_times(told_of("a:b", effect, rate)) == ""


@pytest.mark.parametrize(
    ("kind", "figures", "told"),
    [
        # where the file was made, people may have
        ("imported", {}, "Nobody has checked here whether the file is right about faces"),
        ("measured", {"not_audited": True}, "Values of faces not checked by people"),
        ("measured", {"not_audited": True, "hindered": "Too few."}, ""),  # people are at it; its caution says so
        ("attribute", {"not_audited": False}, ""),
    ],
)
def test_a_grade_stands_beside_values_that_nobody_checked(kind: str, figures: dict[str, object], told: str) -> None:
    one = Told(Insight(), InsightQuestion(feature="faces", kind=kind), InsightVersion(grade="A", figures=figures))
    assert unchecked(one) == told


def side(name: str, mean: float, half: float = 0.02) -> dict[str, Any]:
    return {"side": name, "mean": mean, "low": mean - half, "high": mean + half}


@pytest.mark.parametrize(
    ("sides", "uncorrected", "said"),
    [
        ([], False, "faces goes with takes, on too few titles to say which images."),
        (
            [side("two", 0.06), side("one", -0.06)],
            False,
            "Images with “two” go with 6 % more takes than an average image of all titles in the same place and "
            "period: probably between 4 % and 8 % more takes.",
        ),
        (
            [side("two", 0.01), side("one", -0.06)],
            False,
            "Images with “one” go with 6 % fewer takes than an average image of all titles in the same place and "
            "period: probably between 4 % and 8 % fewer takes. None of its images goes measurably with more takes.",
        ),
        (
            [side("two", 0.06), side("none", 0.0), side("one", -0.06)],
            True,
            "Images that faces reads as “two” go with more takes. Images that faces reads as “one” go with fewer "
            "takes. That may be misreading, which is not corrected here.",
        ),
        (
            [side("two", 0.01), side("one", -0.01)],
            False,
            "faces goes with takes together with other features. Alone, none of its images goes measurably with more "
            "takes.",
        ),
    ],
)
def test_what_goes_with_takes_says_no_more_than_is_known(
    sides: list[dict[str, Any]], uncorrected: bool, said: str
) -> None:
    one = {"feature": "faces", "sides": sides, "boosting": {"low": 0.01}, "linear": {"low": -0.01}}
    assert sentence(one, ["two", "one", "none"], uncorrected) == said
    one["boosting"]["low"] = 0.0  # shared with another feature, which does not mean that it makes no difference
    assert sentence(one, ["two", "one", "none"], uncorrected) == (
        "faces adds nothing measurable beside the other features."
    )


def test_only_a_sure_sign_is_said_to_turn_round() -> None:
    figures = {"estimate": 0.1, "shrunk": {"estimate": 0.08}, "naive": -0.2, "within": True}
    for q, turned in ((0.01, True), (0.4, False)):
        ((_, why),) = struck(Told(Insight(), InsightQuestion(), InsightVersion(figures=figures | {"q": q})))
        assert ("says the opposite" in why) is turned


def test_a_corrected_figure_is_never_called_the_counted_one_that_is_struck_through() -> None:
    figures = {"estimate": 0.09, "se": 0.02, "ci": [0.05, 0.13], "shrunk": {"estimate": 0.08, "se": 0.02}, "titles": 40}
    figures |= {"any_time": {"ci": [0.04, 0.14]}, "within": True, "naive": None}
    assert [one.name for one in lines(figures, 0.2)][1].startswith("As counted")
    figures |= {"corrected": {"estimate": 0.09}, "uncorrected": {"estimate": 0.05}}
    assert all(one.name.startswith("Corrected") for one in lines(figures, 0.2)[1:])
    ((_, why),) = struck(Told(Insight(), InsightQuestion(), InsightVersion(figures=figures)))
    assert why.startswith("as counted, before the correction")


def test_nothing_is_no_negative_nothing_and_a_bare_number_says_of_what() -> None:
    assert [change(one) for one in (-1e-4, 0.0, 1e-4, -0.004, 0.004)] == [
        "±0.0 %",
        "±0.0 %",
        "±0.0 %",
        "−0.4 %",
        "+0.4 %",
    ]
    assert sides_of("faces", "1:2") == ("with “faces: 1”", "with “faces: 2”")
    assert sides_of("main_colour", "red:blue") == ("with “red”", "with “blue”")


@pytest.mark.parametrize(
    ("first", "second", "said"), [(0.1, 0.3, "the same way"), (0.1, -0.3, "different ways"), (0.1, None, "")]
)
def test_two_halves_are_said_to_agree_only_where_they_do(first: float, second: float | None, said: str) -> None:
    told = halves_said({"discovery": {"estimate": first}, "confirmation": {"estimate": second}})
    assert bool(told) == bool(said)
    assert said in told


def test_a_figure_that_is_not_sure_is_never_called_the_one_to_use() -> None:
    figures = {
        "estimate": 0.01,
        "se": 0.02,
        "ci": [-0.03, 0.05],
        "shrunk": {"estimate": 0.003, "se": 0.01},
        "titles": 4,
    }
    (first, *_) = lines(figures | {"within": True}, 0.2, enough=False)
    assert first.name == "No figure to use yet"
    assert first.bar is not None
    assert first.bar.said == "possible: between 1.6 % less and 2 % more often"
