"""The pictures of Explore in docs/images: a search, the map, a cluster, images similar to one, and recommendations."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page
from sqlalchemy import select

from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.records.schema import Asset, Cluster
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import space_moves, spaces
from attune.labeler.web.app import create_app
from attune.workers.jobs import compute_spaces, describe_clusters, explore_pool, learn_taste, make_clusters, make_map
from tests.support import factories, web
from tests.support.pictures import entered, keep
from tests.support.true_studio import Studio

SEARCH = "two people in love"
WIDTH = 1400
LASSO = [(0.62, 0.2), (0.86, 0.24), (0.9, 0.5), (0.74, 0.62), (0.58, 0.46)]  # of the map's width and height
ANSWERED = "romance"


def take(browser: Browser, studio: Studio, folder: Path) -> None:
    """Compute what the pages show, then write every picture into ``folder``; Olga and Mo have their logins."""
    settings = studio.settings
    _searched(settings, SEARCH)
    compute_spaces.run(settings, names=[spaces.COLOUR])
    make_clusters.run(settings, k=14)
    describe_clusters.run(settings)
    make_map.run(settings)
    learn_taste.run(settings, column="setting", tuned=False)
    space_moves.promote(settings, "taste", "1", "for the pictures", "Olga")
    with web.served(create_app(settings)) as address:
        page = entered(browser, address, "mo@example.org", WIDTH, 1300)
        _search(page, studio, folder)
        _map(page, folder)
        page.close()
        page = entered(browser, address, "olga@example.org", WIDTH, 1300)
        _cluster(page, settings, folder)
        _similar(page, studio, folder)
        _recommend(page, studio, folder)
        page.close()


def _searched(settings: Settings, text: str) -> None:
    """Do a search as a worker has just done it."""
    arguments = search._arguments(settings, Query(text=text))
    found = explore_pool.run(settings, text=text)
    factories.add_job(settings, search.KIND, "done", arguments=arguments, result=found)


def _search(page: Page, studio: Studio, folder: Path) -> None:
    page.goto(f"/explore?q={SEARCH.replace(' ', '+')}&for={ANSWERED}")
    page.wait_for_load_state("networkidle")
    boxes = page.locator("[data-choose]")
    truths = [studio.catalogue.truths[boxes.nth(i).get_attribute("value") or ""] for i in range(14)]
    for place in sorted(range(14), key=lambda i: (truths[i].serious, i))[:3]:
        boxes.nth(place).check()
    page.set_viewport_size({"width": WIDTH, "height": _whole_rows(page, 1300)})
    keep(page, folder / "console-explore.png")


def _whole_rows(page: Page, height: int) -> int:
    """The window's height, ``height`` at most, at which the bar below hides no part of a row."""
    ends = page.locator(".mosaic > li").evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
    bar = page.locator(".pickbar").evaluate("one => one.getBoundingClientRect().height")
    return int(max(end for end in ends if end + bar < height) + bar + 12)


def _map(page: Page, folder: Path) -> None:
    page.set_viewport_size({"width": WIDTH, "height": 1300})
    page.goto(f"/explore/map?for={ANSWERED}")
    page.wait_for_selector("[data-map][data-ready]")
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Draw around").click()
    box = page.locator("[data-map]").bounding_box()
    assert box is not None
    path = [(box["x"] + box["width"] * u, box["y"] + box["height"] * v) for u, v in LASSO]
    page.mouse.move(*path[0])
    page.mouse.down()
    for x, y in [*path[1:], path[0]]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    page.wait_for_selector("[data-mosaic] img")
    page.mouse.move(5, 5)
    page.wait_for_load_state("networkidle")
    for _ in range(2):  # the map's height follows the window's
        page.set_viewport_size({"width": WIDTH, "height": _with_bar(page)})
        page.wait_for_timeout(500)  # it is drawn anew
    keep(page, folder / "console-map.png")


def _with_bar(page: Page) -> int:
    """The window's height at which the bar below hides nothing of the choice."""
    end = page.locator("[data-chosen]").evaluate("one => one.getBoundingClientRect().bottom + window.scrollY")
    return int(end + page.locator(".pickbar").evaluate("one => one.getBoundingClientRect().height")) + 24


def _cluster(page: Page, settings: Settings, folder: Path) -> None:
    """The most stable cluster."""
    with reading(settings) as session:
        one = session.scalars(select(Cluster).order_by(Cluster.stability.desc())).first()
    assert one is not None
    page.set_viewport_size({"width": WIDTH, "height": 800})
    page.goto(f"/explore/clusters/{one.clustering_id}/{one.number}")
    page.wait_for_load_state("networkidle")
    keep(page, folder / "console-cluster.png", 1000)


def _similar(page: Page, studio: Studio, folder: Path) -> None:
    """What has the same colours as the most romantic image."""
    page.set_viewport_size({"width": WIDTH, "height": 1000})
    page.goto(f"/explore?at=like:{_romantic(studio)[0].asset_id}&space=final")
    page.wait_for_load_state("networkidle")
    page.set_viewport_size({"width": WIDTH, "height": _whole_rows(page, 1000)})
    keep(page, folder / "console-similar.png")


def _recommend(page: Page, studio: Studio, folder: Path) -> None:
    page.set_viewport_size({"width": WIDTH, "height": 1000})
    page.goto("/explore/recommend")
    titles = list(dict.fromkeys(one.title_id for one in _romantic(studio)))[:3]
    page.get_by_label("Titles that were liked").fill("\n".join(titles))
    page.get_by_role("button", name="Recommend").click()
    page.wait_for_load_state("networkidle")
    keep(page, folder / "console-recommend.png")


def _romantic(studio: Studio) -> list[Asset]:
    truths = sorted(studio.catalogue.truths.values(), key=lambda one: one.serious - one.romance)[:12]
    return [studio.asset(one.asset_id) for one in truths]
