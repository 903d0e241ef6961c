"""An expert's first page of images, in a real browser on a real Label Studio: ticked by click and by key, submitted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from attune.labeler.assets.active_encoder import activate
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.jobs.jobs import quiet
from attune.labeler.people import experts
from attune.labeler.queues import grids
from attune.labeler.records.schema import Annotation, Grid
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import make_grids as job
from attune.workers.sync import sync
from tests.journeys.test_expert import close_instructions
from tests.support import factories
from tests.support.services import EMAIL, PASSWORD

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def served(live: Settings) -> Iterator[Settings]:
    """The console at an address from which Label Studio's page gets the images."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = replace(live, web_port=port)
    server = make_server("127.0.0.1", port, create_app(settings), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield settings
    server.shutdown()
    server.server_close()


def test_the_page_is_a_grid_that_is_ticked_by_click_and_by_key(served: Settings, page: Page) -> None:
    assets = factories.add_assets(served, 80, images=True)
    x = np.random.default_rng(1).standard_normal((80, 8)).astype(np.float32)
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 8)
    names = [asset.asset_id for asset in assets]
    VectorStore(served.vectors).append(made, names, x / np.linalg.norm(x, axis=1, keepdims=True))
    with writing(served) as session:
        activate(session, made)
        attributes.create(session, Definition("tender", "Is the scene tender?", ["tender", "other"]), served)
    experts.add(served, EMAIL, ["tender"], password=PASSWORD)
    link = job.run(served, quiet, "tender", EMAIL)["link"]
    page.goto(f"{served.label_studio_address}/user/login/")
    page.fill("input[name=email]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda address: "/user/login" not in address)
    page.goto(link)
    page.get_by_test_id("bottombar-submit-button").wait_for(timeout=60_000)
    close_instructions(page)
    expect(page.get_by_text("Tick every image that is “tender”")).to_be_visible()
    images = page.locator("img[src*='/media/']")
    expect(images).to_have_count(grids.SIZE)
    page.wait_for_function(
        "n => [...document.images].filter(i => i.src.includes('/media/') && i.naturalWidth).length == n", arg=grids.SIZE
    )
    lefts = {round(box["x"]) for one in images.all() if (box := one.bounding_box())}
    assert len(lefts) >= 4, "the images stand in one column"
    images.nth(2).click()
    expect(page.locator("input:checked")).to_have_count(1)
    page.keyboard.press("1")
    expect(page.locator("input:checked")).to_have_count(2)
    with page.expect_response(lambda reply: "/annotations" in reply.url and reply.request.method == "POST"):
        page.keyboard.press("Control+Enter")
    sync.run(served, quiet)
    with reading(served) as session:
        grid = session.scalars(select(Grid)).one()
        told = dict(session.execute(select(Annotation.asset_pk, Annotation.value)).all())
        waiting = grids.open_pages(session, grid.id)
    assert len(waiting) == grids.AHEAD - 1
    first = waiting[0].id - 1
    with reading(served) as session:
        keys = session.get_one(grids.GridPage, first).asset_pks
    assert {key for key, value in told.items() if value == "tender"} == {keys[0], keys[2]}
    assert len(told) == grids.SIZE
