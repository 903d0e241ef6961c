"""Make the pictures of the console in docs/images anew: ``python -m tests.support.screenshots docs/images``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select

from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.records.schema import Attribute, Expert
from attune.labeler.records.session import reading
from attune.labeler.sample.catalogue import Truth
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.workers.jobs import explore_pool
from tests.support import factories, true_studio, web
from tests.support.browser import FLAGS, executable
from tests.support.page_desk import PageDesk
from tests.support.true_pictures import deal, drawings
from tests.support.true_studio import Studio

# file name -> who, path, width, height
SERIOUS = "/attributes/serious-expression"
SHOTS = {
    "console-home": ("olga", "/", 1400, 1100),
    "console-dark": ("olga", "/", 1400, 760),
    "console-attribute": ("ana", SERIOUS, 1400, 1300),
    "console-phone": ("ana", SERIOUS, 390, 1400),
    "console-contested": ("olga", f"{SERIOUS}/contested", 1400, 900),
    "console-results": ("olga", f"{SERIOUS}/results", 1400, 1200),
    "console-review": ("olga", f"{SERIOUS}/review", 1400, 1300),
    "console-label": ("ana", "/attributes/romance/label", 1400, 900),
    "console-label-phone": ("ana", "/attributes/romance/label", 390, 844),
    "console-explore": ("mo", "/explore?q=two+people+in+love&for=romance", 1400, 1300),
}
SEARCH = "two people in love"
# Pages of images, some of them ticked.
PAGED = {
    "console-pages": ("ana", "/attributes/tender/pages", 1400, 900),
    "console-pages-phone": ("ana", "/attributes/tender/pages", 390, 844),
}
TICKS = ("Space", "ArrowRight", "ArrowRight", "Space", "ArrowRight", "u")
CHOSEN = (0, 2, 5)  # images in Explore
MARKS = {0: "tick", 2: "tick", 3: "unsure"}  # what these keys mark
DRAWINGS = 360


def main(folder: Path) -> None:
    """Write every picture into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as workspace, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(playwright), args=list(FLAGS))
        studio = true_studio.made(Path(workspace))
        _people(studio)
        _ask(studio)
        _search(studio.settings)
        _shoot(browser, studio.settings, SHOTS, folder)
        desk = PageDesk(
            factories.workspace(Path(workspace) / "pages"), 4, images=True, classes=("tender", "not tender")
        )
        deal(desk.settings, desk.assets, drawings(Path(workspace) / "drawn", DRAWINGS), MARKS)
        factories.add_user(desk.settings, "ana@example.org", "expert", desk.ana)
        _shoot(browser, desk.settings, PAGED, folder)
        browser.close()


def _people(studio: Studio) -> None:
    """Ana answers, Olga owns, Mo does both."""
    with reading(studio.settings) as session:
        ana = session.scalars(select(Expert).where(Expert.name == "Ana")).one()
        romance = session.scalars(select(Attribute).where(Attribute.name == "romance")).one()
    factories.add_user(studio.settings, "ana@example.org", "expert", ana)
    factories.add_user(studio.settings, "olga@example.org", "owner")
    mo = factories.add_expert(studio.settings, "mo@example.org", "Mo")
    factories.add_user(studio.settings, "mo@example.org", "owner", mo)
    factories.add_queue(studio.settings, romance, mo)


def _ask(studio: Studio) -> None:
    """Put images into Ana's queue of romance: first an upright one of two people whom everybody takes for a couple."""
    left = studio.unanswered("romance")

    def fitting(truth: Truth) -> tuple[bool, float]:
        asset = studio.asset(truth.asset_id)
        return truth.people == 2 and asset.height > asset.width and truth.serious < 0.4, truth.romance

    first = max(left, key=fitting)
    others = [truth for truth in left if truth is not first][-11:]
    for number, truth in enumerate([first, *others]):
        queue = studio.queues["romance", "ana"]
        factories.add_task(studio.settings, queue, studio.asset(truth.asset_id), utility=1 - number / 100)


def _search(settings: Settings) -> None:
    """Do the search that the picture of Explore shows, as a worker has just done it."""
    arguments = search._arguments(settings, Query(text=SEARCH))
    found = explore_pool.run(settings, text=SEARCH)
    factories.add_job(settings, search.KIND, "done", arguments=arguments, result=found)


def _shoot(browser: Browser, settings: Settings, shots: dict[str, tuple[str, str, int, int]], folder: Path) -> None:
    """Serve the workspace and take its pictures."""
    with web.served(create_app(settings)) as address:
        for name, (who, path, width, height) in shots.items():
            scheme: Literal["dark", "light"] = "dark" if "dark" in name else "light"
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(f"{address}/login")
            page.fill("#email", f"{who}@example.org")
            page.fill("#password", factories.PASSWORD)
            page.click("#submit")
            page.goto(address + path)
            page.wait_for_load_state("networkidle")
            if path.endswith(("/label", "/pages")):
                page.keyboard.press("Enter")  # closes what opens by itself the first time
                page.wait_for_selector("body[data-shown]:not([data-shown=''])")
            for key in TICKS if path.endswith("/pages") else ():
                page.keyboard.press(key)
            if "/explore" in path:
                for place in CHOSEN:
                    page.locator("[data-choose]").nth(place).check()
                page.set_viewport_size({"width": width, "height": _whole_rows(page, height)})
            page.screenshot(path=folder / f"{name}.png")
            _shrink(folder / f"{name}.png")
            page.close()


def _whole_rows(page: Page, height: int) -> int:
    """The window's height, ``height`` at most, at which the bar below hides no part of a row."""
    ends = page.locator(".mosaic > li").evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
    bar = page.locator(".pickbar").evaluate("one => one.getBoundingClientRect().height")
    return int(max(end for end in ends if end + bar < height) + bar + 12)


def _shrink(path: Path) -> None:
    """A palette of 256 colours takes a third of the bytes, and flat pages lose nothing that shows."""
    image = Image.open(path).convert("RGB")
    image.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE).save(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
