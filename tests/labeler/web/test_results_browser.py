"""Home, the tabs and the gallery in a real Chromium: in both widths, by accessibility rules, and by the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect
from sqlalchemy import select

from attune.labeler.answers import ingest
from attune.labeler.explore.pool_scores import RankedRight
from attune.labeler.label_studio import grid_project
from attune.labeler.labelling import take_chosen
from attune.labeler.records.schema import Asset, Attribute, Expert, Grid
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.clock import now
from tests.support import axe, factories, scored, web
from tests.support.browser import finished
from tests.support.looks import TELEPHONE, enter, look
from tests.support.page_desk import Stored

pytestmark = pytest.mark.browser
SERIOUS = "/attributes/serious-expression"
OWNERS = (
    "/",
    SERIOUS,
    f"{SERIOUS}/results",
    f"{SERIOUS}/results?by=*&show=differ",
    f"{SERIOUS}/versions",
    f"{SERIOUS}/manage",
)
EXPERTS = ("/", SERIOUS, f"{SERIOUS}/results")
SCREENS = 3  # no page is longer than so many, at 1,400 pixels


@dataclass(frozen=True)
class House:
    """A served console whose newest probe has scored the pool; ``first``: the likeliest image."""

    address: str
    first: str
    second: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        yield from _served(tmp_path_factory, redis_url, patch)


def _served(tmp_path_factory: pytest.TempPathFactory, redis_url: str, patch: pytest.MonkeyPatch) -> Iterator[House]:
    settings = factories.workspace(tmp_path_factory.mktemp("results"), redis_url=redis_url)
    factories.add_studio(settings)
    with reading(settings) as session:
        ana = session.scalars(select(Expert).where(Expert.name == "Ana")).one()
        serious = session.scalars(select(Attribute).where(Attribute.name == "serious-expression")).one()
        assets = list(session.scalars(select(Asset).order_by(Asset.id)))
    ranked = {"serious": RankedRight(60, 20, 18, 6.0), "not serious": RankedRight(60, 20, 19, 14.0)}
    scored.leave(settings, serious, assets, [1 - n / 60 for n in range(60)], run=21, ranked=ranked)
    factories.add_user(settings, "ana@example.org", "expert", ana)
    factories.add_user(settings, "olga@example.org", "owner")
    _let_an_owner_label(settings, serious, patch)
    with web.served(create_app(settings)) as address:
        yield House(address, assets[0].asset_id, assets[1].asset_id)


def _let_an_owner_label(settings: Settings, serious: Attribute, patch: pytest.MonkeyPatch) -> None:
    """Eve owns and labels, before a Label Studio that stores what it is sent."""
    eve = factories.add_expert(settings, "eve@example.org")
    factories.add_queue(settings, serious, eve)
    factories.add_user(settings, "eve@example.org", "owner", eve)
    with writing(settings) as session:
        session.add(Grid(attribute_id=serious.id, expert_id=eve.id, project=990, view=1, created_at=now()))
    store, numbers = Stored(settings, eve), count(8000)
    patch.setattr(take_chosen, "label_studio", lambda _: store)
    patch.setattr(ingest, "ask_to_learn", lambda *_: None)
    patch.setattr(grid_project, "add", lambda *_: next(numbers))


def _counts(message: ConsoleMessage) -> bool:
    return message.type in ("error", "warning")


@pytest.mark.parametrize(("who", "paths"), [("olga", OWNERS), ("ana", EXPERTS)])
def test_pages_fit_are_short_and_pass_the_accessibility_rules(
    page: Page, house: House, who: str, paths: tuple[str, ...]
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if _counts(message) else None)
    enter(page, house.address, f"{who}@example.org")
    for path in (*paths, "image"):
        if path == "image":
            page.goto(house.address + f"{SERIOUS}/results")
            page.locator(".gallery .shot").first.click()
            page.wait_for_url("**/results/image?*")
        else:
            page.goto(house.address + path)
        finished(page)
        height = page.evaluate("document.documentElement.scrollHeight")
        assert path == "/" or height <= SCREENS * 900, f"{path} is {height} pixels long"
        page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
        look(page, path)
        assert not [str(one) for one in axe.faint(page, "dark")], f"{path} in the dark"
        page.emulate_media(color_scheme="light")
    assert not complaints


def test_an_address_of_before_the_tabs_leads_to_the_tab_of_its_section(page: Page, house: House) -> None:
    enter(page, house.address, "olga@example.org")
    for section, tab in (("h-measure", "manage"), ("h-versions", "versions"), ("h-queues", "manage")):
        page.goto(f"{house.address}{SERIOUS}#{section}")
        page.wait_for_url(f"**/{tab}#{section}")
        expect(page.locator(f"#{section}")).to_be_in_viewport()
    # Behind a closed detail: it opens, or the reader would look for it in vain.
    page.goto(f"{house.address}{SERIOUS}#h-curve")
    page.wait_for_url("**/results#h-curve")
    expect(page.locator("#h-curve")).to_be_in_viewport()
    page.goto(f"{house.address}{SERIOUS}#contested")
    expect(page.locator("#contested")).to_be_in_viewport()


def test_the_arrow_keys_lead_from_image_to_image(page: Page, house: House) -> None:
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}{SERIOUS}/results?lo=60")
    page.locator(".gallery .shot").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/results/image?id={house.first}&lo=60")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/results/image?id={house.second}&lo=60")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/results/image?id={house.first}&lo=60")


def test_homes_images_lead_to_the_gallery_that_they_are_of(page: Page, house: House) -> None:
    enter(page, house.address, "olga@example.org")
    page.goto(house.address)
    group = page.locator(".strip-group").filter(has_text="Most likely serious")
    expect(group.get_by_role("link").first).to_contain_text("> 99 %")
    group.get_by_role("link").first.click()
    expect(page.get_by_text("The probe says")).to_be_visible()
    expect(page.get_by_text("1 of 30")).to_be_visible()


def test_chosen_images_are_answered_with_one_key_and_taken_back_with_another(browser: Browser, house: House) -> None:
    context = browser.new_context(viewport={"width": TELEPHONE, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    enter(page, house.address, "eve@example.org")
    page.goto(f"{house.address}{SERIOUS}/results")
    items, given = page.locator(".gallery > li"), page.locator(".given-mark")
    items.nth(0).get_by_role("checkbox").click()
    items.nth(3).locator(".shot").click(modifiers=["Shift"])
    expect(page.locator("[data-picked]")).to_have_text("4")
    items.nth(1).locator(".shot").click()  # with images chosen, a click chooses
    expect(page.locator("[data-picked]")).to_have_text("3")
    look(page, "chosen")
    page.keyboard.press("2")
    expect(page.locator("[data-said]")).to_contain_text("3 images answered “not serious”.")
    assert [items.nth(n).locator(".given-mark").count() for n in range(5)] == [1, 0, 1, 1, 0]
    page.keyboard.press("Backspace")
    expect(page.locator("[data-said]")).to_contain_text("Taken back.")
    expect(given).to_have_count(0)
    fresh = items.nth(4)
    fresh.locator(".shot").focus()
    page.keyboard.press("x")
    page.keyboard.press("1")
    expect(page.locator("[data-said]")).to_contain_text("1 image answered “serious”.")
    taken = fresh.get_by_role("checkbox").get_attribute("value")
    page.goto(f"{house.address}/explore?title={taken}")
    page.get_by_role("button", name="Choose all on this page").click()
    page.get_by_role("button", name="unsure", exact=False).click()
    expect(page.locator("[data-said]")).to_contain_text("Left out: 1 you had answered before")
    look(page, "left out")
    page.goto(f"{house.address}{SERIOUS}/results?by=*")
    page.locator(f'[data-choose][value="{taken}"] + .shot').click()
    expect(page.get_by_text("The probe says")).to_be_visible()  # with none chosen, a click opens
    assert not complaints
    context.close()


def test_answers_that_wait_for_others_of_the_same_person_say_so_and_follow_by_themselves(
    page: Page, house: House
) -> None:
    enter(page, house.address, "eve@example.org")
    page.goto(f"{house.address}{SERIOUS}/results?by=*")
    sent: list[str] = []

    def busy_once(route: Route) -> None:
        sent.append(route.request.post_data_json["answers"][0]["once"])
        if len(sent) > 1:
            route.continue_()
        else:
            route.fulfill(json={"answers": {sent[0]: {"state": "storing", "stored": 0, "left": {}}}})

    page.route("**/chosen/answers", busy_once)
    page.locator(".gallery > li").last.get_by_role("checkbox").click()
    page.keyboard.press("1")
    expect(page.locator("[data-said]")).to_contain_text("These follow by themselves.")
    expect(page.locator(".given-mark.sending")).to_have_count(1)
    expect(page.locator("[data-said]")).to_contain_text("1 image answered “serious”.")
    assert sent == [sent[0]] * 2
