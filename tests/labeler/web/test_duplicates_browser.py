"""From no search to one picture fewer, in a browser on a telephone; each page is looked at in both widths."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from attune.labeler.records.schema import Expert
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from tests.labeler.web.test_clusters_browser import House, work
from tests.labeler.web.test_duplicates import alike
from tests.support import factories, web
from tests.support.looks import TELEPHONE, enter, look

pytestmark = pytest.mark.browser


@pytest.fixture
def house(settings: Settings, ana: Expert, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    alike(settings)
    factories.add_user(settings, "olga@example.org", "owner")
    monkeypatch.setattr("attune.workers.runtime.perform.reader.build", lambda: settings)
    with web.served(create_app(settings)) as address:
        yield House(address, settings, ana)


def test_from_no_search_to_one_picture_fewer(browser: Browser, house: House) -> None:
    context = browser.new_context(viewport={"width": TELEPHONE, "height": 900})
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/explore")
    page.get_by_role("navigation", name="Explore").get_by_role("link", name="Duplicates").click()
    page.get_by_role("button", name="Look for duplicates").click()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    work(house, "duplicates")
    groups = page.locator(".alike-group")
    expect(groups).to_have_count(3)
    look(page, "groups")

    groups.first.get_by_role("link", name="Keep only this").first.click()
    expect(page.get_by_role("heading", name="Keep one, remove")).to_be_visible()
    look(page, "keep")
    page.get_by_role("button", name="Remove").click()
    expect(groups).to_have_count(2)
    groups.first.get_by_role("link", name="Same title").click()
    expect(page.get_by_role("button", name="Put under one title")).to_be_visible()
    look(page, "title")
    page.get_by_role("button", name="Put under one title").click()
    expect(groups).to_have_count(1)
    groups.first.get_by_role("button", name="Not duplicates").click()
    expect(page.get_by_role("heading", name="No near duplicates left")).to_be_visible()
    look(page, "decided")
    page.get_by_role("link", name="Outliers").click()
    expect(page.get_by_role("button", name="Belongs here")).not_to_have_count(0)
    look(page, "outliers")
    assert not errors
    context.close()
