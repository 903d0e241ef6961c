"""The strategist's way in a browser on a telephone: a map, a line on it, the cluster that is there, what that has in
common, how it performed, a question made of it, and its first labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.labelling import take_answers
from attune.labeler.performance import imports
from attune.labeler.records.schema import Annotation, Asset, Expert, Job, Pick, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.workers.runtime.perform import perform
from tests.labeler.web.test_explore import embed
from tests.support import factories, mapped, web
from tests.support.browser import shown
from tests.support.desk import Stored
from tests.support.looks import TELEPHONE, enter, look

pytestmark = pytest.mark.browser
COUNT = 90


@dataclass(frozen=True)
class House:
    """A served console over a pool with vectors, without clusters."""

    address: str
    settings: Settings
    ana: Expert


@pytest.fixture
def house(settings: Settings, ana: Expert, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    embed(settings, COUNT)
    mapped.quick(monkeypatch)
    factories.add_user(settings, "olga@example.org", "owner")
    factories.add_user(settings, "ana@example.org", "expert", ana)
    monkeypatch.setattr("attune.workers.runtime.perform.reader.build", lambda: settings)
    store = Stored(settings, ana)
    monkeypatch.setattr(take_answers, "label_studio", lambda _: store)
    with web.served(create_app(settings)) as address:
        yield House(address, settings, ana)


def work(house: House, kind: str) -> None:
    """Do the job of ``kind`` that waits, as a worker does."""
    with reading(house.settings) as session:
        (job,) = session.scalars(select(Job.id).where(Job.kind == kind, Job.state == "queued"))
    perform(job)


def next_order(house: House, name: str) -> None:
    """Put what was chosen into Ana's queue, as the next order of a learner does."""
    with reading(house.settings) as session:
        attribute = attributes.find(session, name)
        picks = session.execute(select(Asset).join(Pick, Pick.asset_pk == Asset.id).order_by(Pick.id)).scalars().all()
    queue = factories.add_queue(house.settings, attribute, house.ana)
    for place, asset in enumerate(picks):
        factories.add_task(house.settings, queue, asset, purpose="seed", position=place)
    with writing(house.settings) as session:
        session.get_one(Queue, queue.id).order_run = 1


