"""The labelling page in a real Chromium: one key an image, the way back, a cut network, the image's size."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from attune.labeler.labelling import take_answers
from attune.labeler.queues import stopping
from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import writing
from attune.labeler.web.app import create_app
from tests.labeler.labelling.test_page_advice import PAGES_WIN
from tests.support import axe, factories, web
from tests.support.browser import finished, shown
from tests.support.desk import Desk
from tests.support.desk import answer as desk_answer
from tests.support.looks import enter

pytestmark = pytest.mark.browser
COUNT = 16
TWICE = (
    "You answered 1 image twice, in two tabs or browsers. One of the two answers is stored. Load this page again to "
    "see it or change it."
)


@dataclass(frozen=True)
class Served:
    """A desk behind a served console."""

    address: str
    desk: Desk


@pytest.fixture
def served(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    desk = Desk(factories.workspace(tmp_path, redis_url=redis_url), COUNT, images=True)
    factories.add_user(desk.settings, "ana@desk.example", "expert", desk.ana)
    monkeypatch.setattr(take_answers, "label_studio", lambda settings: desk.store)
    monkeypatch.setattr(take_answers.ingest, "ask_to_learn", lambda *_: None)
    with web.served(create_app(desk.settings)) as address:
        yield Served(address, desk)


def begin(page: Page, served: Served, path: str = "/attributes/romance/label", opens_instructions: bool = True) -> None:
    """Log in, open the page at ``path``, and close the instructions, which come the first time."""
    enter(page, served.address, "ana@desk.example")
    page.goto(served.address + path)
    if not opens_instructions:
        return
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("1")  # answers nothing while the instructions are open
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()


def all_stored(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-unsent", "0")


def answer(page: Page, key: str, before: str) -> str:
    page.keyboard.press(key)
    return shown(page, before)


def test_one_key_answers_each_image_and_none_is_missed_or_mixed_up(page: Page, served: Served) -> None:
    begin(page, served)
    expected, at = [], shown(page)
    for number in range(COUNT):
        value = ("yes", "no")[number % 2]
        expected.append((at, value))
        page.keyboard.press("12"[number % 2])
        if number < COUNT - 1:
            at = shown(page, at)
    all_stored(page)
    assert served.desk.by_key() == expected
    assert [key for key, _ in expected] == [task.key for task in served.desk.tasks]
    expect(page.get_by_role("heading", name="Your queue is empty")).to_be_visible()


def test_a_queue_that_is_stopped_meanwhile_keeps_the_answer_on_its_way_and_asks_no_more(
    page: Page, served: Served
) -> None:
    begin(page, served)
    first = shown(page)
    second = answer(page, "1", first)
    all_stored(page)
    stopping.stop(served.desk.settings, "romance", served.desk.ana.email)
    page.keyboard.press("2")
    expect(page.get_by_role("heading", name="Paused by an owner")).to_be_visible()
    all_stored(page)
    assert served.desk.by_key() == [(first, "yes"), (second, "no")]
    page.keyboard.press("Backspace")
    expect(page.locator("[data-said]")).to_contain_text("Your answer: no")
    expect(page.locator("footer [data-value=yes]")).to_be_enabled()
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="Paused by an owner")).to_be_visible()
    all_stored(page)
    assert served.desk.by_key() == [(first, "yes"), (second, "yes")], "answers can be corrected"
    assert axe.serious(page) == []


def test_a_held_key_answers_one_image_backspace_goes_back_and_another_key_corrects(page: Page, served: Served) -> None:
    begin(page, served)
    first = shown(page)
    for _ in range(5):  # what a browser sends while a key is held
        page.keyboard.down("1")
    page.keyboard.up("1")
    second = shown(page, first)
    all_stored(page)
    assert served.desk.by_key() == [(first, "yes")]
    third = answer(page, "2", second)
    page.keyboard.press("Backspace")
    assert shown(page, third) == second
    expect(page.get_by_role("button", name="no", exact=True)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Backspace")
    assert shown(page, second) == first
    assert answer(page, "0", first) == second  # corrected, and on to the next that was answered
    page.keyboard.press("ArrowRight")
    assert shown(page, second) == third
    page.keyboard.press("PageUp")  # as on pages of images
    assert shown(page, third) == second
    page.keyboard.press("PageDown")
    assert shown(page, second) == third
    all_stored(page)
    assert served.desk.by_key() == [(first, "unsure"), (second, "no")]


def test_the_way_back_outlives_a_reload(page: Page, served: Served) -> None:
    begin(page, served)
    first = shown(page)
    second = answer(page, "1", first)
    all_stored(page)
    page.reload()
    assert shown(page) == second
    expect(page.get_by_role("dialog")).to_be_hidden()  # once a revision
    page.keyboard.press("Backspace")
    assert shown(page, second) == first
    answer(page, "2", first)
    all_stored(page)
    assert served.desk.by_key() == [(first, "no")]


def test_answers_given_while_the_network_is_cut_are_kept_and_sent_later(page: Page, served: Served) -> None:
    begin(page, served)
    at, given = shown(page), []
    in_browser(page, 4)
    page.context.set_offline(True)
    for _ in range(3):  # these images are in the browser
        given.append((at, "yes"))
        at = answer(page, "1", at)
    given.append((at, "no"))
    page.keyboard.press("2")
    expect(page.get_by_role("alert")).to_contain_text("kept in this browser")
    expect(page.get_by_role("button", name="yes", exact=True)).to_be_disabled()  # the next image is not there
    page.keyboard.press("1")
    assert served.desk.by_key() == []
    page.context.set_offline(False)
    at = shown(page, at)
    all_stored(page)
    assert served.desk.by_key() == given
    expect(page.get_by_role("alert")).to_be_hidden()
    answer(page, "1", at)
    all_stored(page)
    assert served.desk.by_key() == [*given, (at, "yes")]


def test_an_image_that_cannot_be_shown_is_named_and_can_be_skipped(page: Page, served: Served) -> None:
    page.route("**/media/**", lambda route: route.fulfill(status=404))
    begin(page, served)
    expect(page.get_by_text("This image cannot be shown.")).to_be_visible()
    expect(page.get_by_role("button", name="yes", exact=True)).to_be_disabled()
    page.unroute("**/media/**")
    page.keyboard.press("1")
    page.keyboard.press("-")
    shown(page)
    all_stored(page)
    assert served.desk.by_key() == [(served.desk.tasks[0].key, "skip")]


def test_answers_not_sent_yet_outlive_a_reload(page: Page, served: Served) -> None:
    begin(page, served)
    at = shown(page)
    served.desk.store.away = True
    answer(page, "2", at)
    expect(page.get_by_role("alert")).to_contain_text("1 answer is kept")
    page.on("dialog", lambda dialog: dialog.accept())  # the browser asks before it leaves
    page.reload()
    served.desk.store.away = False
    all_stored(page)
    assert served.desk.by_key() == [(at, "no")]


def test_a_revision_in_the_middle_stores_nothing_under_the_new_question(page: Page, served: Served) -> None:
    begin(page, served)
    at = shown(page)  # twelve questions came with it: none is on its way, which would bring the new question first
    with writing(served.desk.settings) as session:
        one = session.get_one(Attribute, served.desk.attribute.id)
        one.revision, one.question = 2, "Is it a new question?"
    answer(page, "1", at)
    expect(page.get_by_role("alert")).to_contain_text("question has changed")
    expect(page.get_by_role("dialog")).to_contain_text("Is it a new question?")
    assert served.desk.by_key() == []


def in_browser(page: Page, images: int) -> None:
    """Wait until so many images have come: the one on the screen and the next, which need no network any more."""
    came = "performance.getEntriesByType('resource').filter((one) => one.initiatorType === 'img' && one.responseEnd)"
    page.wait_for_function(f"images => {came}.length >= images", arg=images)


def second_tab(page: Page) -> Page:
    other = page.context.new_page()
    other.goto(page.url)
    shown(other)
    return other


def test_two_tabs_keep_each_others_answers(page: Page, served: Served) -> None:
    begin(page, served)
    at = shown(page)
    other = second_tab(page)
    served.desk.store.away = True
    following = answer(page, "1", at)
    answer(page, "1", following)
    expect(page.get_by_role("alert")).to_contain_text("2 answers are kept in this browser")
    answer(other, "2", at)  # the same image, later
    expect(other.locator("body")).to_have_attribute("data-unsent", "2")
    expect(other.get_by_role("alert")).to_contain_text(TWICE)
    for one in (page, other):
        one.close(run_before_unload=False)
    fresh = page.context.new_page()
    fresh.goto(f"{served.address}/attributes/romance/label")
    served.desk.store.away = False
    all_stored(fresh)
    assert sorted(served.desk.by_key()) == sorted([(at, "no"), (following, "yes")])


def test_an_image_that_another_tab_answered_keeps_that_answer_and_the_page_says_so(page: Page, served: Served) -> None:
    begin(page, served)
    at = shown(page)
    other = second_tab(page)
    following = answer(page, "1", at)
    all_stored(page)
    assert answer(other, "2", at) == following
    expect(other.get_by_role("alert")).to_have_text(TWICE)
    all_stored(other)
    assert served.desk.by_key() == [(at, "yes")]
    other.reload()
    shown(other)
    other.keyboard.press("Backspace")
    answer(other, "2", shown(other, following))
    all_stored(other)
    assert served.desk.by_key() == [(at, "no")], "seen, it can be corrected"


def test_two_tabs_that_answer_one_image_while_it_is_stored_say_one_thing(page: Page, served: Served) -> None:
    """The second tab drops the row of the first, which Label Studio has by then."""
    begin(page, served)
    at = shown(page)
    other = second_tab(page)
    stored: list[tuple[Route, APIResponse]] = []
    page.route("**/answers", lambda route: stored.append((route, route.fetch())))
    following = answer(page, "1", at)
    while not stored:
        page.wait_for_timeout(20)
    assert answer(other, "2", at) == following
    all_stored(other)
    expect(other.get_by_role("alert")).to_have_text(TWICE)
    for route, reply in stored:
        route.fulfill(response=reply)
    all_stored(page)
    assert served.desk.by_key() == [(at, "yes")]


def test_what_is_corrected_before_it_is_sent_keeps_the_first_looks_seconds(page: Page, served: Served) -> None:
    began = time.monotonic()
    begin(page, served)
    first = shown(page)
    served.desk.store.away = True
    second = answer(page, "1", first)
    page.keyboard.press("Backspace")
    assert shown(page, second) == first
    longer = time.monotonic() - began + 0.2  # than the first look, however busy the machine is
    page.wait_for_timeout(1000 * longer)
    assert answer(page, "2", first) == second
    served.desk.store.away = False
    all_stored(page)
    (sent,) = served.desk.store.sent[-1]["answers"]
    assert sent["more"] >= longer > sent["lead_time"]


def test_what_another_tab_has_sent_is_not_sent_again(page: Page, served: Served) -> None:
    begin(page, served)
    at = shown(page)
    served.desk.store.away = True
    answer(page, "1", at)
    page.route("**/answers", lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    other = page.context.new_page()
    other.goto(page.url)
    served.desk.store.away = False
    all_stored(other)
    all_stored(page)
    assert len(served.desk.store.sent) == 1
    expect(page.get_by_role("alert")).to_be_hidden()


def test_no_trouble_stays_where_another_tab_sent_what_this_one_was_sending(page: Page, served: Served) -> None:
    begin(page, served)
    at, held = shown(page), list[Route]()
    served.desk.store.away = True
    answer(page, "1", at)
    expect(page.get_by_role("alert")).to_be_visible()

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/answers", hold)
    while not held:
        page.wait_for_timeout(50)
    other = page.context.new_page()
    other.goto(page.url)
    served.desk.store.away = False
    all_stored(other)
    all_stored(page)
    held[0].abort()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_reply_from_elsewhere_empties_no_outbox(page: Page, served: Served) -> None:
    """A proxy in front, say, that does not find the console for a moment."""
    begin(page, served)
    at, given = shown(page), []
    for body in (json.dumps({"error": "Not Found", "message": "No."}), "<h1>Not found</h1>"):
        page.route("**/answers", partial(Route.fulfill, status=404, body=body))
        given.append((at, "yes"))
        at = answer(page, "1", at)
        expect(page.get_by_role("alert")).to_contain_text("1 answer is kept in this browser")
        page.unroute("**/answers")
        all_stored(page)
        assert served.desk.by_key() == given


def test_answers_to_a_question_that_is_gone_are_dropped_with_a_sentence(page: Page, served: Served) -> None:
    begin(page, served)
    at = shown(page)
    with writing(served.desk.settings) as session:
        session.get_one(Attribute, served.desk.attribute.id).name = "renamed"
    answer(page, "1", at)
    expect(page.get_by_role("alert")).to_contain_text("1 answer was not stored: ")
    all_stored(page)


def test_an_answer_that_is_none_is_dropped_with_a_sentence_and_costs_no_other(page: Page, served: Served) -> None:
    begin(page, served)
    at = shown(page)
    in_browser(page, 4)
    page.context.set_offline(True)
    bad = answer(page, "1", at)
    last = answer(page, "2", bad)
    page.keyboard.press("1")
    with writing(served.desk.settings) as session:
        session.get_one(Attribute, served.desk.attribute.id).classes = ["yes", "never"]
    page.context.set_offline(False)
    all_stored(page)
    expect(page.get_by_role("alert")).to_contain_text("1 answer was not stored: 'no' is not an answer")
    assert served.desk.by_key() == [(at, "yes"), (last, "yes")]


def test_with_the_browsers_storage_full_the_page_says_so(page: Page, served: Served) -> None:
    begin(page, served)
    at = shown(page)
    page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }"
    )
    served.desk.store.away = True
    answer(page, "1", at)
    expect(page.get_by_role("alert")).to_contain_text("1 answer waits in this page only")
    served.desk.store.away = False
    all_stored(page)
    assert served.desk.by_key() == [(at, "yes")]


def test_the_image_fills_the_window_and_answers_are_in_reach(page: Page, served: Served) -> None:
    begin(page, served)
    shown(page)
    for width, height, scheme in ((1400, 900, "light"), (1024, 768, "dark"), (390, 844, "light")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        finished(page)
        fills(page, width, height)
        assert axe.serious(page) == []
    page.set_viewport_size({"width": 390, "height": 400})
    page.keyboard.press("?")
    for part in (page.locator("#dialog-title"), page.get_by_role("button", name="Start")):
        expect(part).to_be_in_viewport(ratio=0.9)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="yes", exact=True).click()
    all_stored(page)
    assert len(served.desk.by_key()) == 1


def fills(page: Page, width: int, height: int) -> None:
    box = page.locator("[data-picture] img").bounding_box()
    assert box is not None
    # The sample's posters are portraits of 3 to 4.
    assert box["height"] >= 0.85 * height if width > 640 else box["width"] == width
    for button in page.locator("footer button").all():
        place = button.bounding_box()
        assert place is not None
        assert place["y"] + place["height"] <= height
        assert place["x"] + place["width"] <= width
        assert place["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_answer_is_corrected_from_a_list_by_one_key_and_the_list_says_so(page: Page, served: Served) -> None:
    first = served.desk.tasks[0]
    served.desk.take(desk_answer(first, "yes"))
    begin(page, served, "/attributes/romance/answers", opens_instructions=False)
    page.get_by_role("link", name="Correct").click()
    page.wait_for_url("**/attributes/romance/answers/1**")
    expect(page.get_by_role("status")).to_contain_text("Your answer: yes.")
    assert axe.serious(page) == []
    page.keyboard.press("Backspace")
    expect(page.get_by_role("heading", name="Your answers")).to_be_visible()
    assert served.desk.by_key() == [(first.key, "yes")]
    page.get_by_role("link", name="Correct").click()
    page.wait_for_url("**/attributes/romance/answers/1**")
    page.keyboard.press("2")
    expect(page.get_by_text("Your answer is now “no”.")).to_be_visible()
    page.wait_for_url("**/attributes/romance/answers")
    assert served.desk.by_key() == [(first.key, "no")]


def test_the_page_says_why_pages_teach_more_until_the_expert_stays(page: Page, served: Served) -> None:
    factories.add_run(served.desk.settings, served.desk.attribute, answers=40, advice={"pages": asdict(PAGES_WIN)})
    begin(page, served)
    advice = page.get_by_text("learns more per minute from pages")
    expect(advice).to_be_visible()
    expect(page.get_by_role("link", name="Switch to pages")).to_be_visible()
    page.get_by_role("button", name="Stay with single images").click()
    at = shown(page)
    answer(page, "1", at)
    all_stored(page)
    expect(advice).to_be_hidden()
