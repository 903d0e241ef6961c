"""The pictures of docs/tutorial/in-the-browser.md, in its order and each in the state that its text describes.

Ana's answers are those of the sample's Ana; rounds run here, one after another, without Label Studio and workers.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.records.schema import Asset, Attribute, Queue
from attune.labeler.records.session import reading, writing
from attune.labeler.sample import ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS, write_catalogue
from attune.labeler.sample.catalogue import Catalogue
from attune.labeler.sample.simulated_experts import SKIP, stock_experts
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.evaluation.audit_design import AuditDesign, reserved_mask
from attune.models.labels.answers import AUDIT
from attune.workers.jobs import embed, explore_pool
from tests.support import factories, true_studio, web
from tests.support.pictures import cut_below, entered, keep

IMAGES, FIRST, THEN, AUDITS, STEP = 400, 50, 50, 33, 5
OWNER, ANA, KNOWN_AS = "you@studio.example", "ana@studio.example", "serious-expression"
SIZE = (1200, 800)
REASON = "30 audit answers, looked through with Ana"
CHOSEN = 3  # images for each class of the new question
CALLED = "expression-serious"  # what the page makes of the question


@dataclass(frozen=True)
class Tutorial:
    """The workspace of the tutorial, and Ana's queue once there is one."""

    settings: Settings
    catalogue: Catalogue


def take(browser: Browser, folder: Path, pictures: Path) -> None:
    """Walk through the tutorial in ``folder``, and write its pictures into ``pictures``."""
    encoder = {"encoder": str(ENCODER_CONFIG), "pretrained": str(ENCODER_WEIGHTS), "resize_mode": ENCODER_RESIZE_MODE}
    tutorial = Tutorial(factories.workspace(folder / "work", **encoder), write_catalogue(folder / "sample", IMAGES))
    factories.add_user(tutorial.settings, OWNER, "admin")
    with web.served(create_app(tutorial.settings)) as address, _searching():
        owner = entered(browser, address, OWNER, *SIZE)
        _images(owner, _zip(tutorial.catalogue, folder / "posters.zip"), pictures)
        true_studio.add_images(tutorial.settings, tutorial.catalogue)
        embed.run(tutorial.settings)
        _question(owner, tutorial.catalogue, pictures)
        attribute, queue = _asked(tutorial)
        order = _order(tutorial, attribute)
        _answered(tutorial, attribute, queue, order[:12])
        _label(entered(browser, address, ANA, 1200, 760), tutorial, queue, order[12:FIRST], pictures)
        _learned(tutorial, attribute, queue, order[12:FIRST])
        _results(owner, pictures)
        _audited(tutorial, attribute, queue)
        run = _learned(tutorial, attribute, queue, order[FIRST : FIRST + THEN])
        _review(owner, pictures)
        promote(tutorial.settings, Move(attribute.name, run, REASON, OWNER))
        _explore(owner, tutorial, pictures)
        _home(owner, pictures)


@contextmanager
def _searching() -> Iterator[None]:
    """Searches are done as soon as they are asked for, as by a worker that has nothing else to do."""

    def start(settings: Settings, query: Query) -> str:
        found = explore_pool.run(settings, text=query.text)
        return str(factories.add_job(settings, search.KIND, "done", arguments={"text": query.text}, result=found).id)

    with patch.object(search, "start", start):
        yield