def test_from_a_map_to_the_first_labels_of_a_new_question(browser: Browser, house: House, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": TELEPHONE, "height": 900})
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/explore")
    rooms = page.get_by_role("navigation", name="Explore")
    _make_map(page, house, rooms)
    _make_clusters(page, house, rooms)
    look(page, "clusters")
    rooms.get_by_role("link", name="Map").click()
    _draw_around(page)
    look(page, "map")
    _open_cluster(page)

    page.get_by_role("textbox", name="Name", exact=True).fill("Dark corridors")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Dark corridors", level=1)).to_be_visible()
    took = _import_performance(house, tmp_path)
    page.get_by_role("button", name="Describe these clusters").click()
    expect(page.locator("#live-described").get_by_text("Waiting for a worker.")).to_be_visible()
    work(house, "describe")
    expect(page.get_by_text("there are too few answers yet")).to_be_visible()
    _read_performance(page, took)
    look(page, "cluster")

    page.get_by_role("link", name="Make it a question").click()
    page.get_by_role("link", name="Create question").click()
    page.locator("#question").fill("Is it a dark corridor?")
    page.get_by_label("Class 1").fill("dark corridor")
    page.get_by_label("Class 2").fill("another place")
    page.get_by_role("button", name="Next").press("Enter")  # images that come late move it under a mouse
    expect(page.get_by_role("heading", name="What counts")).to_be_focused()
    expect(page.locator("#in_scope")).to_have_value("\n".join(_examples(page, "in_scope")))
    assert len(_examples(page, "in_scope")) == len(_examples(page, "out_of_scope")) == 6
    look(page, "question")
    page.get_by_role("button", name="Next").press("Enter")
    expect(page.get_by_text("The 12 images that you chose come first.")).to_be_visible()
    page.get_by_role("button", name="Create question").click()
    page.wait_for_url(f"{house.address}/attributes/dark-corridor")
    expect(page.get_by_text("12 queued for Ana")).to_be_visible()
    context.close()
    assert not errors
    _first_labels(browser, house)


def _import_performance(house: House, folder: Path) -> set[str]:
    """Takes on one canvas: of each title one image was taken three times as often as the other. Those images."""
    with reading(house.settings) as session:
        titles = {one.asset_id: one.title_id for one in session.scalars(select(Asset).order_by(Asset.id))}
    took = {title: name for name, title in titles.items()}
    takes = [f"{name},{title},home,5000,{300 if took[title] == name else 100}" for name, title in titles.items()]
    file = folder / "takes.csv"
    file.write_text("\n".join(["asset_id,title_id,canvas,impressions,takes", *takes, ""]))
    imports.add(house.settings, str(file), arm="explore", who="olga")
    return set(took.values())


def _read_performance(page: Page, took: set[str]) -> None:
    """On the canvas of the import: what worked, and what did not."""
    canvas = page.get_by_role("region", name="home")
    for words, worked in (("Worked", True), ("Did not work", False)):
        examples = canvas.locator("div", has=page.get_by_role("heading", name=words, exact=True)).last.locator("img")
        expect(examples.first).to_be_visible()
        shown = [str(one.get_attribute("alt")).removeprefix("Similar to ") for one in examples.all()]
        assert all((name in took) is worked for name in shown), words


def _make_map(page: Page, house: House, rooms: Locator) -> None:
    rooms.get_by_role("link", name="Map").click()
    expect(page.get_by_role("heading", name="No map yet")).to_be_visible()
    page.get_by_role("button", name="Make the map").click()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    work(house, "map")
    expect(page.locator("[data-map][data-ready]")).to_be_visible()
    expect(page.locator("[data-legend]")).to_be_hidden()


def _make_clusters(page: Page, house: House, rooms: Locator) -> None:
    rooms.get_by_role("link", name="Clusters").click()
    expect(page.get_by_role("heading", name="No clusters yet")).to_be_visible()
    page.get_by_label("How many").fill("4")
    page.get_by_role("button", name="Make clusters").click()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    work(house, "clusters")
    expect(page.get_by_role("heading", name="Clustering 1: Meaning")).to_be_visible()
    expect(page.locator(".parts > li")).to_have_count(4)


def _draw_around(page: Page) -> None:
    """A line around the left half of the map chooses what is there."""
    expect(page.locator("[data-map][data-ready]")).to_be_visible()
    expect(page.locator("[data-legend] li")).to_have_count(4)
    page.get_by_role("button", name="Draw around").click()
    page.locator("[data-map]").scroll_into_view_if_needed()
    box: Any = page.locator("[data-map]").bounding_box()
    corners = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98), (0.02, 0.02)]
    places = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    expect(page.locator("[data-map-said]")).to_contain_text("chosen.")
    count = int(page.locator("[data-picked]").inner_text())
    assert 0 < count < COUNT
    assert page.evaluate("window.attuneMap.stage.states.filter((one) => one & 1).length") == count


def _open_cluster(page: Page) -> None:
    """From an image of the choice to the cluster that it is in."""
    page.get_by_role("button", name="Move", exact=True).click()
    at = page.evaluate(
        """() => {
            const { stage } = window.attuneMap, i = stage.states.findIndex((one) => one & 1);
            const box = stage.root.getBoundingClientRect(), [x, y] = stage.toScreen(i);
            return [box.left + x, box.top + y];
        }"""
    )
    page.mouse.click(*at)
    card = page.locator("[data-card]")
    expect(card).to_contain_text("Cluster")
    number = int(card.locator("[data-group]").inner_text().removeprefix("Cluster "))
    card.get_by_role("link", name="Open this cluster").click()
    expect(page.get_by_role("heading", name=f"Cluster {number}", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Core")).to_be_visible()


def _examples(page: Page, field: str) -> list[str]:
    return page.locator(f"#{field}").input_value().split("\n")


def _first_labels(browser: Browser, house: House) -> None:
    """Ana answers the first three images: they are the cluster's core."""
    next_order(house, "dark-corridor")
    context = browser.new_context(viewport={"width": TELEPHONE, "height": 900})
    page = context.new_page()
    enter(page, house.address, "ana@example.org")
    page.goto(f"{house.address}/attributes/dark-corridor/label")
    page.get_by_role("dialog").get_by_role("button").first.click()
    seen = ""
    for key in "112":
        seen = shown(page, seen)
        page.keyboard.press(key)
    expect(page.locator("body")).to_have_attribute("data-unsent", "0")
    with reading(house.settings) as session:
        rows = select(Annotation.value, Asset.asset_id).join(Asset, Asset.id == Annotation.asset_pk)
        given = session.execute(rows.order_by(Annotation.id)).all()
        examples = attributes.find(session, "dark-corridor").in_scope
    assert [value for value, _ in given] == ["dark corridor", "dark corridor", "another place"]
    assert {name for _, name in given} <= set(examples)
    context.close()
