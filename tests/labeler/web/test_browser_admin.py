"""An administrator's journey by keyboard alone: add an expert, change a question, look at its history, make a token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from playwright.sync_api import Browser, Page, expect

from attune.labeler.attributes import attributes
from attune.labeler.people import users
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from tests.support import factories, web
from tests.support.looks import TELEPHONE, look

pytestmark = pytest.mark.browser
MOST_TABS = 120


@pytest.fixture
def house(settings: Settings) -> Iterator[str]:
    """The address of a served console over a workspace in full swing."""
    factories.add_studio(settings)
    factories.add_user(settings, "root@example.org", "admin")
    with web.served(create_app(settings)) as address:
        yield address


def reach(page: Page, role: str, name: str) -> None:
    """Press Tab until the control called ``name`` has the focus."""
    wanted = page.get_by_role(role, name=re.compile(name)).first  # type: ignore[arg-type]
    expect(wanted).to_be_visible()
    found = wanted.element_handle()  # once: to look for a name goes through the whole page
    assert found
    for _ in range(MOST_TABS):
        if found.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches the {role} {name}")


def press(page: Page, role: str, name: str, key: str = "Enter", leads: bool = True) -> None:
    """Reach a control and press it; where it ``leads`` to another page, that page is waited for."""
    reach(page, role, name)
    with page.expect_navigation() if leads else nullcontext():
        page.keyboard.press(key)


def write(page: Page, name: str, text: str) -> None:
    """Reach a field and replace what it holds."""
    reach(page, "textbox", name)
    page.keyboard.press("Control+A")
    page.keyboard.type(text) if text else page.keyboard.press("Delete")


def test_an_administrator_needs_no_mouse(browser: Browser, house: str, settings: Settings) -> None:
    context = browser.new_context(viewport={"width": TELEPHONE, "height": 900})
    page = context.new_page()
    page.goto(f"{house}/login")
    expect(page.locator("#email")).to_be_focused()  # a busy browser gives the focus late
    page.keyboard.type("root@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(factories.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{house}/")

    press(page, "link", "^People$")
    look(page, "people")
    press(page, "link", "Add person")
    look(page, "person-new")
    write(page, "Email", "dana@example.org")
    write(page, "Name", "Dana Dahl")
    press(page, "checkbox", "romance", "Space", leads=False)
    press(page, "button", "^Add person$")
    expect(page.get_by_role("heading", name="Dana Dahl is added")).to_be_visible()
    look(page, "person-made")
    press(page, "link", "person's page")
    look(page, "person")
    press(page, "link", "Remove")
    look(page, "person-leave")
    press(page, "link", "^Cancel$")
    press(page, "link", "Disable login")
    look(page, "person-shut-asked")
    press(page, "button", "Disable login")
    expect(page.get_by_role("status")).to_have_text(re.compile("is disabled"))
    expect(page.get_by_role("heading", name="Access that ended")).to_be_visible()
    look(page, "person-shut")
    assert users.role_of(settings, "dana@example.org") == "expert"

    press(page, "link", "^People$")
    press(page, "link", "API tokens")
    write(page, "Name", "nightly")
    press(page, "button", "Create token")
    expect(page.get_by_text(re.compile("attune_"))).to_be_visible()
    look(page, "tokens")

    press(page, "link", "Questions")
    press(page, "link", "Is the expression serious")
    press(page, "link", "Change question")
    look(page, "edit")
    write(page, "Name of not serious", "other")
    write(page, "New classes", "no face")
    reach(page, "checkbox", "unsure answer")
    page.keyboard.press("Space")
    press(page, "button", "Preview effect")
    expect(page.get_by_role("heading", name="Effect")).to_be_visible()
    look(page, "effect")
    write(page, "^Reason", "Many pictures show no face at all.")
    press(page, "button", "Create revision 2")
    expect(page.get_by_role("heading", name="Revisions")).to_be_visible()
    look(page, "revisions")
    with reading(settings) as session:
        assert attributes.find(session, "serious-expression").classes == ["serious", "other", "no face"]

    press(page, "link", "Questions")
    press(page, "link", "Create question")
    write(page, "^Question", "Is it night?")
    write(page, "^Class 1", "night")
    write(page, "^Class 2", "day")
    look(page, "ask-1")
    press(page, "button", "Next", leads=False)
    write(page, "^Counts", "img-1000\nA moonlit street")
    expect(page.get_by_label(re.compile("^Name"))).to_have_value("night")
    write(page, "^Name", "x")
    look(page, "ask-2")
    press(page, "button", "Next", leads=False)
    expect(page.get_by_role("heading", name="What counts")).to_be_visible()  # the rule beside the field is not kept
    write(page, "^Name", "night")
    press(page, "button", "Next", leads=False)
    look(page, "ask-3")
    press(page, "button", "Create question")
    page.wait_for_url(f"{house}/attributes/night")
    context.close()
