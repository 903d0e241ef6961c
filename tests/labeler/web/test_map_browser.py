"""The map in a real Chromium, by WebGL and by the canvas: lasso, hover, keys, colours, the choice and its bar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from attune.labeler.explore import search
from attune.labeler.explore.search import SearchResult
from attune.labeler.records.schema import Asset
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.workers.jobs import make_clusters, make_map
from tests.support import axe, factories, mapped, tasted, web
from tests.support.looks import enter

pytestmark = pytest.mark.browser
COUNT = 60
DRAWN = ("webgl", "canvas")


@dataclass(frozen=True)
class Served:
    """A served console over a pool with a map and clusters."""

    address: str
    settings: Settings
    assets: list[Asset]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        settings = factories.workspace(tmp_path_factory.mktemp("map"))
        assets = mapped.mapped(settings, patch, COUNT, images=True)
        make_clusters.run(settings, k=4)
        tasted.register(settings, [0, 1], raw=0.3)
        make_map.run(settings, space="taste")
        factories.add_user(settings, "olga@example.org", "owner")
        with web.served(create_app(settings)) as address:
            yield Served(address, settings, assets)


def open_map(page: Page, served: Served, drawn: str = "canvas", more: str = "") -> None:
    """Log in and open the map, drawn by ``drawn``; it is ready."""
    path = f"/explore/map?drawn={drawn}&{more}"
    enter(page, served.address, "olga@example.org")
    page.goto(served.address + path)
    page.wait_for_selector("[data-map][data-ready]")
    if page.locator("[data-map]").get_attribute("data-drawn") != drawn:
        pytest.skip("this Chromium has no WebGL")


LINES = """((over) => over.getContext("2d").getImageData(0, 0, over.width, over.height).data
    .filter((value, i) => i % 4 === 3 && value > 0).length)(document.querySelector("[data-over]"))"""


def inside(page: Page, path: list[float]) -> list[str]:
    """The images inside a line drawn in the window, by plain arithmetic on every point."""
    found: list[str] = page.evaluate(
        """async (path) => {
            const { inside } = await import("/static/map_geometry.js"), { stage, choice } = window.attuneMap;
            const found = [];
            for (let i = 0; i < stage.x.length; i += 1) if (inside(...stage.toScreen(i), path)) found.push(i);
            const reply = await fetch(`${choice.address}?at=${found.join(".")}`);
            return (await reply.json()).images.map((one) => one.id).sort();
        }""",
        path,
    )
    return found


def chosen(page: Page) -> list[str]:
    return sorted(page.evaluate("[...document.querySelectorAll('[data-choose]:checked')].map((box) => box.value)"))


def drawn_lines(page: Page) -> int:
    """How many pixels the canvas above the points has, once it is painted again."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found: int = page.evaluate(LINES)
    return found


