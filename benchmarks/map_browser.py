"""The map's page in Chromium over a large pool: what `benchmarks.map --browser` measures.

A console is served over records of as many images, drawn at the places given, with clusters to colour by. Bytes are
what came over the wire for the whole page; ``first_paint`` is from the beginning of the navigation to the second frame
with points, by the browser's clock, with an empty cache, and ``whole`` to the map with its colours and legend. Lasso
and hover are medians of ``ROUNDS``, and the least: from the last corner until what was found is marked, as many as a
choice holds, and drawn; from the mouse's move until the ring is. WebGL is waited for by reading a pixel. Without a
graphics card Chromium draws WebGL in software: the page itself takes the canvas then.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import insert

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import activate
from attune.labeler.maps import layouts
from attune.labeler.people import users
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import migrate, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings
from attune.labeler.spaces.clusterings import New
from attune.labeler.spaces.members import Members
from attune.labeler.web.app import create_app
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.maps.fixed_point import WholeComponents
from attune.models.maps.placing import Landmarks, Places
from attune.models.vectors.vector_store import VectorStore
from tests.support.browser import FLAGS, executable
from tests.support.web import served

OWNER, PASSWORD = "owner@bench.example", "a long enough password"
ROUNDS, AT_ONCE, CLUSTERS = 15, 20_000, 24
# Two frames, as the first callback comes before the frame that it asks for is drawn.
FRAME = """const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const ended = ({ gl }) => gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));"""
LASSO = f"""async (rounds) => {{
    {FRAME}
    const {{ stage }} = window.attuneMap, took = [], found = [], corners = 160;
    for (let round = 0; round < rounds; round += 1) {{
        await frame();
        const path = [], far = 0.3 * Math.min(stage.width, stage.height);
        for (let i = 0; i < corners; i += 1) {{
            const turn = (2 * Math.PI * i) / corners, out = far * (1 + 0.15 * Math.sin(7 * turn + round));
            path.push(stage.width / 2 + out * Math.cos(turn), stage.height / 2 + out * Math.sin(turn));
        }}
        const began = performance.now(), inside = stage.inside(stage.outline(path));
        stage.mark(1, inside.slice(0, 500)); stage.paint(); ended(stage.points);
        took.push(performance.now() - began); found.push(inside.length);
    }}
    stage.mark(1, []);
    return [took, found];
}}"""
HOVER = f"""async (rounds) => {{
    {FRAME}
    const {{ stage }} = window.attuneMap, took = [];
    for (let round = 0; round < rounds; round += 1) {{
        await frame();
        const began = performance.now();
        stage.hover = stage.hit(stage.width * (0.3 + 0.4 * round / rounds), stage.height * 0.5);
        stage.paintOver(); ended(stage.points);
        took.push(performance.now() - began);
    }}
    return took;
}}"""


def measure(places: Places) -> list[dict[str, Any]]:
    """Of each way to draw: bytes, and the seconds of each act."""
    flags = [one for one in FLAGS if one != "--disable-gpu"]
    with (
        tempfile.TemporaryDirectory() as folder,
        served(create_app(_filled(Path(folder), places))) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable(playwright), args=flags)
        rows = [_drawn(browser, address, drawn) for drawn in ("webgl", "canvas")]
        browser.close()
    return rows


def _drawn(browser: Browser, address: str, drawn: str) -> dict[str, Any]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("#email", OWNER)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".whoami")
    wire = context.new_cdp_session(page)
    came: list[float] = []
    wire.on("Network.loadingFinished", lambda told: came.append(told["encodedDataLength"]))
    wire.send("Network.enable")
    wire.send("Network.clearBrowserCache")
    page.goto(f"{address}/explore/map?drawn={drawn}", wait_until="commit")
    page.wait_for_selector("[data-map][data-ready]", timeout=120_000)
    seconds = float(page.evaluate("performance.getEntriesByName('map-painted')[0].startTime / 1000"))
    whole = float(page.evaluate("performance.getEntriesByName('map-whole')[0].startTime / 1000"))
    size = sum(came)
    page.get_by_label("Pictures").uncheck()
    took, found = page.evaluate(LASSO, ROUNDS)
    row = {
        "drawn": page.locator("[data-map]").get_attribute("data-drawn"),
        "graphics": page.evaluate(
            """() => { const gl = document.createElement("canvas").getContext("webgl");
                const told = gl?.getExtension("WEBGL_debug_renderer_info");
                return told ? gl.getParameter(told.UNMASKED_RENDERER_WEBGL) : "none"; }"""
        ),
        "points": int(page.evaluate("window.attuneMap.stage.bins.count")),
        "megabytes": size / 1e6,
        "first_paint": seconds,
        "whole": whole,
        "lasso": float(np.median(took)) / 1000,
        "lasso_least": min(took) / 1000,
        "inside": int(np.median(found)),
        "hover": float(np.median(page.evaluate(HOVER, ROUNDS))) / 1000,
    }
    context.close()
    return row


def _filled(folder: Path, places: Places) -> Settings:
    """A workspace with an image at each place; the files of images are not there."""
    settings = reader.build({}, workspace=folder)
    migrate(settings)
    users.create(settings, OWNER, "admin", PASSWORD)
    made = Fingerprint("open_clip", "bench", "0" * 64, 8)
    count = len(places)
    with writing(settings) as session:
        activate(session, made)
        for start in range(0, count, AT_ONCE):
            session.execute(insert(Asset), [_asset(number) for number in range(start, min(start + AT_ONCE, count))])
    VectorStore(settings.vectors).append(made, ["asset-0"], np.eye(1, 8, dtype=np.float32))
    keys = np.arange(1, count + 1, dtype=np.int64)
    nothing = WholeComponents(np.zeros((2, 8), dtype=np.int16), np.zeros(2), 1.0)
    landmarks = Landmarks(nothing, np.zeros((1, 2), dtype=np.int16), places[:1])
    layout = layouts.keep(settings, "final", made, 0, landmarks)
    layouts.add(settings, layout, keys, places)
    groups = (places[:, 0] // 13_200 + 5 * (places[:, 1] // 13_200)).astype(np.int16) % CLUSTERS
    cosines = np.ones(count, dtype=np.float16)
    sizes = np.bincount(groups, minlength=CLUSTERS).tolist()
    members = Members(keys, groups, cosines)
    clusterings.keep(settings, New("final", made.digest, CLUSTERS, 0, members, sizes, [1.0] * CLUSTERS))
    return settings


def _asset(number: int) -> dict[str, Any]:
    return {
        "asset_id": f"asset-{number}", "title_id": f"title-{number // 3}", "uri": f"/images/{number}.jpg",
        "digest": f"{number:064x}", "width": 300, "height": 450, "columns": {}, "added_at": now(),
    }  # fmt: skip
