"""How long an answer takes, by single images and by pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attune.labeler.answers import ingest
from attune.labeler.answers.answer_seconds import Pace, Way, expected, pace, timed_pages
from attune.labeler.labelling import take_pages
from attune.labeler.records.session import reading
from attune.models.query.page_value import Seconds, TimedPage
from tests.support import factories
from tests.support.page_desk import PageDesk, tick


def test_on_a_page_where_no_tick_is_no_answer_every_image_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = PageDesk(factories.workspace(tmp_path), 3, classes=("tender", "cold", "other"))
    monkeypatch.setattr(take_pages, "label_studio", lambda _: desk.store)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    for page, marks in zip(desk.pages, (range(6), range(3), range(4)), strict=True):
        desk.take(tick(page, *marks))
    with reading(desk.settings) as session:
        assert sorted(one.marks for one in timed_pages(session, desk.attribute.id)) == [3, 4, 6]
        found = expected(session, desk.attribute.id)
    assert found.look == pytest.approx(2.0 - Seconds().mark * 4 / 12), "24 s on 12 images, 4 of them marked"


def test_a_page_without_a_tick_says_nothing_and_its_time_counts_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = PageDesk(factories.workspace(tmp_path), 3, classes=("tender", "cold", "other"))
    monkeypatch.setattr(take_pages, "label_studio", lambda _: desk.store)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    ticked, quick, skipped = desk.pages

    def timed() -> list[TimedPage]:
        with reading(desk.settings) as session:
            return timed_pages(session, desk.attribute.id)

    desk.take(tick(ticked, 0, 1))
    desk.take(replace(tick(quick), seconds=6.0), tick(skipped, skip=True))
    assert timed() == [TimedPage(2.0, 12, 2), TimedPage(0.5, 12, 0)]
    assert desk.said(quick) == {}
    desk.take(replace(tick(quick, 3), seconds=6.0))
    assert [one.marks for one in timed()] == [1, 2], "its answer has the seconds of both looks"


def test_a_page_without_a_tick_that_says_the_other_class_is_timed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = PageDesk(factories.workspace(tmp_path), 1)
    monkeypatch.setattr(take_pages, "label_studio", lambda _: desk.store)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    desk.take(tick(desk.pages[0]))
    with reading(desk.settings) as session:
        assert timed_pages(session, desk.attribute.id) == [TimedPage(2.0, 12, 0)]


def test_each_way_has_its_median_and_breaks_and_few_answers_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = factories.workspace(tmp_path)
    desk = PageDesk(settings, 1)
    monkeypatch.setattr(take_pages, "label_studio", lambda _: desk.store)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    with reading(settings) as session:
        assert pace(session, desk.attribute.id) is None
        assert expected(session, desk.attribute.id) == Seconds(), "the keystroke-level model's"
    desk.take(tick(desk.pages[0], 0, unsure=[1]))
    queue = factories.add_queue(settings, desk.attribute, factories.add_expert(settings, "chidi@desk.example"))
    for asset, seconds in zip(factories.add_assets(settings, 12), [4000.0, *[1.0] * 5, *[3.0] * 6], strict=True):
        factories.add_answer(settings, queue, asset, "other", lead_seconds=seconds)
    with reading(settings) as session:
        assert pace(session, desk.attribute.id) == Pace(None, Way(2.0, 12)), "eleven single answers are too few"
    factories.add_answer(settings, queue, factories.add_assets(settings, 1)[0], "other", lead_seconds=3.0)
    with reading(settings) as session:
        assert pace(session, desk.attribute.id) == Pace(Way(3.0, 12), Way(2.0, 12))
        found = expected(session, desk.attribute.id)
    assert (found.single, found.mark) == (3.0, 3.0)
    assert found.look == pytest.approx(2.0 - 3.0 * 2 / 12), "less what one tick and one unsure took"