@pytest.mark.parametrize("drawn", DRAWN)
def test_a_line_chooses_exactly_what_is_inside(page: Page, served: Served, drawn: str) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    open_map(page, served, drawn)
    box = page.locator("[data-map]").bounding_box()
    assert box is not None
    corners = [(0.15, 0.1), (0.9, 0.15), (0.5, 0.45), (0.85, 0.9), (0.2, 0.8)]
    path = [(box["width"] * u, box["height"] * v) for u, v in corners]
    expected = inside(page, [value for corner in path for value in corner])
    assert 0 < len(expected) < COUNT
    page.get_by_role("button", name="Draw around").click()
    page.locator("[data-map]").scroll_into_view_if_needed()
    box = page.locator("[data-map]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + path[0][0], box["y"] + path[0][1])
    page.mouse.down()
    for x, y in [*path[1:], path[0]]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()
    expect(page.locator("[data-map-said]")).to_contain_text(f"{len(expected)} image")
    assert chosen(page) == expected
    expect(page.locator("[data-picked]")).to_have_text(str(len(expected)))
    assert drawn_lines(page) > 0, "the line stays"
    page.get_by_role("button", name="Nearer").click()
    assert drawn_lines(page) > 0, "and moves with the map"
    question = page.get_by_role("link", name="Make it a question").get_attribute("href") or ""
    assert question.count("in_scope=") == min(6, len(expected))

    page.locator("[data-choose]").first.uncheck()
    page.wait_for_function(f"() => {LINES} === 0")
    expect(page.locator("[data-picked]")).to_have_text(str(len(expected) - 1))
    marked = "window.attuneMap.stage.states.filter((one) => one & 1).length"
    assert page.evaluate(marked) == len(expected) - 1
    page.get_by_role("button", name="Clear choice").click()
    expect(page.locator("[data-picked]")).to_have_text("0")
    page.wait_for_function(f"() => {marked} === 0")
    assert refused == [], "the map has no script of its own in the page"


def test_a_choice_goes_along_to_the_map_of_another_space(page: Page, served: Served) -> None:
    open_map(page, served)
    page.get_by_role("list", name="Groups").get_by_role("button", name="Choose").first.click()
    expect(page.locator("[data-picked]")).not_to_have_text("0")
    mine = chosen(page)
    page.get_by_role("navigation", name="Space of the map").get_by_role("button", name="Taste").click()
    page.wait_for_url("**space=taste**")
    page.wait_for_selector("[data-map][data-ready]")
    assert chosen(page) == mine
    assert page.evaluate("window.attuneMap.stage.states.filter((one) => one & 1).length") == len(mine)
    expect(page.locator("#by")).to_have_value("cluster")


def test_points_come_once_before_anything_else_is_there(page: Page, served: Served) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    open_map(page, served)
    for what in ("positions", "colours?by=cluster", "map_stage.js"):
        assert asked.count(what) == 1, "asked for in the head, and used from there"
    assert asked.index("positions") < asked.index("map.js")
    marks = "['map-painted', 'map-whole'].map((name) => performance.getEntriesByName(name)[0].startTime)"
    painted, whole = page.evaluate(marks)
    assert painted < whole
    page.route("**/map_legend.js", lambda route: route.abort())
    page.route("**/colours?*", lambda route: route.abort())
    page.reload(wait_until="commit")
    page.wait_for_function("() => performance.getEntriesByName('map-painted').length")
    drawn = """() => {
        const canvas = document.querySelector("[data-points]"), { width, height } = canvas;
        return canvas.getContext("2d").getImageData(0, 0, width, height).data.some((one) => one);
    }"""
    assert page.evaluate(drawn), "neither the legend nor its colours are waited for"


def test_the_lasso_of_the_bins_is_that_of_every_point(page: Page, served: Served) -> None:
    page.goto(f"{served.address}/login")
    page.evaluate("async () => { window.geometry = await import('/static/map_geometry.js'); }")
    place = st.integers(0, 65535)

    @given(
        st.lists(st.tuples(place, place), max_size=120),
        st.lists(st.tuples(st.integers(-9000, 75000), st.integers(-9000, 75000)), min_size=3, max_size=14),
        st.integers(0, 9),
    )
    @examples(max_examples=60, deadline=None)
    def law(points: list[tuple[int, int]], corners: list[tuple[int, int]], near: int) -> None:
        # Corners on points, and points on the edges of bins, are where a lasso could go wrong.
        points = [*points, *[(min(max(x, 0), 65534), min(max(y, 0), 65534)) for x, y in corners[:near]], (256, 512)]
        found = page.evaluate(
            """([points, polygon]) => {
                const x = Uint16Array.from(points, (one) => one[0]), y = Uint16Array.from(points, (one) => one[1]);
                const plain = points.flatMap((one, i) =>
                    ((one[0] !== 65535 || one[1] !== 65535) && window.geometry.inside(...one, polygon) ? [i] : []));
                return [Array.from(new window.geometry.Bins(x, y).lasso(polygon)), plain];
            }""",
            [points, [value for corner in corners for value in corner]],
        )
        assert found[0] == found[1]
        assert found[1] == [i for i, one in enumerate(points) if one != (65535, 65535) and even_odd(*one, corners)]

    law()


def even_odd(x: int, y: int, corners: list[tuple[int, int]]) -> bool:
    """The even-odd rule, as `map_geometry.js` has it: the oracle of the law above."""
    odd = False
    for (ax, ay), (bx, by) in zip(corners, [corners[-1], *corners[:-1]], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            odd = not odd
    return odd


def test_the_card_comes_after_a_moment_and_stays_when_pressed(page: Page, served: Served) -> None:
    open_map(page, served)
    at, name = page.evaluate(
        """async () => {
            const { stage, choice } = window.attuneMap, i = stage.middle(), [x, y] = stage.toScreen(i);
            const [image] = (await (await fetch(`${choice.address}?at=${i}`)).json()).images;
            const box = stage.root.getBoundingClientRect();
            return [[box.left + x, box.top + y], image.id];
        }"""
    )
    card = page.locator("[data-card]")
    page.mouse.move(*at)
    page.wait_for_function("() => window.attuneMap.stage.hover >= 0")
    expect(card).to_be_visible()
    expect(card).to_contain_text(name)
    expect(card).to_contain_text("Cluster")
    page.mouse.move(at[0], 5)
    expect(card).to_be_hidden()
    page.mouse.click(*at)
    page.mouse.move(at[0], 5)
    page.wait_for_timeout(400)  # longer than a card stays that nobody has pressed
    expect(card).to_be_visible()
    card.get_by_role("button", name="Choose").click()
    expect(page.locator("[data-picked]")).to_have_text("1")
    assert chosen(page) == [name]
    expect(card.get_by_role("button", name="Remove from choice")).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    assert chosen(page) == [name], "Escape closes the card alone"


def test_all_of_it_by_keyboard(page: Page, served: Served) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_map(page, served)
    page.locator("[data-add]").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.locator("[data-keys-here]")).to_be_focused()
    expect(page.locator("[data-map-said]")).to_contain_text("In the middle: img-")
    page.keyboard.press("Space")
    expect(page.locator("[data-picked]")).to_have_text("1")
    page.keyboard.press("Space")
    expect(page.locator("[data-picked]")).to_have_text("0")
    for key in ("+", "ArrowLeft", "ArrowUp", "0", *["]"] * 8):
        page.keyboard.press(key)
    expected = page.evaluate("window.attuneMap.stage.inside(window.attuneMap.stage.ring()).length")
    assert 0 < expected <= COUNT
    page.keyboard.press("Enter")
    expect(page.locator("[data-picked]")).to_have_text(str(expected))


def test_groups_are_shown_alone_and_chosen_whole(page: Page, served: Served) -> None:
    open_map(page, served)
    rows = page.locator("[data-legend] li")
    expect(rows).to_have_count(4)
    assert sum(int(text) for text in rows.locator(".figures").all_inner_texts()) == COUNT
    rows.first.locator(".group").press("Enter")
    expect(rows.first.locator(".group")).to_have_attribute("aria-pressed", "true")
    many = int(rows.first.locator(".figures").inner_text())
    assert page.evaluate("window.attuneMap.stage.states.filter((one) => !(one & 4)).length") == many
    rows.first.get_by_role("button", name="Choose Cluster").press("Enter")
    expect(page.locator("[data-picked]")).to_have_text(str(many))
    page.select_option("#by", "")
    expect(page.locator("[data-legend]")).to_be_hidden()
    assert page.evaluate("window.attuneMap.stage.states.filter((one) => one & 4).length") == 0
    assert page.evaluate("window.attuneMap.stage.states.filter((one) => one & 1).length") == many


def test_a_search_lights_up_what_it_finds(page: Page, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    hits = [(one.asset_id, 0.3) for one in served.assets[:7]]
    monkeypatch.setattr(search, "start", lambda *_: "explore-1")
    monkeypatch.setattr(search, "wait_for_result", lambda *_: SearchResult("explore-1", "done", hits))
    open_map(page, served)
    page.fill("#light", "two people")
    page.keyboard.press("Enter")
    expect(page.locator("[data-map-said]")).to_contain_text("The 7 images most similar")
    assert page.evaluate("window.attuneMap.stage.states.filter((one) => one & 2).length") == 7
    page.get_by_role("button", name="Clear", exact=True).click()
    assert page.evaluate("window.attuneMap.stage.states.filter((one) => one & 2).length") == 0


def test_an_image_is_found_on_the_map_and_its_pictures_come_when_near(page: Page, served: Served) -> None:
    page.emulate_media(reduced_motion="reduce")
    name = served.assets[11].asset_id
    open_map(page, served, more=f"image={name}")
    expect(page.locator("[data-card]")).to_contain_text(name)
    expect(page.locator("[data-pictures] img").first).to_be_visible()
    assert page.evaluate("document.querySelectorAll('[data-pictures] img').length") <= 90
    page.get_by_label("Pictures").uncheck()
    expect(page.locator("[data-pictures] img")).to_have_count(0)


def test_two_fingers_come_nearer_and_one_draws(browser: Browser, served: Served) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    open_map(page, served)
    page.locator("[data-map]").scroll_into_view_if_needed()
    box: Any = page.locator("[data-map]").bounding_box()
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": box["x"] + x, "y": box["y"] + y, "id": i} for i, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = page.evaluate("window.attuneMap.stage.zoom")
    send("touchStart", (150, 200), (200, 200))
    send("touchMove", (100, 200), (250, 200))
    send("touchEnd")
    page.wait_for_function("before => Math.abs(window.attuneMap.stage.zoom / before - 3) < 0.6", arg=before)
    page.get_by_role("button", name="Whole map").click()
    page.wait_for_function("() => Math.abs(window.attuneMap.stage.zoom - 1) < 0.001")
    page.get_by_role("button", name="Draw around").click()
    page.locator("[data-map]").scroll_into_view_if_needed()
    box = page.locator("[data-map]").bounding_box()
    path = [(20.0, 30.0), (330.0, 30.0), (330.0, 230.0), (20.0, 230.0)]
    expected = inside(page, [value for corner in path for value in corner])
    send("touchStart", path[0])
    for one in path[1:]:
        send("touchMove", one)
    send("touchEnd")
    expect(page.locator("[data-picked]")).to_have_text(str(len(expected)))
    assert chosen(page) == expected
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_nobody_is_kept_out(page: Page, served: Served) -> None:
    open_map(page, served, more=f"image={served.assets[3].asset_id}")
    page.locator("[data-legend] [data-take]").first.click()
    expect(page.locator("[data-choose]").first).to_be_visible()
    assert axe.serious(page) == []
    assert axe.faint(page, "dark") == []
