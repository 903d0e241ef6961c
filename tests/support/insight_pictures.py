"""The picture of a brief in docs/images: a title's page over the demo's images and its made-up performance."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

from playwright.sync_api import Browser, Page

from attune.labeler.briefs.brief import Brief, brief
from attune.labeler.demo import performed, prepare
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import quiet
from attune.labeler.sample import write_catalogue
from attune.labeler.sample.catalogue import Catalogue
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.workers.jobs import run_insights
from tests.support import factories, true_studio, web
from tests.support.pictures import cut_below, entered, keep

OLGA = "olga@example.org"
SIZE = (1400, 1560)
IMAGES, LOOKED_AT = 5, 60  # of the title, in one row; titles to choose from


def take(browser: Browser, folder: Path, pictures: Path) -> None:
    """Make the demo's insights in ``folder``, and write the picture into ``pictures``."""
    settings, catalogue = answered(folder)
    factories.add_user(settings, OLGA, "owner")
    with web.served(create_app(settings)) as address:
        page = entered(browser, address, OLGA, *SIZE)
        _brief(page, telling(settings, catalogue), pictures)
        page.close()


def answered(folder: Path, images: int = prepare.IMAGES) -> tuple[Settings, Catalogue]:
    """A workspace as `attune demo` leaves it, of its images and insights alone: its three questions are answered."""
    settings = factories.workspace(folder / "work")
    catalogue = write_catalogue(folder / "sample", images, prepare.SEED)
    true_studio.add_images(settings, catalogue)

    def ask(settings: Settings, kind: str, who: str) -> dict[str, Any]:
        assert kind == "insights"
        return run_insights.run(settings, who=who)

    with patch.object(jobs, "ask", ask):  # a run here, without a worker
        performed.add(settings, catalogue, quiet)
    return settings, catalogue


def telling(settings: Settings, catalogue: Catalogue) -> str:
    """The title of ``IMAGES`` images whose brief begins with what is missing, and most of whose images differ."""
    sizes = Counter(truth.title_id for truth in catalogue.truths.values())

    def tells(made: Brief) -> tuple[bool, int]:
        return made.lines[0].missing, sum("No measurable" not in made.own.said(one.asset_id) for one in made.images)

    first = [title for title, count in sizes.items() if count == IMAGES][:LOOKED_AT]
    return max(first, key=lambda title: tells(brief(settings, title)))


def _brief(page: Page, title: str, pictures: Path) -> None:
    page.goto(f"/titles?title={title}")
    page.wait_for_load_state("networkidle")
    cut_below(page, ".brief-line:nth-of-type(1)")
    keep(page, pictures / "console-brief.png")
