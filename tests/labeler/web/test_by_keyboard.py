"""What an expert and an owner do every day, by keyboard alone, in a real Chromium; and labelling in German."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from sqlalchemy import select

from attune.labeler.assets import uploads
from attune.labeler.attributes import attributes
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading
from tests.support import axe, factories, looks
from tests.support.browser import shown
from tests.support.keyboard import enter, focus, follow, reach
from tests.support.keyboard_house import ANA, OLGA, House, all_stored, answered, served, stored

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LABEL = "/attributes/tender/label"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    with served(tmp_path_factory.mktemp("keyboard"), redis_url) as made:
        yield made


def open_as(page: Page, house: House, email: str, path: str = "/") -> None:
    """Begin at a page of somebody's; how they log in by keyboard is the first test's."""
    looks.enter(page, house.address, email)
    page.goto(house.address + path)


def start(page: Page) -> None:
    """Close the instructions of a first visit, which the page's script opens."""
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_expert_labels_single_images(page: Page, house: House) -> None:
    enter(page, house.address, ANA)
    follow(page, "Start labelling")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert focus(page).startswith("button  Start"), "the way on is at hand"
    page.keyboard.press("Enter")
    first = shown(page)
    assert focus(page).startswith("main")
    page.keyboard.press("1")
    second = shown(page, first)
    page.keyboard.press("Backspace")
    assert shown(page, second) == first
    page.keyboard.press("2")
    assert shown(page, first) == second
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("You have looked and cannot decide.")
    focus(page)
    page.keyboard.press("Escape")
    assert focus(page).startswith("main")
    reach(page, "0")  # the button "unsure"; its key is shown on it
    page.keyboard.press("Enter")
    third = shown(page, second)
    assert "unsure" in focus(page), "who answers by a button goes on there"
    page.keyboard.press("1")
    shown(page, third)
    all_stored(page)
    assert [stored(house, key) for key in (first, second, third)] == ["other", "unsure", "tender"]


def test_an_expert_answers_images_of_their_choice_and_takes_them_back(page: Page, house: House) -> None:
    with reading(house.settings) as session:  # the first images of the pool wait for nobody
        free = session.scalars(select(Asset.asset_id).order_by(Asset.id).limit(1)).one()
    open_as(page, house, ANA, f"/explore?title={free.rstrip('0123456789')}")
    mosaic, said = page.locator("[data-mosaic]"), page.locator("[data-said]")
    reach(page, "Choose all on this page")
    while not page.evaluate("document.activeElement.matches('[data-choose]')"):
        page.keyboard.press("Tab")
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("[data-picked]")).to_have_text("2")
    page.keyboard.press("2")
    expect(said).to_contain_text("2 images answered “other”.")
    assert "%" not in mosaic.inner_text(), "nothing that a probe says of images that are still to be answered"
    page.keyboard.press("Backspace")
    expect(said).to_contain_text("Taken back.")
    expect(page.locator(".given-mark")).to_have_count(0)
    assert not axe.serious(page)


def test_an_expert_labels_a_page_of_twelve(page: Page, house: House) -> None:
    open_as(page, house, ANA, "/attributes/tender")
    reach(page, "Other ways to begin")
    page.keyboard.press("Enter")
    follow(page, "Start with a page of images")
    start(page)
    shown(page)
    reach(page, "12")
    page.keyboard.press("Enter")
    expect(page.locator("[data-cell]")).to_have_count(12)
    first = shown(page)
    for key in ("Space", "ArrowRight", "u", "ArrowRight", "ArrowRight", "Space", "z"):
        page.keyboard.press(key)
        assert focus(page).startswith("button"), key
    page.wait_for_timeout(450)  # nobody looks at a page for less
    page.keyboard.press("Enter")
    second = shown(page, first)
    assert focus(page).startswith("button")
    page.keyboard.press("PageUp")
    assert shown(page, second) == first
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("?")
    assert focus(page).startswith("button")
    page.keyboard.press("PageDown")
    shown(page, first)
    all_stored(page)
    answered = next(one for one in house.desk.pages if one.key == first)
    assert house.desk.said(answered) == dict.fromkeys(range(12), "other") | {0: "tender", 1: "unsure"}


