"""Pages of images in a real Chromium: ticks by click and key, undo, submit, the way back, reload, the window's use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Page, expect

from attune.labeler.answers import ingest
from attune.labeler.labelling import take_pages
from attune.labeler.labelling.take_answers import STORED
from attune.labeler.queues.grids import SIZE
from attune.labeler.records.schema import Attribute, Grid, GridPage
from attune.labeler.records.session import writing
from attune.labeler.web.app import create_app
from attune.models.clock import now
from tests.support import axe, factories, web
from tests.support.browser import finished, shown
from tests.support.looks import enter
from tests.support.page_desk import PageDesk, tick

pytestmark = pytest.mark.browser
COUNT = 5
OUTBOX = re.compile(r'data-outbox="([^"]+)"')  # what the browser's memory of these pages is called


@dataclass(frozen=True)
class Served:
    """Pages behind a served console."""

    address: str
    desk: PageDesk


@pytest.fixture
def served(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    desk = PageDesk(factories.workspace(tmp_path, redis_url=redis_url), COUNT, images=True)
    factories.add_user(desk.settings, "ana@desk.example", "expert", desk.ana)
    monkeypatch.setattr(take_pages, "label_studio", lambda _: desk.store)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    with web.served(create_app(desk.settings)) as address:
        yield Served(address, desk)


def begin(page: Page, served: Served, chosen_before: bool = True) -> str:
    """Log in, open the page of 12 images, close the instructions; the keys of the pages on the screen.

    Whoever chose 12 before, in this browser, loads no 24 images first, and 24 more for the next page.
    """
    enter(page, served.address, "ana@desk.example")
    address = f"{served.address}/attributes/tender/pages"
    if chosen_before:
        found = OUTBOX.search(page.context.request.get(address).text())
        assert found
        page.add_init_script(f"localStorage['{found.group(1)}:size'] ??= '12'")
    page.goto(address)
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    if not chosen_before:
        shown(page)
        page.get_by_role("button", name="12", exact=True).click()
    expect(page.locator("[data-cell]")).to_have_count(12)
    return shown(page)


def submit(page: Page, before: str) -> str:
    page.wait_for_timeout(450)  # nobody looks at a page for less
    page.keyboard.press("Enter")
    return shown(page, before)


# Enter, and twice more as soon as the next page is painted: sent from here, a busy machine would be too late for it.
PRESSED_AGAIN = """() => new Promise((done) => {
    const before = document.body.dataset.shown;
    const press = () => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    const look = () => {
        if (document.body.dataset.shown === before) { requestAnimationFrame(look); return; }
        press(); press(); done();
    };
    press();
    look();
})"""


def all_stored(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-unsent", "0")


def marks(page: Page) -> dict[int, str]:
    found = page.evaluate("[...document.querySelectorAll('[data-cell]')].map(cell => cell.dataset.mark)")
    return {at: mark for at, mark in enumerate(found) if mark}


def others(**said: str) -> dict[int, str]:
    return dict.fromkeys(range(SIZE), "other") | {int(at[1:]): value for at, value in said.items()}


def test_a_page_is_ticked_by_key_and_by_click_and_submitted_by_enter(page: Page, served: Served) -> None:
    first = begin(page, served)
    expect(page.get_by_role("heading", name="Tick every image that is “tender”")).to_be_visible()
    page.keyboard.press("Space")
    for key in ("ArrowRight", "1", "ArrowRight", "u", "ArrowRight", "Space", "Space"):
        page.keyboard.press(key)
    page.locator("[data-cell='7'] .tick-button").click()
    assert marks(page) == {0: "tick", 1: "tick", 2: "unsure", 7: "tick"}
    expect(page.get_by_text("3 tender · 8 other · 1 unsure")).to_be_visible()
    second = submit(page, first)
    assert second == served.desk.pages[1].key
    assert marks(page) == {}
    all_stored(page)
    assert served.desk.said(served.desk.pages[0]) == others(a0="tender", a1="tender", a2="unsure", a7="tender")


def test_undo_takes_the_last_change_back_zoom_ticks_too_and_single_images_are_a_button_away(
    page: Page, served: Served
) -> None:
    begin(page, served)
    for key in ("Space", "ArrowRight", "u", "Space"):
        page.keyboard.press(key)
    assert marks(page) == {0: "tick", 1: "tick"}
    page.keyboard.press("z")
    assert marks(page) == {0: "tick", 1: "unsure"}
    page.keyboard.press("Backspace")
    page.keyboard.press("z")
    page.keyboard.press("z")
    assert marks(page) == {}
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    image = page.get_by_role("img", name="Image 1, enlarged")
    expect(image).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_role("img", name="Image 2, enlarged")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-zoomed]")).to_be_hidden()
    assert marks(page) == {1: "tick"}
    page.get_by_role("button", name="Single images", exact=True).click()
    page.wait_for_url("**/label")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pages of images").click()
    page.wait_for_url("**/pages")
    shown(page)


def test_the_last_page_can_be_corrected_and_the_page_left_keeps_its_ticks(page: Page, served: Served) -> None:
    first = begin(page, served)
    page.keyboard.press("Space")
    second = submit(page, first)
    page.keyboard.press("End")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Previous page").click()
    assert shown(page, second) == first
    expect(page.get_by_text("You have answered this page. Change it, then press Save page.")).to_be_visible()
    assert marks(page) == {0: "tick"}
    page.locator("[data-cell='0'] .tick-button").focus()
    page.keyboard.press("z")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert submit(page, first) == second
    assert marks(page) == {SIZE - 1: "tick"}
    all_stored(page)
    assert served.desk.said(served.desk.pages[0]) == others(a1="tender")
    assert served.desk.said(served.desk.pages[1]) == {}


def test_ticks_and_the_way_back_outlive_a_reload(page: Page, served: Served) -> None:
    first = begin(page, served, chosen_before=False)
    page.keyboard.press("u")
    second = submit(page, first)
    page.keyboard.press("Space")
    all_stored(page)
    page.reload()
    assert shown(page) == second
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("[data-cell]")).to_have_count(12)  # the size is remembered
    assert marks(page) == {0: "tick"}
    page.keyboard.press("PageUp")
    assert shown(page, second) == first
    assert marks(page) == {0: "unsure"}


def test_pages_submitted_while_label_studio_is_away_are_kept_and_sent_later(page: Page, served: Served) -> None:
    first = begin(page, served)
    served.desk.store.away = True
    page.keyboard.press("Space")
    second = submit(page, first)
    expect(page.get_by_role("alert")).to_contain_text("12 answers are kept in this browser")
    page.on("dialog", lambda dialog: dialog.accept())  # the browser asks before it leaves
    page.reload()
    assert shown(page) == second, "what is on its way is not asked again"
    served.desk.store.away = False
    all_stored(page)
    assert served.desk.said(served.desk.pages[0]) == others(a0="tender")


def test_a_larger_page_shows_more_at_once_and_keeps_the_ticks(page: Page, served: Served) -> None:
    begin(page, served)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_role("button", name="48", exact=True).click()
    expect(page.locator("[data-cell]")).to_have_count(48)
    both = shown(page)
    assert marks(page) == {1: "tick"}
    page.keyboard.press("End")
    page.keyboard.press("Space")
    assert submit(page, both) == served.desk.pages[4].key
    all_stored(page)
    assert served.desk.said(served.desk.pages[0]) == others(a1="tender")
    assert served.desk.said(served.desk.pages[3]) == others(a11="tender")


def test_a_key_pressed_twice_submits_one_page(page: Page, served: Served) -> None:
    begin(page, served)
    page.wait_for_timeout(450)
    page.evaluate(PRESSED_AGAIN)
    all_stored(page)
    assert served.desk.said(served.desk.pages[0])
    assert served.desk.said(served.desk.pages[1]) == {}


def test_an_image_that_cannot_be_shown_gets_no_answer(page: Page, served: Served) -> None:
    broken = f"**/{served.desk.assets[3].asset_id}?size=*"
    page.route(broken, lambda route: route.fulfill(status=404))
    first = begin(page, served)
    expect(page.get_by_text("This image cannot be shown.")).to_be_visible()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    submit(page, first)
    all_stored(page)
    said = served.desk.said(served.desk.pages[0])
    assert said == {at: "other" for at in range(SIZE) if at != 3}


def test_on_an_answered_page_an_image_that_does_not_load_keeps_its_answer(page: Page, served: Served) -> None:
    first = begin(page, served)
    for key in ("Space", "ArrowRight", "u"):
        page.keyboard.press(key)
    second = submit(page, first)
    all_stored(page)
    for number in (0, 1, 2):
        page.route(f"**/{served.desk.assets[number].asset_id}?size=*", lambda route: route.fulfill(status=503))
    page.reload()
    assert shown(page) == second
    page.keyboard.press("PageUp")
    shown(page, second)
    expect(page.get_by_text("This image cannot be shown. Your answer stays.")).to_have_count(3)
    page.keyboard.press("End")
    page.keyboard.press("Space")
    submit(page, first)
    all_stored(page)
    assert served.desk.said(served.desk.pages[0]) == others(a0="tender", a1="unsure", a11="tender")


def test_a_skipped_page_can_be_answered_without_a_tick_after_a_reload(page: Page, served: Served) -> None:
    first = begin(page, served)
    page.wait_for_timeout(450)
    page.keyboard.press("-")
    second = shown(page, first)
    all_stored(page)
    page.reload()
    assert shown(page) == second
    page.keyboard.press("PageUp")
    shown(page, second)
    expect(page.get_by_text("You skipped this page.")).to_be_visible()
    submit(page, first)
    all_stored(page)
    assert served.desk.said(served.desk.pages[0]) == others()


def test_an_image_that_loads_on_the_second_look_gets_its_answer(page: Page, served: Served) -> None:
    broken = f"**/{served.desk.assets[3].asset_id}?size=*"
    page.route(broken, lambda route: route.fulfill(status=503))
    first = begin(page, served)
    second = submit(page, first)
    all_stored(page)
    page.unroute(broken)
    page.reload()
    assert shown(page) == second
    page.keyboard.press("PageUp")
    shown(page, second)
    assert 3 not in served.desk.said(served.desk.pages[0])
    submit(page, first)
    all_stored(page)
    assert served.desk.said(served.desk.pages[0]) == others()


def test_a_page_opened_before_a_change_of_the_question_is_refused_with_a_sentence(page: Page, served: Served) -> None:
    first = begin(page, served)
    with writing(served.desk.settings) as session:
        session.get_one(Attribute, served.desk.attribute.id).revision = 2
    submit(page, first)
    expect(page.get_by_role("alert")).to_contain_text("The question has changed, so 12 answers")
    all_stored(page)
    assert served.desk.said(served.desk.pages[0]) == {}


def test_a_page_that_another_tab_answered_is_refused_with_a_sentence(page: Page, served: Served) -> None:
    first = begin(page, served)
    other = page.context.new_page()
    other.goto(page.url)
    assert shown(other) == first
    page.keyboard.press("Space")
    submit(page, first)
    all_stored(page)
    submit(other, first)
    expect(other.get_by_role("alert")).to_contain_text("You answered 12 images twice")
    all_stored(other)
    assert served.desk.said(served.desk.pages[0]) == others(a0="tender")
    other.reload()
    second = shown(other)
    other.keyboard.press("PageUp")
    shown(other, second)
    assert marks(other) == {0: "tick"}
    other.keyboard.press("End")
    other.keyboard.press("u")
    submit(other, first)
    all_stored(other)
    assert served.desk.said(served.desk.pages[0]) == others(a0="tender", a11="unsure")


def test_an_old_page_that_comes_late_does_not_take_a_newer_answers_place(page: Page, served: Served) -> None:
    """Submitted on a laptop whose connection is cut; the same page is answered at a desk before it is back."""
    first = begin(page, served)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.wait_for_timeout(450)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("12 answers are kept in this browser")
    assert served.desk.take(tick(served.desk.pages[0], 4)) == [STORED]
    page.context.set_offline(False)
    shown(page, first)
    all_stored(page)
    expect(page.get_by_role("alert")).to_contain_text("You answered 12 images twice")
    assert served.desk.said(served.desk.pages[0]) == others(a4="tender")


def test_a_correction_given_while_the_page_is_on_its_way_counts(page: Page, served: Served) -> None:
    first = begin(page, served)
    served.desk.store.away = True
    page.keyboard.press("Space")
    second = submit(page, first)
    page.keyboard.press("PageUp")
    shown(page, second)
    page.keyboard.press("u")
    assert submit(page, first) == second
    served.desk.store.away = False
    all_stored(page)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert served.desk.said(served.desk.pages[0]) == others(a0="unsure")


def test_a_page_that_is_no_longer_open_is_refused_with_a_sentence(page: Page, served: Served) -> None:
    first = begin(page, served)
    with writing(served.desk.settings) as session:
        session.get_one(Grid, session.get_one(GridPage, served.desk.pages[0].id).grid_id).closed_at = now()
    submit(page, first)
    expect(page.get_by_role("alert")).to_contain_text(
        "12 answers could not be stored. This page is no longer open: the question changed, or the page was older than"
    )
    all_stored(page)


def test_with_no_page_left_the_expert_is_told_and_new_pages_come_by_themselves(page: Page, served: Served) -> None:
    with writing(served.desk.settings) as session:
        for one in served.desk.pages[1:]:
            session.get_one(GridPage, one.id).state = "retired"
    first = begin(page, served)
    page.wait_for_timeout(450)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    with writing(served.desk.settings) as session:
        session.get_one(GridPage, served.desk.pages[1].id).state = "open"
        session.get_one(GridPage, served.desk.pages[1].id).created_at = now()
    assert shown(page, first) == served.desk.pages[1].key


# Width, height, images at once, colour scheme; the telephone comes last, as its page is submitted.
WINDOWS = [(1400, 900, 24, "light"), (1400, 900, 48, "dark"), (1024, 768, 12, "light"), (390, 844, 12, "light")]


def test_images_fill_the_window_whole_rows_and_nothing_serious_for_axe(page: Page, served: Served) -> None:
    begin(page, served)
    page.keyboard.press("u")
    for width, height, size, scheme in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.get_by_role("button", name=str(size), exact=True).click()
        expect(page.locator("[data-cell]")).to_have_count(size)
        finished(page)
        boxes = whole_rows(page, width)
        assert axe.serious(page) == []
        if width > 640:
            assert len(boxes) == size
    assert max(len([one for one in boxes if one["y"] == box["y"]]) for box in boxes) == 2
    first = shown(page)
    page.keyboard.press("z")
    page.keyboard.press("Space")
    page.wait_for_timeout(450)
    page.get_by_role("button", name="Show").click()
    assert served.desk.said(served.desk.pages[0]) == {}, "what nobody saw is not submitted"
    expect(page.get_by_role("button", name="Submit page")).to_be_visible()  # the rest is on the screen now
    page.get_by_role("button", name="Submit page").click()
    shown(page, first)
    all_stored(page)
    assert served.desk.said(served.desk.pages[0]) == others(a0="tender")


def whole_rows(page: Page, width: int) -> list[FloatRect]:
    """Where the images on the screen are: they fill it, and no row is cut off."""
    grid = page.locator("[data-grid]").bounding_box()
    assert grid is not None
    places = [cell.bounding_box() for cell in page.locator("[data-cell]").all()]
    boxes = [box for box in places if box is not None and box["y"] < grid["y"] + grid["height"]]
    assert all(box["y"] + box["height"] <= grid["y"] + grid["height"] for box in boxes), "a row is cut off"
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    filled = sum(box["width"] * box["height"] for box in boxes) / (grid["width"] * grid["height"])
    assert filled > (0.7 if width > 640 else 0.6), filled
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    return boxes
