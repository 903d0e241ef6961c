"""A new question in a browser: images while one types, examples by a click, step by step, and without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.attributes import attributes
from attune.labeler.explore import search
from attune.labeler.records.schema import Asset, Encoder, Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.encoders.fingerprint import Fingerprint
from tests.support import factories, web
from tests.support.looks import TELEPHONE, enter, look

pytestmark = pytest.mark.browser
IMAGES = 80


@dataclass(frozen=True)
class House:
    """A served console over a pool whose searches are done as soon as they are asked for."""

    address: str
    settings: Settings
    names: list[str]


@pytest.fixture
def house(settings: Settings, ana: factories.Expert, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    names = [asset.asset_id for asset in factories.add_assets(settings, IMAGES, images=True)]
    with writing(settings) as session:
        activate(session, Fingerprint("open_clip", "test", "0" * 64, 8))

    def start(settings: Settings, query: search.Query) -> str:
        """As a worker would: an order of its own for each text."""
        order = np.random.default_rng(len(query.text)).permutation(names).tolist()
        hits = [[name, 1.0 - place / IMAGES] for place, name in enumerate(order)]
        job = factories.add_job(settings, search.KIND, "done", arguments={"text": query.text}, result={"hits": hits})
        return str(job.id)

    monkeypatch.setattr(search, "start", start)
    factories.add_user(settings, "olga@example.org", "owner")
    with web.served(create_app(settings)) as address:
        yield House(address, settings, names)


def test_images_come_while_one_types_and_a_click_makes_an_example(browser: Browser, house: House) -> None:
    context = browser.new_context(viewport={"width": TELEPHONE, "height": 900})
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/new-attribute")
    expect(page.get_by_role("heading", name="2. What counts")).to_be_hidden()
    expect(page.locator("#question")).to_be_focused()  # a busy browser gives the focus late
    page.keyboard.type("Is there a dark corridor?")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="2. What counts")).to_be_hidden()  # a class has no name yet
    page.get_by_label("Class 1").fill("dark corridor")
    page.get_by_label("Class 2").fill("another place")
    first, second = page.locator("[data-row]").nth(0), page.locator("[data-row]").nth(1)
    first.locator("[data-phrase]").press_sequentially("a corridor at night")
    before = page.get_by_role("button", name="Next").bounding_box()
    expect(first.locator(".near > :first-child img")).to_have_count(10)
    assert page.get_by_role("button", name="Next").bounding_box() == before  # no click goes beside it
    expect(first.get_by_text("A bit further away")).to_be_visible()
    expect(second.locator("img")).to_have_count(0)
    second.locator("[data-phrase]").fill("a garden")
    expect(second.locator(".near > :first-child img")).to_have_count(10)
    expect(first.get_by_text("Near to both captions: which is it?")).to_be_visible()

    tiles = first.locator(".near > :first-child li")
    yes, no = (tiles.nth(place).locator("img").get_attribute("alt") for place in (0, 1))
    moved = page.locator(f"[data-pictures='1'] li:has(img[alt='{yes}'])").first
    tiles.nth(0).get_by_label(re.compile("^This is another place")).check()
    tiles.nth(0).locator(".pickable").click()  # the image itself: its own row's class, and no longer the other one
    tiles.nth(1).get_by_label(re.compile("^This is another place")).check()
    expect(page.locator("[data-enough]")).to_contain_text("3 images for each class are enough to begin.")
    expect(page.locator("[data-enough-counts] li")).to_have_text(["dark corridor 1 of 3", "another place 1 of 3"])
    expect(tiles.nth(0).locator(".chosen-as")).to_have_text("dark corridor")
    if moved.count():  # shown in both rows, it says the same in both
        expect(moved.locator(".chosen-as")).to_have_text("dark corridor")
        expect(moved.get_by_label(re.compile("^This is another place"))).not_to_be_checked()
    look(page, "question-step-1")

    page.get_by_role("button", name="Next").click()
    expect(page.locator("[data-key-row] li")).to_have_text([
        re.compile("1\\s*dark corridor"), re.compile("2\\s*another place"), re.compile("unsure"), re.compile("skip"),
    ])  # fmt: skip
    expect(page.locator("#in_scope")).to_have_value(str(yes))
    expect(page.locator("#out_of_scope")).to_have_value(str(no))
    expect(page.locator("#name")).to_have_value("dark-corridor")
    look(page, "question-step-2")
    page.get_by_role("button", name="Next").click()
    look(page, "question-step-3")
    page.get_by_role("button", name="Create question").click()
    page.wait_for_url(f"{house.address}/attributes/dark-corridor")
    with reading(house.settings) as session:
        made = attributes.find(session, "dark-corridor")
        assert session.scalars(select(Job.subject).where(Job.kind == "learn")).all() == ["dark-corridor"]
    assert made.prompts["positive"] == ["a corridor at night"]
    assert made.prompts["negative"] == ["a garden"]
    assert (made.in_scope, made.out_of_scope) == ([yes], [no])
    assert not errors
    context.close()


def test_it_says_what_it_waits_for_and_images_come_when_the_pool_is_embedded(page: Page, house: House) -> None:
    with writing(house.settings) as session:
        for row in session.scalars(select(Encoder)):
            session.delete(row)
    job = factories.add_job(house.settings, "embed", "running", arguments={"batch": list(range(IMAGES))})
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/new-attribute")
    row = page.locator("[data-row]").nth(0)
    row.locator("[data-phrase]").fill("a corridor at night")
    expect(row.get_by_text("No worker is running")).to_be_visible()
    look(page, "waits")
    with writing(house.settings) as session:
        activate(session, Fingerprint("open_clip", "test", "0" * 64, 8))
        session.get_one(Job, job.id).state = "done"
    expect(row.locator(".near > :first-child img")).to_have_count(10)
    expect(row.get_by_text("No worker is running")).to_be_hidden()


def test_enter_leads_on_and_never_creates_a_half_asked_question(page: Page, house: House) -> None:
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/new-attribute?template=night")
    page.locator("#class-0").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="2. What counts")).to_be_visible()
    expect(page.get_by_role("heading", name="1. The question")).to_be_hidden()
    page.locator("#name").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="3. Who answers")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="1 The question").click()
    page.get_by_role("button", name="Add a class").click()
    page.keyboard.type("dusk")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("[data-key-row] li").nth(2)).to_have_text(re.compile("3\\s*dusk"))


def test_without_script_it_is_one_form_with_the_same_images(browser: Browser, house: House) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/new-attribute?template=night")
    page.get_by_role("button", name="Show images").click()
    tiles = page.locator("[data-row]").nth(0).locator(".near > :first-child li")
    expect(tiles).to_have_count(10)
    chosen = tiles.nth(0).locator("img").get_attribute("alt")
    tiles.nth(0).get_by_label(re.compile("^This is night")).check()
    page.get_by_role("button", name="Create question").click()
    page.wait_for_url(f"{house.address}/attributes/night")
    with reading(house.settings) as session:
        assert chosen in attributes.find(session, "night").in_scope
        assert session.scalar(select(Asset.id).where(Asset.asset_id == chosen))
    context.close()


def test_the_keys_of_a_page_open_on_a_question_mark_and_give_the_focus_back(page: Page, house: House) -> None:
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/explore")
    field = page.get_by_role("searchbox")
    field.focus()
    page.keyboard.type("who?")
    expect(field).to_have_value("who?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    link = page.get_by_role("link", name="Jobs")
    link.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    expect(page.get_by_text("choose an image")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(link).to_be_focused()
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Keys")).to_be_focused()
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.goto(f"{house.address}/jobs")
    page.keyboard.press("/")
    page.wait_for_url(f"{house.address}/explore")
