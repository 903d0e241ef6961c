"""Make the pictures of docs/reference/console.md anew: ``python -m tests.support.screenshots docs/images``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import select

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.records.schema import Asset, Attribute, Expert, Queue
from attune.labeler.records.session import reading
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.workers.jobs import embed, explore_pool
from attune.workers.rounds import gallery_scores
from attune.workers.rounds.snapshot import take_snapshot
from tests.labeler.catalog import judged
from tests.support import factories, web
from tests.support.browser import FLAGS, executable
from tests.support.page_desk import PageDesk
from tests.support.true_pictures import Drawing, answer_truly, deal, drawings, show_truly

# file name -> who, path, width, height
SHOTS = {
    "console-attribute": ("ana", "/attributes/serious-expression", 1400, 1300),
    "console-contested": ("olga", "/attributes/tender/contested", 1400, 760),
    "console-phone": ("ana", "/attributes/serious-expression", 390, 1400),
    "console-dark": ("olga", "/", 1400, 760),
    "console-label": ("ana", "/attributes/romance/label", 1400, 900),
    "console-label-phone": ("ana", "/attributes/romance/label", 390, 844),
}
# Pages of images, some of them ticked.
PAGED = {
    "console-pages": ("ana", "/attributes/tender/pages", 1400, 900),
    "console-pages-phone": ("ana", "/attributes/tender/pages", 390, 844),
}
TICKS = ("Space", "ArrowRight", "ArrowRight", "Space", "ArrowRight", "u")
CHOSEN = (0, 2, 5)  # images in Explore
MARKS = {0: "tick", 2: "tick", 3: "unsure"}  # what these keys mark
DRAWINGS = 360


# The same over a workspace whose probes can be judged.
JUDGED = {
    "console-home": ("olga", "/", 1400, 1100),
    "console-results": ("olga", "/attributes/serious/results", 1400, 1200),
    "console-review": ("olga", "/attributes/serious/review", 1400, 1300),
}
# The same over a pool with vectors.
SEARCH = "two people"
EXPLORED = {"console-explore": ("ana", "/explore?q=two+people", 1400, 1000)}


def main(folder: Path) -> None:
    """Write every picture into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as workspace, sync_playwright() as playwright:
        drawn = drawings(Path(workspace) / "sample", DRAWINGS)
        settings = factories.workspace(Path(workspace) / "studio")
        factories.add_studio(settings)
        answer_truly(settings, drawn)
        with reading(settings) as session:
            ana = session.scalars(select(Expert).where(Expert.name == "Ana")).one()
        factories.add_user(settings, "ana@example.org", "expert", ana)
        factories.add_user(settings, "olga@example.org", "owner")
        _ask(settings, ana)
        browser = playwright.chromium.launch(executable_path=executable(playwright), args=list(FLAGS))
        _shoot(browser, settings, SHOTS, folder)
        judgeable = judged.filled(Path(workspace) / "judged", images=True)
        _show(judgeable, drawn)
        promote(judgeable, Move("serious", 1, "The first, to have one.", "olga@example.org"))
        for name, run in (("serious", 4), ("romance", 2)):
            gallery_scores.leave(judgeable, take_snapshot(judgeable, name), run)
        factories.add_user(judgeable, "olga@example.org", "owner")
        _shoot(browser, judgeable, JUDGED, folder)
        classes = ("tender", "not tender")
        desk = PageDesk(factories.workspace(Path(workspace) / "pages"), 4, images=True, classes=classes)
        deal(desk.settings, desk.assets, drawn, MARKS)
        factories.add_user(desk.settings, "ana@example.org", "expert", desk.ana)
        _shoot(browser, desk.settings, PAGED, folder)
        _shoot(browser, _searched(Path(workspace) / "pool", drawn), EXPLORED, folder)
        browser.close()


def _ask(settings: Settings, expert: Expert) -> None:
    """Put some images into the expert's queue of romance, for the labelling page."""
    with reading(settings) as session:
        mine = select(Queue).join(Attribute, Attribute.id == Queue.attribute_id)
        queue = session.scalars(mine.where(Attribute.name == "romance", Queue.expert_id == expert.id)).one()
        assets = session.scalars(select(Asset).order_by(Asset.id.desc()).limit(12)).all()
    for asset in assets:
        factories.add_task(settings, queue, asset)


def _show(settings: Settings, drawn: Sequence[Drawing]) -> None:
    """Give each asset of the judged workspace a drawing that is what its vector says."""
    view = take_snapshot(settings, "romance").view
    with reading(settings) as session:
        names = list(session.scalars(select(Asset.asset_id).order_by(Asset.id)))
        classes = session.scalars(select(Attribute).where(Attribute.name == "romance")).one().classes
    show_truly(settings, drawn, view.pool.rows(view.pool.positions(names)), classes)


def _searched(folder: Path, drawn: Sequence[Drawing]) -> Settings:
    """A workspace with embedded images in which a worker has just done the search."""
    encoder = {"encoder": str(ENCODER_CONFIG), "pretrained": str(ENCODER_WEIGHTS), "resize_mode": ENCODER_RESIZE_MODE}
    settings = factories.workspace(folder, **encoder)
    factories.add_assets(settings, 110, images=True)
    answer_truly(settings, drawn)
    embed.run(settings)
    ana = factories.add_expert(settings)
    factories.add_user(settings, "ana@example.org", "expert", ana)
    factories.add_queue(settings, factories.add_attribute(settings), ana)
    arguments = search._arguments(settings, Query(text=SEARCH))
    factories.add_job(
        settings, search.KIND, "done", arguments=arguments, result=explore_pool.run(settings, text=SEARCH)
    )
    return settings


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
            for place in CHOSEN if "/explore" in path else ():
                page.locator("[data-choose]").nth(place).check()
            page.screenshot(path=folder / f"{name}.png")
            _shrink(folder / f"{name}.png")
            page.close()


def _shrink(path: Path) -> None:
    """A palette of 256 colours takes a third of the bytes, and flat pages lose nothing that shows."""
    image = Image.open(path).convert("RGB")
    image.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE).save(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
