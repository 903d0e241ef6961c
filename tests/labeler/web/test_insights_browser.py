"""From performance to a published insight, in a browser on a telephone; each page is looked at in both widths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from attune.labeler.insights import companions, features, imported, questions
from attune.labeler.records.schema import Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.workers.runtime.perform import perform
from tests.support import factories, performed, web
from tests.support.looks import TELEPHONE, enter, look

pytestmark = pytest.mark.browser


def ready(settings: Settings, folder: Path) -> None:
    """Performance with an effect, a feature that has it, and one that has none."""
    assets = [(one.asset_id, one.title_id) for one in factories.add_assets(settings, 320, images=True, per_title=4)]
    performed.bring(settings, performed.files(folder, assets, 0.15, ("home", "tv row")))
    rng = np.random.default_rng(2)
    lines = ["asset_id,value", *(f"{name},{rng.normal():.3f}" for name, _ in assets), ""]
    (folder / "noise.csv").write_text("\n".join(lines))
    imported.add(settings, str(folder / "noise.csv"), "brightness", "olga")
    known = features.known(settings)
    questions.register_features(settings, known, "brightness", "olga")
    row = questions.ask(settings, known["smiles"]).row
    for way in (companions.DEPENDS, companions.HOLDING):
        companions.ask(settings, row, known["smiles"], companions.Wanted(way, known["brightness"]), "olga")


def test_from_performance_to_a_published_insight(
    browser: Browser, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(settings, tmp_path)
    factories.add_user(settings, "olga@example.org", "owner")
    monkeypatch.setattr("attune.workers.runtime.perform.reader.build", lambda: settings)
    errors: list[str] = []
    with web.served(create_app(settings)) as address:
        context = browser.new_context(viewport={"width": TELEPHONE, "height": 900})
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        enter(page, address, "olga@example.org")
        page.goto(f"{address}/insights")
        expect(page.get_by_role("heading", name="No answers yet")).to_be_visible()
        look(page, "none")
        page.get_by_role("button", name="Answer the questions").click()
        expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
        with reading(settings) as session:
            (job,) = session.scalars(select(Job.id).where(Job.kind == "insights"))
        perform(job)
        sentence = page.get_by_role("link", name="Within a title, images with “smiles” are taken")
        expect(sentence).to_be_visible()
        expect(page.locator("#h-unsure")).to_be_visible()
        look(page, "insights")
        page.get_by_role("link", name="What goes with takes").click()
        page.get_by_role("button", name="Learn it").click()
        expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
        with reading(settings) as session:
            (job,) = session.scalars(select(Job.id).where(Job.kind == "goes_with"))
        perform(job)
        expect(page.get_by_role("heading", name="Images with “smiles” are taken")).to_be_visible()
        look(page, "goes-with")
        page.locator(".crumbs a").first.click()
        sentence.click()
        expect(page.get_by_role("heading", name="Titles that show it")).to_be_visible()
        look(page, "insight")
        page.get_by_role("link", name="Plan the test").click()
        expect(page.get_by_role("link", name="Download the images to show (CSV)")).to_be_visible()
        look(page, "test")
        page.locator(".pairs h3 a").first.click()
        expect(page.get_by_role("heading", name="What works, and whether it has it")).to_be_visible()
        look(page, "title")
        page.get_by_role("link", name="Within a title, images with “smiles” are taken").click()
        page.get_by_label("Why you believe it").fill("The autumn test says so, too.")
        page.get_by_role("button", name="Publish version 1").click()
        expect(page.get_by_text("Version 1 is published.")).to_be_visible()
        expect(page.get_by_text("The autumn test says so, too.")).to_be_visible()
        context.close()
    assert not errors
