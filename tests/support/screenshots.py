"""Make the pictures of the console in docs/images anew: ``python -m tests.support.screenshots docs/images``.

A second word makes a part of them: ``pages``, ``explore``, ``insights`` or ``tutorial`` (docs/images/browser).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import select

from attune.labeler.records.schema import Attribute, Expert
from attune.labeler.records.session import reading
from attune.labeler.sample.catalogue import Truth
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from tests.support import explore_pictures, factories, insight_pictures, true_studio, tutorial_pictures, web
from tests.support.browser import FLAGS, executable
from tests.support.page_desk import PageDesk
from tests.support.pictures import entered, keep
from tests.support.true_pictures import deal, drawings
from tests.support.true_studio import Studio

# file name -> who, path, width, height
SERIOUS = "/attributes/serious-expression"
SHOTS = {
    "console-home": ("olga", "/", 1400, 1100),
    "console-dark": ("ana", "/", 1400, 760),
    "console-attribute": ("ana", SERIOUS, 1400, 1300),
    "console-phone": ("ana", SERIOUS, 390, 1400),
    "console-contested": ("olga", f"{SERIOUS}/contested", 1400, 900),
    "console-results": ("olga", f"{SERIOUS}/results", 1400, 1200),
    "console-review": ("olga", f"{SERIOUS}/review", 1400, 1300),
    "console-label": ("ana", "/attributes/romance/label", 1400, 900),
    "console-label-phone": ("ana", "/attributes/romance/label", 390, 844),
}
# Pages of images, some of them ticked.
PAGED = {
    "console-pages": ("ana", "/attributes/tender/pages", 1400, 900),
    "console-pages-phone": ("ana", "/attributes/tender/pages", 390, 844),
}
TICKS = ("Space", "ArrowRight", "ArrowRight", "Space", "ArrowRight", "u")
MARKS = {0: "tick", 2: "tick", 3: "unsure"}  # what these keys mark
DRAWINGS = 360


def main(folder: Path, part: str = "") -> None:
    """Write every picture into ``folder``, or those of a ``part``."""
    with tempfile.TemporaryDirectory() as workspace, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(playwright), args=list(FLAGS))
        if part in ("", "pages", "explore"):
            studio = true_studio.made(Path(workspace))
            _people(studio)
            if part != "explore":
                _ask(studio)
                _shoot(browser, studio.settings, SHOTS, folder)
                _pages(browser, Path(workspace), folder)
            if part != "pages":
                explore_pictures.take(browser, studio, folder)
        if part in ("", "insights"):
            insight_pictures.take(browser, Path(workspace) / "insights", folder)
        if part in ("", "tutorial"):
            tutorial_pictures.take(browser, Path(workspace) / "tutorial", folder / "browser")
        browser.close()


def _pages(browser: Browser, workspace: Path, folder: Path) -> None:
    desk = PageDesk(factories.workspace(workspace / "pages"), 4, images=True, classes=("tender", "not tender"))
    deal(desk.settings, desk.assets, drawings(workspace / "drawn", DRAWINGS), MARKS)
    factories.add_user(desk.settings, "ana@example.org", "expert", desk.ana)
    _shoot(browser, desk.settings, PAGED, folder)


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


def _shoot(browser: Browser, settings: Settings, shots: dict[str, tuple[str, str, int, int]], folder: Path) -> None:
    """Serve the workspace and take its pictures."""
    with web.served(create_app(settings)) as address:
        for name, (who, path, width, height) in shots.items():
            page = entered(browser, address, f"{who}@example.org", width, height, "dark" in name)
            page.goto(path)
            page.wait_for_load_state("networkidle")
            if path.endswith(("/label", "/pages")):
                page.keyboard.press("Enter")  # closes what opens by itself the first time
                page.wait_for_selector("body[data-shown]:not([data-shown=''])")
            for key in TICKS if path.endswith("/pages") else ():
                page.keyboard.press(key)
            keep(page, folder / f"{name}.png")
            page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
