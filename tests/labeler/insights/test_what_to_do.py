"""Who makes artwork reads one line: what to do, never more than the grade and the state of an insight allow."""

from __future__ import annotations

from typing import Any

import pytest

from attune.labeler.insights.insights import Told
from attune.labeler.insights.what_to_do import ToDo, what_to_do
from attune.labeler.insights.words import NO_PROOF
from attune.labeler.records.schema import Insight, InsightQuestion, InsightVersion

CLEAR = {"estimate": 0.1, "q": 0.01, "within": True, "shrunk": {"estimate": 0.1}, "share_other_way": 0.31}
CLEAR |= {"rate": 0.1, "tau": 0.05, "titles": 40}


def to_do(
    grade: str, figures: dict[str, Any], state: str = "proposed", moved: tuple[str, ...] = (), missing: bool = False,
    **asked: str,
) -> ToDo:  # fmt: skip
    question = InsightQuestion(**{"feature": "smiles", "contrast": "1:0", "canvas": "", "kind": "attribute"} | asked)
    one = Told(Insight(id=3, state=state), question, InsightVersion(grade=grade, figures=CLEAR | figures), moved)
    return what_to_do(one, missing)


@pytest.mark.parametrize(
    ("grade", "figures", "said"),
    [
        (
            "A", {},
            "Prefer images with “smiles” to images without “smiles” where you have both. In about 31 % of titles it "
            f"goes the other way, so test before you replace a poster. {NO_PROOF}",
        ),
        (
            "B", {"shrunk": {"estimate": -0.1}, "share_other_way": 0.0},
            "Prefer images without “smiles” to images with “smiles” where you have both. No title is known to go the "
            "other way.",
        ),
        (  # next to nothing is no opposite
            "A", {"naive": -0.005, "share_other_way": 0.0},
            "Prefer images with “smiles” to images without “smiles” where you have both. No title is known to go the "
            "other way.",
        ),
        (
            "A", {"naive": -0.2, "share_other_way": 0.0},
            "Prefer images with “smiles” to images without “smiles” where you have both. No title is known to go the "
            "other way. Do not copy popular films: all films mixed seem to say the opposite.",
        ),
        (
            "C", {},
            "Try it in a test first: images with “smiles” beside images without “smiles”, shown at random. In about "
            f"31 % of titles it goes the other way. {NO_PROOF}",
        ),
        ("C", {"not_audited": True}, "Let experts check smiles before you choose by it."),
        ("C", {"not_audited": True, "hindered": "Few."}, "Do not choose by it before its errors are corrected."),
        (
            "D", {"within": False, "share_other_way": None},
            "Take it as a hint where to look, and do not choose by it. Ask it within titles: of images that differ in "
            "it.",
        ),
        (
            "A", {"q": 0.4},
            "Do nothing with it yet: no difference is known. More titles or impressions may tell, or a test.",
        ),
        ("", {"estimate": None}, "Do nothing with it yet: there is no figure."),
        (
            "", {"estimate": None, "uncorrected": {"estimate": 0.2}},
            "Do nothing with it yet: the only figure is not corrected, and wrong.",
        ),
        (
            "A", {"seen": True},
            "Do nothing with it yet: it was asked after figures of it could be seen; confirm it with new performance.",
        ),
    ],
)  # fmt: skip
def test_the_line_is_as_sure_as_the_insight(grade: str, figures: dict[str, Any], said: str) -> None:
    assert to_do(grade, figures).said == said
    assert not any(word in said.lower() for word in ("better", "statistic", "interval"))


def test_what_is_out_of_date_or_retired_is_not_used_whatever_its_grade() -> None:
    assert (
        to_do("A", {}, moved=("performance was added",)).said
        == "Have it answered again before you use it: it is out of date."
    )
    assert to_do("A", {}, state="retired", moved=("x",)).said.startswith("Do not use it: ")


def test_values_of_a_file_are_looked_at_first_and_a_number_has_no_two_kinds() -> None:
    said = to_do("A", {"unit": 12.3}, feature="brightness", contrast="per sd", canvas="home", kind="imported").said
    begin = "Look at some images first. If the file is right about them"
    assert said.startswith(f"{begin}: of several images, prefer one with a higher brightness on home.")
    forms = (("A", False, "prefer"), ("C", False, "try it in a test"), ("A", True, "make an image"))
    for grade, missing, then in forms:
        assert to_do(grade, {}, missing=missing, kind="imported").said.startswith(f"{begin}, {then} ")


@pytest.mark.parametrize("grade", ["A", "C"])
def test_a_title_without_such_an_image_is_told_to_make_one(grade: str) -> None:
    said = to_do(grade, {}, missing=True)
    assert said.said.startswith("Make an image with “smiles”, and test it beside the others. In about 31 %")
    assert said.test is None, "nothing can be tested before it is made"


def test_the_next_command_stands_where_there_is_a_command_line_alone() -> None:
    test, check = to_do("C", {}), to_do("C", {"not_audited": True})
    assert test.text == f"{test.said} To plan the test: `attune insights test 3 --to FILE`"
    assert check.text == f"{check.said} To ask them: `attune features audit smiles`"
    assert "`" not in test.said + check.said
    assert to_do("D", {"within": False}).test is None, "titles whose images are all of one kind cannot test it"


@pytest.mark.parametrize(
    ("changed", "can"), [({}, True), ({"tau": 0.9}, False), ({"shrunk": {"estimate": 0.0}}, False)]
)
def test_no_test_is_proposed_that_the_titles_cannot_answer(changed: dict[str, Any], can: bool) -> None:
    said = to_do("A", {"q": 0.4} | changed)
    assert said.test == (3 if can else None)
    assert [to_do(grade, changed).test for grade in ("A", "C")] == [said.test, said.test]
    assert said.said.endswith("may tell, or a test." if can else "may tell.")
