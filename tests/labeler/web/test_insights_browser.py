"""An analyst's way from a file to a published insight, at a desk; a creative's way to a brief, on a telephone."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from attune.labeler.assets import uploads
from attune.labeler.insights import companions, features, imported, questions
from attune.labeler.performance import imports
from attune.labeler.records.schema import InsightRun, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.workers.jobs import run_insights
from attune.workers.runtime.perform import perform
from tests.support import factories, performed, web
from tests.support.keyboard import follow, reach
from tests.support.looks import TELEPHONE, enter, look

pytestmark = pytest.mark.browser
OLGA = "olga@example.org"
SENTENCE = "Within a title, images with “smiles” are taken"
TITLES = 60


@dataclass(frozen=True)
class House:
    """A served console over a pool with two features: ``takes`` is a file with an effect of the first."""

    address: str
    settings: Settings
    takes: Path

    def work(self, kind: str) -> None:
        """Do the job of ``kind`` that waits, as a worker does."""
        with reading(self.settings) as session:
            (job,) = session.scalars(select(Job.id).where(Job.kind == kind, Job.state == "queued"))
        perform(job)

    def answered(self) -> None:
        """See that there are answers, whether the analyst was here or not."""
        with reading(self.settings) as session:
            done = session.scalar(select(func.count()).select_from(InsightRun))
        if not done:
            maps = ("Artwork=asset_id", "Series=title_id", "Slot=canvas", "Views=impressions", "Clicks=takes")
            imports.add(self.settings, str(self.takes), maps=maps, arm="explore", who="olga")
            run_insights.run(self.settings)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("insights")
    settings = factories.workspace(folder / "workspace", redis_url=redis_url)
    assets = [(one.asset_id, one.title_id) for one in factories.add_assets(settings, 4 * TITLES, True, per_title=4)]
    made = performed.files(folder, assets, 0.4, ("home", "tv row"))
    ask(settings, folder, made, [name for name, _ in assets])
    factories.add_user(settings, OLGA, "owner")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uploads, "LEFT_FREE", 0)  # a temporary folder may be small
        patch.setattr("attune.workers.runtime.perform.reader.build", lambda: settings)
        with web.served(create_app(settings)) as address:
            yield House(address, settings, others_columns(Path(made.performance)))


def ask(settings: Settings, folder: Path, made: performed.Files, names: list[str]) -> None:
    """A feature with an effect, one that has none, and what is asked of them."""
    noise = np.random.default_rng(2).normal(size=len(names))
    lines = ["asset_id,value", *(f"{name},{value:.3f}" for name, value in zip(names, noise, strict=True)), ""]
    (folder / "noise.csv").write_text("\n".join(lines))
    imported.add(settings, made.feature, "smiles", "olga", "Somebody in the image smiles.")
    imported.add(settings, str(folder / "noise.csv"), "brightness", "olga")
    known = features.known(settings)
    questions.register_features(settings, known, "brightness", "olga")
    row = questions.ask(settings, known["smiles"]).row
    for way in (companions.DEPENDS, companions.HOLDING):
        companions.ask(settings, row, known["smiles"], companions.Wanted(way, known["brightness"]), "olga")


def others_columns(takes: Path) -> Path:
    """The file as another program writes it, with a row at its end that cannot be true."""
    _, *rows = takes.read_text().splitlines()
    written = takes.with_name("week 3.csv")
    written.write_text("\n".join(["Artwork,Series,Slot,Views,Clicks", *rows, "x,y,home,10,99", ""]))
    return written


def test_an_analyst_brings_performance_asks_runs_publishes_and_retires(page: Page, house: House) -> None:
    enter(page, house.address, OLGA)
    page.goto(f"{house.address}/insights")
    look(page, "none")
    follow(page, "Add a file")
    page.wait_for_url("**/insights/performance")
    page.wait_for_load_state("load")
    page.locator("[data-files-field]").set_input_files(house.takes)
    expect(page.get_by_role("button", name="Send the file")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/performance/uploads/*")
    expect(page.locator("#f-title_id")).to_have_value("Series")
    page.get_by_label("At random: a random number chose each image").check()
    look(page, "columns")
    reach(page, "Check and add the rows")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Reading the file")).to_be_visible()
    house.work("performance")
    expect(page.get_by_role("heading", name=f"{8 * TITLES} rows added")).to_be_visible()
    expect(page.get_by_text("it has more takes than impressions (row 482)")).to_be_visible()
    look(page, "checked")

    page.get_by_role("link", name="Go on to the insights").click()
    classes = [page.get_by_label(name, exact=True) for name in ("Images with", "Compared with")]
    page.get_by_label("What to look at").select_option("smiles")
    assert [one.input_value() for one in classes] == ["1", "0"]
    page.get_by_label("What to look at").select_option("brightness")
    expect(classes[0]).to_be_hidden()
    page.get_by_label("Where (canvas)").fill("tv row")
    page.get_by_role("button", name="Ask the question").press("Enter")
    asked = page.get_by_role("region", name="Asked, not answered yet")
    expect(asked).to_contain_text("Are images with a higher brightness taken more often")
    page.get_by_role("button", name="Answer the questions").press("Enter")
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    house.work("insights")
    expect(page.get_by_role("link", name=SENTENCE)).to_be_visible()
    expect(asked).to_have_count(0)
    look(page, "insights")
    page.get_by_role("link", name="What goes with takes").click()
    page.get_by_role("button", name="Learn it").click()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    house.work("goes_with")
    expect(page.get_by_text("Images with “smiles” go with")).to_be_visible()
    expect(page.get_by_role("link", name=SENTENCE)).to_be_visible()
    look(page, "goes-with")
    page.locator(".crumbs a").first.click()

    page.get_by_role("link", name=SENTENCE).click()
    page.wait_for_url("**/insights/*")
    expect(page.get_by_role("heading", name="Beside another feature")).to_be_visible()
    look(page, "insight")
    page.get_by_label("Why you believe it").fill("The autumn test says so, too.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Version 1 is published.")).to_be_visible()
    expect(page.get_by_text("The autumn test says so, too.")).to_be_visible()
    page.goto(f"{house.address}/insights")
    page.get_by_role("link", name="Not sure yet").first.click()
    expect(page.get_by_text("It cannot be published: it may be chance.")).to_be_visible()
    page.get_by_label("Why it does not hold").fill("Nobody needs it.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="History")).to_contain_text("Nobody needs it.")
    expect(page.get_by_role("button", name="Retire forever")).to_have_count(0)


def test_a_creative_goes_from_home_to_a_brief_and_plans_a_test(browser: Browser, house: House, tmp_path: Path) -> None:
    house.answered()
    context = browser.new_context(viewport={"width": TELEPHONE, "height": 900}, accept_downloads=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    enter(page, house.address, OLGA)
    page.goto(house.address)
    page.get_by_role("navigation").get_by_role("link", name="Insights").click()
    page.get_by_role("link", name=SENTENCE).click()
    expect(page.get_by_role("heading", name="Titles that show it")).to_be_visible()
    page.get_by_role("link", name="Plan the test").click()
    expect(page.get_by_role("heading", name="What to show")).to_be_visible()
    look(page, "test")
    with page.expect_download() as arms:
        page.get_by_role("link", name="Download the images to show (CSV)").click()
    arms.value.save_as(tmp_path / "arms.csv")
    rows = list(csv.DictReader((tmp_path / "arms.csv").read_text().splitlines()))
    assert {row["propensity"] for row in rows} == {"0.5"}
    page.locator(".pairs h3 a").first.click()
    expect(page.get_by_role("heading", name="What works, and whether it has it")).to_be_visible()
    expect(page.get_by_text("Somebody in the image smiles.")).to_be_visible()
    look(page, "title")
    for link, begin in (("Brief as PDF", b"%PDF"), ("As HTML", b"<!doctype html>")):
        with page.expect_download() as file:
            page.get_by_role("link", name=link).click()
        file.value.save_as(tmp_path / link)
        assert (tmp_path / link).read_bytes().startswith(begin)
    context.close()
    assert not errors