def test_in_german_keys_answer_and_sentences_count_right(browser: Browser, house: House) -> None:
    context = browser.new_context(locale="de-AT")
    page = context.new_page()
    open_as(page, house, ANA, LABEL)
    assert page.evaluate("document.documentElement.lang") == "de"
    expect(page.get_by_role("dialog")).to_contain_text("Sie haben hingesehen und können sich nicht entscheiden.")
    start(page)
    first = shown(page)
    expect(page.locator("[data-left]")).to_have_text(re.compile(r"^noch \d+ Bilder in Ihrer Warteschlange$"))
    house.singles.away = True
    page.keyboard.press("1")
    second = shown(page, first)
    trouble = page.get_by_role("alert")
    expect(trouble).to_have_text(
        "Antworten können zurzeit nicht gespeichert werden. "
        "1 Antwort ist in diesem Browser aufbewahrt und wird noch gesendet. Sie können weitermachen."
    )
    page.keyboard.press("0")
    third = shown(page, second)
    expect(trouble).to_contain_text("2 Antworten sind in diesem Browser aufbewahrt und werden noch gesendet.")
    house.singles.away = False
    all_stored(page)
    expect(trouble).to_be_hidden()
    page.keyboard.press("Backspace")
    assert shown(page, third) == second
    expect(page.locator("[data-said]")).to_have_text(re.compile("^Ihre Antwort: unsicher. Eine Taste ändert sie"))
    assert [stored(house, key) for key in (first, second)] == ["tender", "unsure"]
    follow(page, "Bilderseiten")
    start(page)
    shown(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Haken Sie jedes Bild an, das „tender“ ist")
    page.keyboard.press("Space")
    expect(page.locator("[data-sum]")).to_have_text(re.compile(r"^1 tender · \d+ other$"))
    context.close()


def test_a_telephone_is_told_of_taps(browser: Browser, house: House) -> None:
    for width, touch, keys in ((390, True, False), (1024, True, False), (1400, False, True)):
        context = browser.new_context(viewport={"width": width, "height": 844}, has_touch=touch, is_mobile=touch)
        page = context.new_page()
        open_as(page, house, ANA, LABEL)
        sheet = page.get_by_role("dialog")
        expect(sheet.get_by_role("heading", name="Keys")).to_be_visible(visible=keys)
        expect(sheet.get_by_role("heading", name="Taps")).to_be_visible(visible=not keys)
        assert ("Backspace" in sheet.inner_text()) == keys
        context.close()


def test_an_owner_goes_through_the_tabs_and_saves_a_view_of_the_gallery(page: Page, house: House) -> None:
    open_as(page, house, OLGA)
    follow(page, "Is it serious?")
    for tab in ("Versions", "Manage", "Label", "Results"):
        follow(page, tab)
        expect(page.locator(".tab-bar [aria-current=page]")).to_have_text(tab)
    reach(page, "Filter and sort")
    page.keyboard.press("Enter")
    reach(page, "Probability from")
    page.keyboard.press("Control+a")
    page.keyboard.type("60")
    follow(page, "Apply")
    expect(page.locator(".filters summary")).to_contain_text("probability 60 to 100 %")
    reach(page, "Filter and sort")
    page.keyboard.press("Enter")
    reach(page, "Save these filters as")
    page.keyboard.type("Quite likely")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    follow(page, "Clear the filters")
    follow(page, "Quite likely")
    expect(page.locator(".filters summary")).to_contain_text("probability 60 to 100 %")


def test_an_owner_checks_label_errors_and_promotes(page: Page, house: House) -> None:
    open_as(page, house, OLGA, "/attributes/serious")
    follow(page, "Review new version 4")
    follow(page, "Check all suspected label errors")
    expect(page.locator(".suspect")).to_have_count(3)
    reach(page, "Confirm serious")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".suspect")).to_have_count(2)
    assert "Confirm serious" in focus(page), "the next answer is at hand"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".suspect")).to_have_count(1)

    follow(page, "Is it serious?")
    follow(page, "Review")
    follow(page, "Use version 4")
    reach(page, "Reason")
    page.keyboard.type("Much better on the same audits")
    follow(page, "Use version 4")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Putting version 4 into use")


