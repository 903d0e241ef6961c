"""From one answer to the next image on the screen, Attune's labelling page beside Label Studio's:
``python -m benchmarks.labelling_speed --answers 40 --experts 1 --json OUT``.

Starts the real parts in a temporary workspace. Each expert is a Chromium of its own and answers on both pages by turns,
ten images at a time. Clocked inside the browser, from the key that submits to the second frame with another image.
``--marathon 500`` answers that many as fast as the page takes keys, cuts the network for ten seconds in the middle, and
compares each answer in the records with the key that was pressed on its image. On three screens it says how many keys
an answer takes, and the share of the window that a portrait poster has of the height, a wide one of the width.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import select

from attune.labeler import settings as reader
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.jobs import jobs
from attune.labeler.people import experts
from attune.labeler.records.schema import Annotation, Asset, Encoder, Expert, Queue, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.services import Stack, free_ports
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.files.atomic import digest_bytes
from attune.models.vectors.vector_store import VectorStore
from benchmarks.machine import machine

OURS, THEIRS, MARATHON = "one-key", "label-studio", "marathon"
PASSWORD = "labelling-speed-bench"
TURN = 10
SCREENS = ((1400, 900), (1024, 768), (390, 844))
CLOCK = """
window.biggest = () => {
  let best = null, area = 0;
  for (const image of document.images) {
    const box = image.getBoundingClientRect();
    const size = image.complete && image.naturalWidth ? box.width * box.height : 0;
    if (size > area) { area = size; best = image; }
  }
  return best;
};
window.clock = (key, modified) => {
  const before = window.biggest()?.currentSrc;
  window.clocked = null;
  const look = (began) => () => {
    const image = window.biggest();
    const done = () => { window.clocked = performance.now() - began; };
    requestAnimationFrame(image && image.currentSrc !== before ? done : look(began));
  };
  addEventListener("keydown", function heard(event) {
    if (event.key !== key || event.ctrlKey !== modified) return;
    removeEventListener("keydown", heard, true);
    requestAnimationFrame(look(event.timeStamp));
  }, true);
};
window.keys = 0;
addEventListener("keydown", (event) => { if (event.key !== "Control") window.keys += 1; }, true);
window.share = () => {
  const image = window.biggest(), box = image.getBoundingClientRect();
  const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
  return [image.naturalWidth * scale / innerWidth, image.naturalHeight * scale / innerHeight];
};
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=40, help="answers that each expert gives on each page")
    parser.add_argument("--experts", type=int, default=1, help="people at work at once")
    parser.add_argument("--look", type=float, default=0.8, help="seconds that an expert looks before each answer")
    parser.add_argument("--marathon", type=int, default=0, help="answers as fast as the page takes them")
    parser.add_argument("--pool", type=int, default=1500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attune-labelling-") as folder:
        settings = free_ports(reader.build(workspace=folder))
        with Stack(settings, print):
            fill(settings, options.pool, options.experts)
            found: dict[str, Any] = {"answers": options.answers, "experts": options.experts, "look": options.look}
            found |= by_turns(settings, options)
            if options.marathon:
                found["marathon"] = marathon(settings, options.marathon)
            found["machine"] = machine()
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def fill(settings: Settings, pool: int, people: int, seed: int = 0) -> None:
    """A pool of posters, each with a picture of its own, and three questions; the experts answer them all."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((pool, 128)).astype(np.float32)
    ids = [f"poster-{number:05d}" for number in range(pool)]
    folder = settings.workspace / "posters"
    folder.mkdir()
    for number, one in enumerate(ids):
        size = (600, 900) if number % 2 else (1280, 720)
        small = rng.integers(0, 255, (12, 8, 3), dtype=np.uint8)
        Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(folder / f"{one}.jpg", quality=88)
    stamp = Fingerprint(library="bench", model="noise", weights=f"seed-{seed}", dimension=128)
    VectorStore(settings.vectors).append(stamp, ids, x / np.linalg.norm(x, axis=1, keepdims=True))
    with writing(settings) as session:
        session.add(Encoder(digest=stamp.digest, fingerprint=stamp.to_dict(), active=True, added_at=now()))
        for number, one in enumerate(ids):
            path = folder / f"{one}.jpg"
            width, height = (600, 900) if number % 2 else (1280, 720)
            session.add(
                Asset(
                    asset_id=one, title_id=f"t{number // 2}", uri=str(path), digest=digest_bytes(path.read_bytes()),
                    width=width, height=height, columns={}, added_at=now(),
                )
            )  # fmt: skip
        for name in (OURS, THEIRS, MARATHON):
            attributes.create(session, Definition(name, "Yes or no?", ("yes", "no")), settings)
    for number in range(people):
        experts.add(settings, f"expert{number}@bench.example", password=PASSWORD)
    for name in (OURS, THEIRS, MARATHON):
        jobs.ask(settings, "learn", attribute=name)
    wait(settings, people)


def wait(settings: Settings, people: int) -> None:
    """Until every queue has questions in order."""
    until = time.monotonic() + 600
    while time.monotonic() < until:
        with reading(settings) as session:
            ready = session.scalars(select(Queue).where(Queue.ordered_at.is_not(None))).all()
        if len(ready) == 3 * people:
            return
        time.sleep(0.5)
    raise TimeoutError(f"the queues have no questions after 600 s; see {settings.logs}")


def by_turns(settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    """Every expert in a process of his or her own, all at once."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.experts) as pool:
        asked = [(settings, number, options.answers, options.look) for number in range(options.experts)]
        rows = pool.starmap(one_expert, asked)
    made: dict[str, Any] = {"share": rows[0]["share"], "lost_keys": sum(row["lost"] for row in rows)}
    for name in (OURS, THEIRS):
        seconds = [value for row in rows for value in row[name]]
        made[name] = {
            "p50": quantile(seconds, 0.5),
            "p95": quantile(seconds, 0.95),
            "n": len(seconds),
            "seconds": seconds,
        }
    made["ratio_p50"] = round(made[THEIRS]["p50"] / made[OURS]["p50"], 2)
    return made


def one_expert(settings: Settings, number: int, answers: int, look: float) -> dict[str, Any]:
    """Answer on both pages by turns; seconds of each answer by page."""
    with sync_playwright() as playwright:
        context = launched(playwright).new_context(viewport={"width": 1400, "height": 900})
        context.add_init_script(CLOCK)
        ours, theirs = context.new_page(), context.new_page()
        email = f"expert{number}@bench.example"
        open_ours(ours, settings, email, OURS)
        open_theirs(theirs, settings, email)
        made: dict[str, Any] = {OURS: [], THEIRS: [], "lost": 0, "share": shares(ours, theirs) if number == 0 else {}}
        for _ in range(answers // TURN):
            ours.bring_to_front()
            for _ in range(TURN):
                time.sleep(look)
                made[OURS].append(clocked(ours, "1", False))
            theirs.bring_to_front()
            for _ in range(TURN):
                time.sleep(look)
                made["lost"] += choose(theirs)
                made[THEIRS].append(clocked(theirs, "Enter", True))
        return made


def launched(playwright: Any) -> Any:
    """The same Chromium as in the tests."""
    from tests.support.browser import FLAGS, executable

    return playwright.chromium.launch(executable_path=executable(playwright), args=list(FLAGS))


def open_ours(page: Page, settings: Settings, email: str, name: str) -> None:
    page.goto(f"{settings.web_address}/login?next=/attributes/{name}/label")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/label")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-shown]", timeout=60_000)


def open_theirs(page: Page, settings: Settings, email: str) -> None:
    with reading(settings) as session:
        mine = select(Queue).join(Expert, Expert.id == Queue.expert_id).where(Expert.email == email)
        queue = next(one for one in session.scalars(mine) if attributes.find(session, THEIRS).id == one.attribute_id)
    page.goto(f"{settings.label_studio_address}/user/login/")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/user/login" not in url)
    page.goto(f"{settings.label_studio_address}/projects/{queue.project}/data?tab={queue.view}&labeling=1")
    page.get_by_test_id("bottombar-submit-button").wait_for(timeout=60_000)
    page.wait_for_selector('img[src^="blob:"]', timeout=30_000)
    page.keyboard.press("Escape")
    page.wait_for_timeout(1000)


def choose(page: Page) -> int:
    """Press 1 until the choice is taken; how many presses were lost."""
    for lost in range(40):
        page.keyboard.press("1")
        try:
            page.wait_for_selector("input:checked", state="attached", timeout=400)
        except Exception:
            continue
        return lost
    raise TimeoutError("Label Studio takes no key")


def clocked(page: Page, key: str, modified: bool) -> float:
    """Seconds from the key to the second frame with another image."""
    page.evaluate("([key, modified]) => window.clock(key, modified)", [key, modified])
    page.keyboard.press(f"Control+{key}" if modified else key)
    page.wait_for_function("() => window.clocked !== null", timeout=60_000)
    return round(float(page.evaluate("() => window.clocked")) / 1000, 4)


def shares(ours: Page, theirs: Page) -> dict[str, Any]:
    """By page and screen: keys per answer, and the share of the window that an image of each shape takes."""
    made: dict[str, Any] = {}
    for width, height in SCREENS:
        for name, page in ((OURS, ours), (THEIRS, theirs)):
            page.bring_to_front()
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(500)
            made[f"{name} {width}x{height}"] = on_one_screen(page, name)
    for page in (ours, theirs):
        page.set_viewport_size({"width": 1400, "height": 900})
    return made


def on_one_screen(page: Page, name: str, most: int = 12) -> dict[str, float]:
    """Answer until an image of each shape was there; a portrait's share of the height, a wide one's of the width."""
    found: dict[str, float] = {}
    before, answers = int(page.evaluate("() => window.keys")), 0
    while answers < most and not {"portrait_height", "wide_width"} <= found.keys():
        wide, high, is_portrait = page.evaluate(
            "() => [...window.share(), window.biggest().naturalHeight > window.biggest().naturalWidth]"
        )
        found["portrait_height" if is_portrait else "wide_width"] = round(high if is_portrait else wide, 3)
        if name == THEIRS:
            choose(page)
        clocked(page, "1" if name == OURS else "Enter", name == THEIRS)
        answers += 1
    keys = int(page.evaluate("() => window.keys")) - before
    return found | {"keys_per_answer": round(keys / answers, 2), "answers": answers}


def marathon(settings: Settings, answers: int, cut_seconds: float = 10.0) -> dict[str, Any]:
    """Answer as fast as the page takes keys, the network cut in the middle; what the records say of each."""
    with sync_playwright() as playwright:
        context = launched(playwright).new_context(viewport={"width": 1400, "height": 900})
        page = context.new_page()
        open_ours(page, settings, "expert0@bench.example", MARATHON)
        pressed: dict[str, str] = {}
        at, began = str(page.get_attribute("body", "data-shown")), time.perf_counter()
        cut_until = 0.0
        while len(pressed) < answers:
            if len(pressed) == answers // 2 and not cut_until:
                context.set_offline(True)
                cut_until = time.perf_counter() + cut_seconds
            key = "12"[int(at, 16) % 2]
            pressed[at] = {"1": "yes", "2": "no"}[key]
            page.keyboard.press(key)
            if cut_until and time.perf_counter() > cut_until:
                context.set_offline(False)
                cut_until = float("inf")
            at = next_shown(page, at, context, cut_until)
        page.wait_for_selector('body[data-unsent="0"]', timeout=300_000)
        seconds = time.perf_counter() - began
    with reading(settings) as session:
        rows = select(Task.key, Annotation.value).join(Annotation, Annotation.task_id == Task.id)
        stored = session.execute(rows.where(Task.key.in_(pressed), Annotation.deleted_at.is_(None))).all()
    wrong = sum(pressed[key] != value for key, value in stored)
    return {"answers": len(pressed), "stored": len(stored), "wrong": wrong, "seconds": round(seconds, 1)}


def next_shown(page: Page, before: str, context: Any, cut_until: float) -> str:
    """The key of the next image; while the network is cut, the page may wait for it."""
    until = time.perf_counter() + 120
    while time.perf_counter() < until:
        found = str(page.get_attribute("body", "data-shown"))
        if found != before:
            return found
        if time.perf_counter() > cut_until > 0:
            context.set_offline(False)
        page.wait_for_timeout(10)
    raise TimeoutError("no next image within 120 s")


def quantile(values: list[float], q: float) -> float:
    return round(float(np.quantile(values, q)), 4)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
