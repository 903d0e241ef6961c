"""How an expert answers next: as the last run suggests, until the expert chooses."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from attune.labeler.labelling import next_pages, next_questions, page_advice
from attune.labeler.labelling.page_advice import PAGE, SINGLE, SUGGESTED
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.run_advice import PageAdvice
from attune.models.errors import AccessError, DataError
from tests.support import factories
from tests.support.page_desk import PageDesk

PAGES_WIN = PageAdvice(answers=40, revision=1, page=0.6, single=0.4, page_seconds=0.93, single_seconds=1.65)
SINGLES_WIN = PageAdvice(answers=40, revision=1, page=0.3, single=0.4, page_seconds=2.1, single_seconds=1.65)


@pytest.fixture
def desk(tmp_path: Path) -> PageDesk:
    return PageDesk(factories.workspace(tmp_path), 1)


def run(desk: PageDesk, advice: PageAdvice | None, revision: int = 1, answers: int = 40) -> None:
    held = {"pages": asdict(advice) | {"revision": revision}} if advice else {}
    factories.add_run(desk.settings, desk.attribute, answers=answers, advice=held)


def said(desk: PageDesk) -> tuple[str, str, str]:
    """Where the expert starts, and what single images and pages suggest."""
    start = page_advice.of_viewer(desk.settings, desk.viewer, "tender").name
    single = next_questions.ahead(desk.settings, desk.viewer, "tender").advice
    return start, single, next_pages.ahead(desk.settings, desk.viewer, "tender").advice


def test_where_pages_teach_more_work_starts_there_and_single_images_say_why(desk: PageDesk) -> None:
    run(desk, PAGES_WIN)
    start, single, page = said(desk)
    assert (start, page) == (PAGE, "")
    assert "more per minute from pages" in single
    assert not re.search(r"\d", single), "from seconds one could work out what the probe expects of the next images"


def test_where_single_images_teach_more_work_starts_there_and_pages_say_so(desk: PageDesk) -> None:
    run(desk, PAGES_WIN)
    run(desk, SINGLES_WIN, answers=41)
    assert said(desk)[0] == PAGE, "a suggestion that turned with an answer would tell what was learned from it"
    run(desk, SINGLES_WIN, answers=60)
    start, single, page = said(desk)
    assert (start, single) == (SINGLE, "")
    assert "from single images" in page


@pytest.mark.parametrize("revision", [1, 2])
def test_nothing_is_suggested_before_a_comparison_of_todays_question(desk: PageDesk, revision: int) -> None:
    if revision == 2:
        run(desk, PAGES_WIN, revision)  # of another revision than the attribute's
    assert said(desk) == (SINGLE, "", "")


@pytest.mark.parametrize(("chosen", "against"), [(SINGLE, PAGES_WIN), (PAGE, SINGLES_WIN)])
def test_what_an_expert_chose_stays_until_the_expert_asks_for_suggestions(
    desk: PageDesk, chosen: str, against: PageAdvice
) -> None:
    run(desk, against)
    page_advice.choose(desk.settings, desk.viewer, "tender", chosen)
    run(desk, against)
    assert said(desk) == (chosen, "", "")
    page_advice.choose(desk.settings, desk.viewer, "tender", SUGGESTED)
    assert said(desk)[0] != chosen


def test_only_a_way_that_there_is_can_be_chosen_and_only_for_the_own_queue(desk: PageDesk) -> None:
    with pytest.raises(DataError, match="no way to answer"):
        page_advice.choose(desk.settings, desk.viewer, "tender", "both")
    with pytest.raises(AccessError, match="no queue"):
        page_advice.choose(desk.settings, Viewer("expert", "nobody@desk.example"), "tender", PAGE)