def test_an_owner_asks_a_new_question_in_three_steps(page: Page, house: House) -> None:
    open_as(page, house, OLGA)
    follow(page, "Create question")
    assert focus(page).startswith("input question")
    page.keyboard.type("Is it a dark corridor?")
    reach(page, "Class 1")
    page.keyboard.type("dark corridor")
    page.keyboard.press("Tab")
    page.keyboard.type("a corridor at night")
    expect(page.locator("[data-row]").first.locator(".near > :first-child img")).to_have_count(10)
    reach(page, "This is dark corridor")
    page.keyboard.press("Space")
    expect(page.locator("[data-enough]")).to_contain_text("dark corridor 1 of 3")
    reach(page, "Class 2")
    page.keyboard.type("another place")
    reach(page, "Next")
    page.keyboard.press("Enter")
    assert "2. What counts" in focus(page)
    reach(page, "Definition")
    page.keyboard.type("A corridor without daylight.")
    reach(page, "Next")
    page.keyboard.press("Enter")
    assert "3. Who answers" in focus(page)
    follow(page, "Create question")
    page.wait_for_url(f"{house.address}/attributes/dark-corridor")
    with reading(house.settings) as session:
        made = attributes.find(session, "dark-corridor")
    assert (made.definition, len(made.in_scope)) == ("A corridor without daylight.", 1)


def test_an_owner_sends_images(page: Page, house: House) -> None:
    page.on("filechooser", lambda _: None)  # the browser hands choosers over from now on, not only after the key
    open_as(page, house, OLGA)
    follow(page, "Images")
    reach(page, "Choose files")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(FilePayload(name="new.jpg", mimeType="image/jpeg", buffer=factories.picture(7)))
    expect(page.get_by_text("1 image, ")).to_be_visible()
    assert "Add to the pool" in focus(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/assets/uploads/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 file sent")
    with reading(house.settings) as session:
        assert session.scalar(select(Job.state).where(Job.kind == uploads.KIND)) == "queued"


def test_an_owner_writes_into_a_thread(page: Page, house: House) -> None:
    open_as(page, house, OLGA, "/attributes/serious/contested")
    follow(page, "Discuss")
    reach(page, "Comment")
    page.keyboard.type("He looks at us without a smile. That is serious.")
    follow(page, "Add comment")
    expect(page.get_by_role("heading", name="1 comment")).to_be_in_viewport()
    expect(page.locator(".line-text")).to_have_text("He looks at us without a smile. That is serious.")


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1024, 768), (390, 844)])
def test_one_key_an_answer_and_the_image_fills_the_window(
    browser: Browser, house: House, width: int, height: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    open_as(page, house, ANA, LABEL)
    start(page)
    shares: dict[str, float] = {}
    at, sent, keys = shown(page), len(answered(house)), 0
    while len(shares) < 2:
        box = page.locator("[data-picture] img").bounding_box()
        assert box is not None
        natural = page.locator("[data-picture] img").evaluate("one => one.naturalHeight / one.naturalWidth")
        drawn_width = min(box["width"], box["height"] / natural)
        if natural > 1:
            shares["portrait"] = (drawn_width * natural if width > 640 else drawn_width) / (
                height if width > 640 else width
            )
        else:
            shares["wide"] = drawn_width / width
        page.keyboard.press("1")
        keys += 1
        at = shown(page, at)
    all_stored(page)
    assert len(answered(house)) - sent == keys, "one key, one answer"
    assert min(shares.values()) >= 0.85, shares
    context.close()
