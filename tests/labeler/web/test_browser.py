"""The pages in a real Chromium: at two widths, by keyboard, by accessibility rules, and while answers come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from attune.labeler.records.schema import Asset, Attribute, Expert, Queue
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from tests.support import factories, web
from tests.support.looks import enter

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class House:
    """A served console over a workspace in full swing."""

    address: str
    settings: Settings

    def queue(self, attribute: str, expert: str) -> Queue:
        """The queue of an expert."""
        with reading(self.settings) as session:
            return session.scalars(
                select(Queue)
                .join(Attribute, Attribute.id == Queue.attribute_id)
                .join(Expert, Expert.id == Queue.expert_id)
                .where(Attribute.name == attribute, Expert.name == expert)
            ).one()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    settings = factories.workspace(tmp_path_factory.mktemp("house"), redis_url=redis_url)
    factories.add_studio(settings)
    with reading(settings) as session:
        ana = session.scalars(select(Expert).where(Expert.name == "Ana")).one()
    factories.add_user(settings, "ana@example.org", "expert", ana)
    factories.add_user(settings, "olga@example.org", "owner")
    app: Flask = create_app(settings)
    with web.served(app) as address:
        yield House(address, settings)


def enter_by_keyboard(page: Page, house: House, who: str) -> None:
    """Log in by keyboard alone: the address has the focus, Tab leads on, Enter sends."""
    page.goto(f"{house.address}/login")
    expect(page.locator("#email")).to_be_focused()  # a busy browser gives the focus late
    page.keyboard.type(f"{who}@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(factories.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{house.address}/")


def test_an_open_page_counts_up_by_itself(page: Page, house: House) -> None:
    enter(page, house.address, "ana@example.org")
    page.goto(f"{house.address}/attributes/romance")
    shown = page.locator("[data-count=answers]")
    before = int(shown.inner_text())
    with reading(house.settings) as session:
        fresh = list(session.scalars(select(Asset).order_by(Asset.id.desc()).limit(2)))
    queue = house.queue("romance", "Ana")
    for asset in fresh:
        factories.add_answer(house.settings, queue, asset, "romance")
    expect(shown).to_have_text(str(before + 2))
    expect(page.get_by_role("status")).to_have_text(f"{before + 2} answers")
    expect(page.locator("#live-recent")).to_contain_text("just now")


def test_a_page_left_open_over_the_end_of_the_session_says_so(page: Page, house: House) -> None:
    enter(page, house.address, "ana@example.org")
    page.goto(f"{house.address}/attributes/romance")
    page.context.clear_cookies()
    expect(page.get_by_text("You were logged out.")).to_be_visible()


def test_the_keyboard_alone_leads_from_the_login_to_the_queue(page: Page, house: House) -> None:
    enter_by_keyboard(page, house, "ana")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("href", "#main")
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith("Start labelling"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/attributes/romance/label")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_mark_of_the_curve_tells_its_figures_to_the_pointer_and_a_table_to_everybody(
    page: Page, house: House
) -> None:
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/attributes/serious-expression/results#h-curve")
    page.locator(".curve.wide [data-tip]").last.hover()
    expect(page.locator(".tip")).to_have_text("132 answers: 0.87 (0.79 to 0.95) (run 21)")
    page.get_by_text("Table of values").click()
    expect(page.get_by_role("cell", name="0.87 (0.79 to 0.95)").first).to_be_visible()


def test_a_command_is_copied_with_one_click(browser: Browser, house: House) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/people")
    page.get_by_text("By command").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "attune expert add EMAIL"
    context.close()
