"""Pages of images in a real browser over real services: from Enter to the next page, and whether each tick arrives:
``python -m benchmarks.page_speed --screens 10 --json OUT``.

Answers ``--screens`` screens of each size by turns of ten, with ``--look`` seconds for an image, and ticks one image in
five. Clocked inside the browser, from the key to the second frame with all images of the next page. Compares what the
records hold at the end with what was on the screen. Worked out for --pool posters, half upright and half wide.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.records.schema import Annotation, GridPage, Job
from attune.labeler.records.session import reading
from attune.labeler.services import Stack, free_ports
from attune.labeler.settings import Settings
from benchmarks import labelling_speed
from benchmarks.labelling_speed import OURS, PASSWORD, launched, quantile
from benchmarks.machine import machine

SIZES = (12, 24, 48)
CLOCK = """
window.clock = () => {
  const before = document.body.dataset.shown;
  window.clocked = null;
  addEventListener("keydown", function heard(event) {
    if (event.key !== "Enter") return;
    removeEventListener("keydown", heard, true);
    const look = () => {
      const now = document.body.dataset.shown;
      if (now && now !== before) window.clocked = performance.now() - event.timeStamp;
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, true);
};
window.share = () => {
  const grid = document.querySelector("[data-grid]").getBoundingClientRect();
  let area = 0;
  for (const cell of document.querySelectorAll("[data-cell]")) {
    const box = cell.getBoundingClientRect();
    if (box.bottom <= grid.bottom + 1) area += box.width * box.height;
  }
  return area / (innerWidth * innerHeight);
};
window.said = () => Object.fromEntries([...document.querySelectorAll("[data-cell] img")].map((image) =>
  [decodeURIComponent(image.src.split("/").pop().split("?")[0]), image.closest("[data-cell]").dataset.mark]));
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screens", type=int, default=10, help="screens of each size")
    parser.add_argument("--look", type=float, default=0.1, help="seconds that an image is looked at")
    parser.add_argument("--pool", type=int, default=1500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-pages-") as folder:
        settings = free_ports(reader.build(workspace=folder))
        with Stack(settings, print):
            labelling_speed.fill(settings, options.pool, 1)
            found: dict[str, Any] = {"screens": options.screens, "look": options.look, "pool": options.pool}
            found |= answered(settings, options.screens, options.look) | {"machine": machine()}
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def answered(settings: Settings, screens: int, look: float) -> dict[str, Any]:
    """Answer every size; figures of each, and how many answers in the records differ from the screen's."""
    made: dict[str, Any] = {}
    said: dict[str, str] = {}
    rng = np.random.default_rng(0)
    with sync_playwright() as playwright:
        context = launched(playwright).new_context(viewport={"width": 1400, "height": 900})
        context.add_init_script(CLOCK)
        page = context.new_page()
        page.goto(f"{settings.web_address}/login?next=/attributes/{OURS}/pages")
        page.fill("#email", "expert0@bench.example")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("dialog").wait_for()
        began = time.perf_counter()
        page.keyboard.press("Enter")
        page.wait_for_selector("body[data-shown]:not([data-shown=''])", timeout=120_000)
        made["first_page_seconds"] = round(time.perf_counter() - began, 2)
        for size in SIZES:
            page.get_by_role("button", name=str(size), exact=True).click()
            made[str(size)] = _size(page, size, screens, look, rng, said)
        page.wait_for_selector('body[data-unsent="0"]', timeout=120_000)
    with reading(settings) as session:
        rows = select(Annotation).join(Annotation.asset).where(Annotation.deleted_at.is_(None))
        held = {row.asset.asset_id: row.value for row in session.scalars(rows)}
        jobs = session.scalars(
            select(Job).where(Job.kind == "grid", Job.state == "done").order_by(Job.created_at)
        ).all()
        made["making_seconds"] = [round((job.finished_at - job.created_at).total_seconds(), 1) for job in jobs]
        made["pages"] = len(session.scalars(select(GridPage.id).where(GridPage.state == "answered")).all())
    expected = {asset: {"tick": "yes", "unsure": "unsure", "": "no"}[mark] for asset, mark in said.items()}
    made["answers"] = len(expected)
    made["missing"] = sum(asset not in held for asset in expected)
    made["wrong"] = sum(held.get(asset, value) != value for asset, value in expected.items())
    return made


def _size(page: Page, size: int, screens: int, look: float, rng: Any, said: dict[str, str]) -> dict[str, Any]:
    seconds: list[float] = []
    full = share = 0.0
    for _ in range(screens):
        page.wait_for_selector("body[data-shown]:not([data-shown=''])", timeout=120_000)
        count = page.locator("[data-cell]").count()
        full += count == size
        for at in range(count):
            if rng.random() < 0.2:
                page.locator(f"[data-cell='{at}'] .tick-button").click()
        page.wait_for_timeout(max(500, 1000 * look * count))
        said |= page.evaluate("() => window.said()")
        share = float(page.evaluate("() => window.share()"))
        page.evaluate("() => window.clock()")
        page.keyboard.press("Enter")
        page.wait_for_function("() => window.clocked !== null", timeout=120_000)
        seconds.append(round(float(page.evaluate("() => window.clocked")) / 1000, 4))
    figures = {"p50": quantile(seconds, 0.5), "p95": quantile(seconds, 0.95), "most": max(seconds)}
    return figures | {"whole_screens": int(full), "share_of_window": round(share, 3), "seconds": seconds}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