def _zip(catalogue: Catalogue, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for image in sorted((catalogue.folder / "images").iterdir()):
            file.write(image, f"images/{image.name}")
        file.write(catalogue.manifest, "manifest.csv")
    return path


def _images(page: Page, posters: Path, pictures: Path) -> None:
    page.goto("/assets")
    page.locator("input[type=file]").first.set_input_files(posters)
    page.get_by_role("button", name="Add to the pool").wait_for()
    page.set_viewport_size({"width": SIZE[0], "height": 610})
    keep(page, pictures / "images.png")


def _question(page: Page, catalogue: Catalogue, pictures: Path) -> None:
    """The first step with images below both classes, and some chosen for each."""
    page.set_viewport_size({"width": SIZE[0], "height": 2100})
    page.goto("/new-attribute")
    page.locator("#question").fill("Is the expression serious?")
    for number, (name, prompt) in enumerate((("serious", "a serious face"), ("not serious", "a funny face"))):
        page.locator(f"#class-{number}").fill(name)
        page.locator(f"#phrase-{number}").fill(prompt)
    expect(page.locator("[data-pictures] .near")).to_have_count(2, timeout=60_000)
    page.wait_for_load_state("networkidle")
    for place, sign in enumerate((-1, 1)):  # the most serious of the first row, the least serious of the second
        boxes = page.locator(f"[data-pictures='{place}'] [name=chosen-{place}]")
        ids = [str(boxes.nth(i).get_attribute("value")) for i in range(boxes.count())]
        for one in sorted(range(len(ids)), key=lambda i: sign * catalogue.truths[ids[i]].serious)[:CHOSEN]:
            boxes.nth(one).check()
    page.locator("#question").focus()
    keep(page, pictures / "question.png")


def _asked(tutorial: Tutorial) -> tuple[Attribute, Queue]:
    definition = Definition(
        CALLED, "Is the expression serious?", ("serious", "not serious"),
        "The faces, taken together, look serious. Neutral faces are not serious.",
        positive=("a serious face",), negative=("a funny face",),
    )  # fmt: skip
    with writing(tutorial.settings) as session:
        attributes.create(session, definition, tutorial.settings)
    with reading(tutorial.settings) as session:
        attribute = attributes.find(session, CALLED)
    ana = factories.add_expert(tutorial.settings, ANA, "Ana")
    factories.add_user(tutorial.settings, ANA, "expert", ana)
    return attribute, factories.add_queue(tutorial.settings, attribute, ana)


def _order(tutorial: Tutorial, attribute: Attribute) -> list[Asset]:
    """The images that may be learned from, in an order by chance."""
    assets, kept = _pool(tutorial, attribute)
    free = np.setdiff1d(np.arange(len(assets)), kept)
    return [assets[int(row)] for row in np.random.default_rng(3).permutation(free)]


def _pool(tutorial: Tutorial, attribute: Attribute) -> tuple[list[Asset], Sequence[int]]:
    with reading(tutorial.settings) as session:
        assets = list(session.scalars(select(Asset).order_by(Asset.id)))
    share = attribute.settings["reserved_share"]
    mask = reserved_mask([one.title_id for one in assets], attribute.settings["seed"], share)
    return assets, np.flatnonzero(mask).tolist()


def _answered(
    tutorial: Tutorial, attribute: Attribute, queue: Queue, assets: Sequence[Asset], purpose: str = "borderline",
    inclusion: float | None = None,
) -> None:  # fmt: skip
    ana = next(one for one in stock_experts(tutorial.catalogue) if one.name == "ana")
    for asset in assets:
        value = ana.answer(KNOWN_AS, asset.asset_id)
        if value != SKIP:
            factories.add_task(tutorial.settings, queue, asset, purpose, inclusion=inclusion)
            factories.add_answer(tutorial.settings, queue, asset, value, purpose)


def _learned(tutorial: Tutorial, attribute: Attribute, queue: Queue, assets: Sequence[Asset]) -> int:
    """Answers, and a round after every few of them; the last run."""
    run = 0
    for begin in range(0, len(assets), STEP):
        _answered(tutorial, attribute, queue, assets[begin : begin + STEP])
        run = true_studio.learn(tutorial.settings, attribute)
    return run


def _audited(tutorial: Tutorial, attribute: Attribute, queue: Queue) -> None:
    assets, kept = _pool(tutorial, attribute)
    design = AuditDesign(attribute.settings["seed"])
    names, titles = [assets[i].asset_id for i in kept], [assets[i].title_id for i in kept]
    drawn = design.extend(names, titles, None, AUDITS)
    with writing(tutorial.settings) as session:
        session.get_one(Attribute, attribute.id).audit_state = design.to_bytes()
    for place, inclusion in drawn:
        _answered(tutorial, attribute, queue, [assets[kept[place]]], AUDIT, inclusion)


def _label(page: Page, tutorial: Tutorial, queue: Queue, coming: Sequence[Asset], pictures: Path) -> None:
    """Ana after a dozen answers; what waits goes again, as each image is answered by hand below."""
    waiting = [factories.add_task(tutorial.settings, queue, asset) for asset in coming]
    page.goto(f"/attributes/{CALLED}/label")
    page.keyboard.press("Enter")  # closes what opens by itself the first time
    page.wait_for_selector("body[data-shown]:not([data-shown=''])")
    page.wait_for_load_state("networkidle")
    keep(page, pictures / "label.png")
    page.close()
    with writing(tutorial.settings) as session:
        for task in waiting:
            session.delete(session.merge(task))


def _results(page: Page, pictures: Path) -> None:
    page.set_viewport_size({"width": SIZE[0], "height": 900})
    page.goto(f"/attributes/{CALLED}/results")
    page.wait_for_load_state("networkidle")
    keep(page, pictures / "results.png")


def _review(page: Page, pictures: Path) -> None:
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(f"/attributes/{CALLED}/review")
    page.wait_for_load_state("networkidle")
    keep(page, pictures / "review.png")


def _explore(page: Page, tutorial: Tutorial, pictures: Path) -> None:
    """Three images that really show a couple are chosen."""
    page.set_viewport_size({"width": SIZE[0], "height": 760})
    page.goto("/explore?q=two+people+in+love")
    page.wait_for_load_state("networkidle")
    boxes = page.locator("[data-choose]")
    truths = [tutorial.catalogue.truths[boxes.nth(i).get_attribute("value") or ""] for i in range(7)]
    for place in sorted(range(7), key=lambda i: (truths[i].serious, i))[:3]:
        boxes.nth(place).check()
    keep(page, pictures / "explore.png")


def _home(page: Page, pictures: Path) -> None:
    page.set_viewport_size({"width": SIZE[0], "height": 1100})
    page.goto("/")
    page.wait_for_load_state("networkidle")
    cut_below(page, ".card-attribute")
    keep(page, pictures / "home.png")
