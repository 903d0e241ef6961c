"""Ten groups by keyboard, ticks and a note among them, until the definition has their pictures; in both widths."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select

from attune.labeler.answers import ingest
from attune.labeler.attributes import attributes
from attune.labeler.label_studio import grid_project
from attune.labeler.labelling import availability, take_chosen
from attune.labeler.records.schema import Annotation
from attune.labeler.records.session import reading
from attune.labeler.scope import groups
from attune.labeler.scope.groups import ROUND, Groups
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from tests.support import factories, web
from tests.support.looks import TELEPHONE, enter, look
from tests.support.page_desk import PageDesk

pytestmark = pytest.mark.browser
OWNER = "bo@desk.example"  # who labels, too
SIZE = 12


@pytest.fixture
def served(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A console with ten groups that wait."""
    desk, numbers = PageDesk(settings, 1, images=True), count(800)
    desk.store.user = desk.bo.label_studio_user or 7
    monkeypatch.setattr(take_chosen, "label_studio", lambda _: desk.store)
    monkeypatch.setattr(availability, "is_available", lambda _: True)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    monkeypatch.setattr(grid_project, "add", lambda *_: next(numbers))
    factories.add_user(settings, OWNER, "owner", desk.bo)
    more = factories.add_assets(settings, SIZE * ROUND, images=True)
    kept = [[one.id for one in more[start : start + SIZE]] for start in range(0, len(more), SIZE)]
    groups.save(settings, desk.attribute.id, Groups(1, 1, 0, kept))
    with web.served(create_app(settings)) as address:
        yield address


def seen(page: Page) -> None:
    """Wait until the images of the group are painted: only then do keys and buttons answer."""
    expect(page.locator("[data-group][data-seen]")).to_be_attached()


def begin(page: Page, address: str) -> None:
    enter(page, address, OWNER)
    page.goto(f"{address}/attributes/tender")
    page.click("text=Decide what counts")
    page.wait_for_url("**/attributes/tender/scope")
    page.wait_for_load_state("load")  # its script hears keys from now on


def test_ten_groups_and_their_definition(browser: Browser, served: str, settings: Settings) -> None:
    page = browser.new_context(viewport={"width": TELEPHONE, "height": 844}).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    begin(page, served)
    look(page, "first")
    seen(page)
    for key in ("ArrowRight", "Space", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    expect(page.locator("[name=ticked]:checked")).to_have_count(2)
    expect(page.get_by_role("button", name="All are “tender”")).to_be_disabled()
    page.fill("#note", "Two hands touch")
    look(page, "ticked")
    page.get_by_role("button", name="Only the ticked").click()
    expect(page.locator(".counts")).to_have_text("Group 2")
    for number in range(2, ROUND + 1):
        expect(page.locator(".counts")).to_have_text(f"Group {number}")
        if number == 3:
            look(page, "third")
        seen(page)
        page.keyboard.press("1" if number % 2 else "2")
    expect(page.get_by_role("heading", name="You have decided 10 groups")).to_be_visible()
    look(page, "ended")
    page.get_by_role("button", name="Add the ticked decisions to the definition").click()
    expect(page.get_by_text("Revision 2 has your examples. All answers stay valid.")).to_be_visible()
    look(page, "question")
    assert errors == []
    page.context.close()
    with reading(settings) as session:
        one = attributes.find(session, "tender")
        said = list(session.scalars(select(Annotation.value).where(Annotation.deleted_at.is_(None))))
    assert (said.count("tender"), said.count("other")) == (2 + 4 * SIZE, 10 + 5 * SIZE)
    assert len(one.in_scope) == 2 + 1 + 4 * 2
    assert len(one.out_of_scope) == 2 + 5 * 2


def test_nothing_is_answered_by_enter_by_a_key_pressed_twice_or_unseen(
    browser: Browser, served: str, settings: Settings
) -> None:
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    begin(page, served)
    seen(page)
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    page.fill("#note", "A posed group, does not count")
    page.press("#note", "Enter")
    page.locator("[name=ticked]").first.press("Enter")
    assert sent == []
    page.locator("main").focus()
    twice = "for (let n = 0; n < 2; n += 1) document.body.dispatchEvent(new KeyboardEvent('keydown', one))"
    page.evaluate(f"() => {{ const one = {{ key: '1', bubbles: true }}; {twice}; }}")
    expect(page.locator(".counts")).to_have_text("Group 2")
    assert len(sent) == 1
    came: list[bool] = []
    held: list[Route] = []

    def go(route: Route) -> None:
        route.abort() if route.request.url.endswith(lost) else route.continue_()

    page.route("**/media/**", lambda route: go(route) if came else held.append(route))
    page.reload(wait_until="domcontentloaded")
    lost = page.locator("[data-member] img").first.get_attribute("src") or "none"
    expect(page.get_by_role("button", name="All are “tender”")).to_be_disabled()
    page.keyboard.press("1")
    came.append(True)
    for route in held:
        go(route)
    seen(page)
    assert len(sent) == 1, "the key came before the images"
    page.keyboard.press("2")
    expect(page.locator(".counts")).to_have_text("Group 3")
    page.context.close()
    with reading(settings) as session:
        said = list(session.scalars(select(Annotation.value).where(Annotation.deleted_at.is_(None))))
    assert (said.count("tender"), said.count("other")) == (SIZE, SIZE - 1), "nobody saw the one that did not load"
