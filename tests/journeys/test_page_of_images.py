"""An expert's first page of images: the console's own page in a real browser, its answers in a real Label Studio."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.jobs.jobs import quiet
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.people import experts
from attune.labeler.queues import grids
from attune.labeler.records.schema import Annotation, Expert, Grid, GridPage
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import make_grids as job
from attune.workers.sync import sync
from tests.labeler.web.test_pages_browser import all_stored, marks, submit
from tests.support import factories, web
from tests.support.browser import shown
from tests.support.services import EMAIL, PASSWORD

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.browser]
TICKED = {0, 2, 5}


@pytest.fixture
def served(live: Settings) -> Iterator[Settings]:
    """The console at an address of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = replace(live, web_port=port)
    with web.served(create_app(settings), port):
        yield settings


def test_from_the_questions_page_to_a_stored_page_with_one_login(served: Settings, ls: LabelStudio, page: Page) -> None:
    assets = factories.add_assets(served, 80, images=True)
    x = np.random.default_rng(1).standard_normal((80, 8)).astype(np.float32)
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 8)
    names = [asset.asset_id for asset in assets]
    VectorStore(served.vectors).append(made, names, x / np.linalg.norm(x, axis=1, keepdims=True))
    with writing(served) as session:
        activate(session, made)
        attributes.create(session, Definition("tender", "Is the scene tender?", ["tender", "other"]), served)
    experts.add(served, EMAIL, ["tender"], password=PASSWORD)
    with reading(served) as session:
        ana = session.scalars(select(Expert)).one()
    made_pages = job.run(served, quiet, "tender", EMAIL)
    assert made_pages["link"] == f"{served.web_address}/attributes/tender/pages"

    page.goto(f"{served.web_address}/login?next=/attributes/tender")
    page.fill("#email", EMAIL)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_text("Other ways to begin").click()
    page.get_by_role("button", name="Start with a page of images").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="12", exact=True).click()
    expect(page.locator("[data-cell]")).to_have_count(grids.SIZE)
    first = shown(page)
    for at in sorted(TICKED):
        page.locator(f"[data-cell='{at}'] .tick-button").click()
    page.locator("[data-cell='7'] .tick-button").focus()
    page.keyboard.press("u")
    assert marks(page) == dict.fromkeys(TICKED, "tick") | {7: "unsure"}
    second = submit(page, first)
    all_stored(page)

    with reading(served) as session:
        grid = session.scalars(select(Grid)).one()
        answered = session.scalars(select(GridPage).where(GridPage.key == first)).one()
        told = dict(session.execute(select(Annotation.asset_pk, Annotation.value)).all())
        assert len(grids.open_pages(session, grid.id)) == grids.AHEAD - 1
    expected = {
        key: "unsure" if at == 7 else "tender" if at in TICKED else "other" for at, key in enumerate(answered.asset_pks)
    }
    assert told == expected
    (stored,) = ls.request("GET", f"/api/tasks/{answered.label_studio_task}/")["annotations"]
    assert stored["completed_by"]["id"] == ana.label_studio_user
    assert stored["lead_time"] > 0
    assert sync.run(served, quiet)["changed"] == 0, "what Label Studio holds is what the records hold"
    assert second != first
