"""Make the pictures of docs/reference/console.md anew: ``python -m tests.support.screenshots docs/images``."""

from __future__ import annotations

import itertools
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any
from unittest.mock import patch

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.records.schema import Asset, Attribute, Expert, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS, write_catalogue
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.workers.jobs import embed, explore_pool
from attune.workers.rounds import gallery_scores
from attune.workers.rounds.snapshot import take_snapshot
from tests.labeler.catalog import judged
from tests.support import factories
from tests.support.browser import FLAGS, executable
from tests.support.page_desk import PageDesk

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
    with tempfile.TemporaryDirectory() as workspace, sync_playwright() as playwright, _drawn(Path(workspace)):
        settings = factories.workspace(Path(workspace) / "studio")
        factories.add_studio(settings)
        _measure(settings)
        with reading(settings) as session:
            ana = session.scalars(select(Expert).where(Expert.name == "Ana")).one()
        factories.add_user(settings, "ana@example.org", "expert", ana)
        factories.add_user(settings, "olga@example.org", "owner")
        _ask(settings, ana)
        browser = playwright.chromium.launch(executable_path=executable(playwright), args=list(FLAGS))
        _shoot(browser, settings, SHOTS, folder)
        judgeable = judged.filled(Path(workspace) / "judged", images=True)
        _measure(judgeable)
        promote(judgeable, Move("serious", 1, "The first, to have one.", "olga@example.org"))
        for name, run in (("serious", 4), ("romance", 2)):
            gallery_scores.leave(judgeable, take_snapshot(judgeable, name), run)
        factories.add_user(judgeable, "olga@example.org", "owner")
        _shoot(browser, judgeable, JUDGED, folder)
        desk = PageDesk(factories.workspace(Path(workspace) / "pages"), 4, images=True)
        _measure(desk.settings)
        factories.add_user(desk.settings, "ana@example.org", "expert", desk.ana)
        _shoot(browser, desk.settings, PAGED, folder)
        _shoot(browser, _searched(Path(workspace) / "pool"), EXPLORED, folder)
        browser.close()


def _ask(settings: Settings, expert: Expert) -> None:
    """Put some images into the expert's queue of romance, for the labelling page."""
    with reading(settings) as session:
        mine = select(Queue).join(Attribute, Attribute.id == Queue.attribute_id)
        queue = session.scalars(mine.where(Attribute.name == "romance", Queue.expert_id == expert.id)).one()
        assets = session.scalars(select(Asset).order_by(Asset.id.desc()).limit(12)).all()
    for asset in assets:
        factories.add_task(settings, queue, asset)


def _drawn(folder: Path) -> Any:
    """Pictures of the sample catalogue in place of the factories' circles; a number makes each file its own."""
    write_catalogue(folder / "sample", 120)
    found = [path.read_bytes() for path in sorted((folder / "sample" / "images").glob("*.jpg"))]
    numbers = itertools.count()

    # 37 shares no factor with 120: neighbours are of different titles.
    def picture(*_: object) -> bytes:
        number = next(numbers)
        return found[37 * number % len(found)] + str(number).encode()

    return patch.object(factories, "picture", picture)


def _searched(folder: Path) -> Settings:
    """A workspace with embedded images in which a worker has just done the search."""
    encoder = {"encoder": str(ENCODER_CONFIG), "pretrained": str(ENCODER_WEIGHTS), "resize_mode": ENCODER_RESIZE_MODE}
    settings = factories.workspace(folder, **encoder)
    factories.add_assets(settings, 110, images=True)
    _measure(settings)
    embed.run(settings)
    ana = factories.add_expert(settings)
    factories.add_user(settings, "ana@example.org", "expert", ana)
    arguments = search._arguments(settings, Query(text=SEARCH))
    factories.add_job(
        settings, search.KIND, "done", arguments=arguments, result=explore_pool.run(settings, text=SEARCH)
    )
    return settings


def _measure(settings: Settings) -> None:
    """Record the sizes that the pictures have."""
    with writing(settings) as session:
        for asset in session.scalars(select(Asset)):
            asset.width, asset.height = Image.open(asset.uri).size


def _shoot(browser: Browser, settings: Settings, shots: dict[str, tuple[str, str, int, int]], folder: Path) -> None:
    """Serve the workspace and take its pictures."""
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, (who, path, width, height) in shots.items():
        scheme = "dark" if "dark" in name else "light"
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        address = f"http://127.0.0.1:{server.server_port}"
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
        page.screenshot(path=folder / f"{name}.png")
        _shrink(folder / f"{name}.png")
        page.close()
    server.shutdown()


def _shrink(path: Path) -> None:
    """A palette of 256 colours takes a third of the bytes, and flat pages lose nothing that shows."""
    image = Image.open(path).convert("RGB")
    image.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE).save(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
