"""A brief claims no more than its lines know, and says which of them nobody measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from attune.labeler.briefs import order
from attune.labeler.briefs.as_html import as_html
from attune.labeler.briefs.as_json import as_json
from attune.labeler.briefs.brief import Brief
from attune.labeler.briefs.line import Line
from attune.labeler.briefs.tastes import Tastes
from attune.labeler.insights.amounts import unbroken, unbroken_page
from attune.labeler.insights.features import PER_SD
from attune.labeler.insights.insights import Told
from attune.labeler.insights.words import Words
from attune.labeler.records.schema import Asset, Insight, InsightQuestion, InsightVersion

WORDS = Words("Smiles work.", "", "", "", ("", ""))


def line(
    has: int, lacks: int, grade: str = "A", use: str = "with a", contrast: str = "1:0", simulated: bool = False
) -> Line:  # fmt: skip
    figures = {"within": grade != "D", "simulated": simulated, "estimate": 0.1, "shrunk": {"estimate": 0.1}, "q": 0.01}
    figures |= {"rate": 0.1, "tau": 0.05, "titles": 40}
    row, asked = Insight(id=1, state="proposed"), InsightQuestion(feature="a", contrast=contrast, canvas="")
    one = Told(row, asked, InsightVersion(version=1, grade=grade, figures=figures))
    return Line(one, WORDS, use, "", ["x"] * has, ["y"] * lacks, [], [])


def brief(*lines: Line) -> Brief:
    images = [Asset(asset_id=f"a{number}", title_id="t") for number in range(4)]
    return Brief("t", images, lines, Tastes([], why="No groups."), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([line(1, 3), line(4, 0)], "Its 4 images show each kind that is taken more often elsewhere."),
        ([line(1, 3), line(0, 0, use="with b")], "Nobody knows yet whether it has: images with b."),
        ([line(0, 4, "D", "with d")], "None here, and nobody knows whether it matters: images with d."),
        (
            [line(0, 4), line(0, 0, use="with b")],
            "Taken more often elsewhere, and missing here: images with a. Nobody knows yet whether it has: images with "
            "b.",
        ),
    ],
)
def test_a_title_covers_all_only_where_it_has_something_of_each_line(lines: list[Line], said: str) -> None:
    assert brief(*lines).summary == said


def test_the_strongest_evidence_is_read_first_and_says_why() -> None:
    def told(grade: str, q: float, kind: str = "attribute", state: str = "proposed") -> Line:
        found = line(1, 3, grade)
        found.one.figures.update(q=q, titles=40)
        found.one.question.kind, found.one.row.state, found.one.row.published = kind, state, 1
        return found

    weak, unseen, sure, unsure = told("C", 0.0), told("A", 0.0, "imported"), told("A", 0.01), told("A", 0.05)
    stands = told("A", 0.09, state="published")
    lines = sorted([weak, unsure, unseen, sure, stands], key=lambda one: order.strength(one.one))
    assert [lines.index(one) for one in (stands, sure, unsure, unseen, weak)] == [0, 1, 2, 3, 4]
    assert replace(sure, words=replace(WORDS, reason="Chance.")).why_here == "Strong evidence, from 40 titles. Chance."
    assert weak.why_here.startswith("Weak evidence, from 40 titles.")


def test_no_title_lacks_a_number_because_the_insight_compares_within_titles() -> None:
    number = line(0, 4, contrast=PER_SD, use="with a higher brightness")
    assert not number.missing
    assert "Missing" not in number.covers
    assert "missing" not in brief(number).summary
    assert brief(number, line(1, 3)).summary.startswith("Its 4 images show each kind")


def test_what_is_taken_less_often_elsewhere_is_no_rule() -> None:
    one = line(1, 1)
    one = replace(one, less="without a")
    assert one.more_often == "Other films, with a: taken more often"
    assert one.less_often == "Other films, without a: taken less often"
    one.one.figures["share_other_way"] = 0.32
    assert one.less_often == "Other films, without a: taken less often (not in about 32 % of titles)"


def test_programs_read_what_the_page_says_of_this_film_and_what_to_do() -> None:
    here = "In this film its image with a did worse than its others."
    one = replace(line(1, 3), here=here, one=replace(line(1, 3).one, moved=("a has another version",), means="A."))
    page, (told,) = as_html(brief(one), {}).decode(), as_json(brief(one))["lines"]
    assert (told["here"], told["means"], told["moved"]) == (here, "A.", ["a has another version"])
    assert told["what_to_do"] == "Have it answered again before you use it: it is out of date."
    for name in ("here", "means", "what_to_do"):
        assert told[name] in page
    assert "a has another version" in page
    missing = line(0, 4)
    assert as_json(brief(missing))["lines"][0]["what_to_do"].startswith("Make an image ")


@pytest.mark.parametrize("simulated", [True, False])
def test_both_files_say_that_performance_is_simulated(simulated: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made, said, heights = brief(line(1, 3, simulated=simulated)), [], []
    from attune.labeler.briefs import as_pdf  # here, as it takes each process that collects the tests half a second

    plain = as_pdf._Page.said

    def listen(self: as_pdf._Page, text: str, *rest: object, **named: object) -> None:
        said.append(text)
        bare = as_pdf.Text("Prefer images with a.", 9)
        heights.append(self._height(replace(bare, label="What to do:  ")) / self._height(bare))
        plain(self, text, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(as_pdf._Page, "said", listen)
    as_pdf.as_pdf(made, {})
    assert heights[0] == pytest.approx(2), "a label is bold, so its paragraph may need a line more"
    for text in (as_html(made, {}).decode(), " ".join(said)):
        assert ("Simulated performance" in text) is simulated
        assert ("not published yet, simulated performance" in text) is simulated
    mixed = replace(made, lines=[*made.lines, line(1, 3, simulated=not simulated)])
    assert "the figures of the lines that say so" in as_html(mixed, {}).decode()


def test_what_to_do_names_the_titles_own_images_where_they_are_few() -> None:
    two = replace(line(2, 1), has=["t-1", "t-2"], lacks=["t-3"])
    assert ": here t-1 or t-2 rather than t-3." in two.to_do.said
    for other in (line(5, 1), line(1, 5), line(2, 0), replace(two, here="In this film they did worse.")):
        assert ": here" not in other.to_do.said


def test_a_title_whose_own_images_did_otherwise_is_not_told_to_prefer_such_images() -> None:
    here = replace(line(1, 3), here="In this film its image with a did worse than its others. Test it.")
    assert here.to_do.said.startswith("Try it in a test first: ")
    assert here.to_do.test == 1
    missing = replace(line(0, 3), here="Its best images are of the other kind. Test one beside its others.")
    assert missing.to_do.said.startswith("Make an image ")


def test_no_line_ends_before_a_percent_sign_and_no_form_sends_another_space() -> None:
    page = unbroken_page('<option value="50 %" title="9 %">50 % of it</option><p>9 % more</p>')
    assert page == '<option value="50 %" title="9 %">50\xa0% of it</option><p>9\xa0% more</p>'
    assert unbroken("11 % less, 9 %") == "11\xa0% less, 9\xa0%"
