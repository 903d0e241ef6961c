"""Performance of a cluster within titles: planted effects, what is confounded, and that owners alone read it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from flask import Flask
from playwright.sync_api import Browser
from sqlalchemy import delete, select

from attune.labeler.cli.main import attune
from attune.labeler.performance import imports
from attune.labeler.records.schema import Asset, Expert, Job
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import cluster_performance, clusterings, members
from attune.labeler.spaces.cluster_performance import OnCanvas
from attune.labeler.web.app import create_app
from attune.workers.jobs import describe_clusters, make_clusters
from attune.workers.runtime import due_descriptions
from tests.labeler.catalog import judged
from tests.labeler.web.conftest import Actor
from tests.support import factories, web
from tests.support.looks import DESK, enter, look

PER_TITLE = 6
TIMES = 1.5  # of cluster 1 on "tv home"
FIELDS = ("asset_id", "title_id", "canvas", "impressions", "takes", "arm")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Flask]:
    """600 images of 100 titles in six clusters, without performance."""
    settings = judged.filled(tmp_path_factory.mktemp("performed") / "workspace", images=True, redis_url=redis_url)
    with writing(settings) as session:
        for number, asset in enumerate(session.scalars(select(Asset).order_by(Asset.id))):
            asset.title_id = f"film-{number // PER_TITLE:03}"
        ana = session.scalars(select(Expert).where(Expert.name == "Ana")).one()
    make_clusters.run(settings, k=6)
    factories.add_user(settings, "ana@example.org", "expert", ana)
    factories.add_user(settings, "olga@example.org", "owner")
    yield create_app(settings)
    engine(settings.records_url).dispose()


@pytest.fixture
def settings(house: Flask) -> Settings:
    found: Settings = house.extensions["attune"].settings
    return found


@pytest.fixture
def olga(house: Flask) -> Actor:
    return Actor(house, "olga@example.org")


def measured(settings: Settings, path: Path) -> None:
    """Rows where cluster 1 truly does better on "tv home", and only popular titles have it on "phone"."""
    with reading(settings) as session:
        saved = clusterings.find(session, 1)
        assets = list(session.scalars(select(Asset).order_by(Asset.id)))
    mine = set(members.load(settings, saved.row.file).of(saved.cluster(1).place).tolist())
    rng = np.random.default_rng(4)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(FIELDS)
        for number, asset in enumerate(assets):
            title = number // PER_TITLE
            popular = 0.03 + 0.001 * title
            inside = asset.id in mine
            rate = popular * (TIMES if inside else 1.0)
            rows.writerow([asset.asset_id, asset.title_id, "tv home", 3000, rng.binomial(3000, rate), "explore"])
            rows.writerow([asset.asset_id, asset.title_id, "web", 3000, rng.binomial(3000, popular), "serve"])
            if inside == (title >= 50):  # popular titles show only images of the cluster, the others none
                rows.writerow([asset.asset_id, asset.title_id, "phone", 3000, rng.binomial(3000, popular), "serve"])


@pytest.fixture(scope="module")
def performed(house: Flask, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The workspace with performance, compared with the clusters."""
    settings: Settings = house.extensions["attune"].settings
    path = tmp_path_factory.mktemp("takes") / "takes.csv"
    measured(settings, path)
    imports.add(settings, str(path))
    describe_clusters.run(settings, clustering=1)
    return settings


def one_more(settings: Settings, folder: Path) -> int:
    """Import one more row; the number of the import."""
    with reading(settings) as session:
        first = next(iter(session.scalars(select(Asset))))
    path = folder / "more.csv"
    path.write_text(f"{','.join(FIELDS)}\n{first.asset_id},{first.title_id},radio,10,1,serve\n")
    return imports.add(settings, str(path)).row.id


def row(settings: Settings, canvas: str, number: int = 1) -> OnCanvas:
    found = cluster_performance.load(settings, 1)
    assert found
    return next(one for one in found.of(number) if one.canvas == canvas)


def test_without_performance_the_command_is_named_and_experts_read_nothing(
    house: Flask, settings: Settings, olga: Actor, tmp_path: Path
) -> None:
    assert "attune performance add FILE" in olga.get("/explore/clusters/1/1").text
    assert "How it performed" not in Actor(house, "ana@example.org").get("/explore/clusters/1/1").text
    number = one_more(settings, tmp_path)
    assert "not compared with these clusters yet" in olga.get("/explore/clusters/1/1").text
    imports.remove(settings, number, "a test", "olga")


def test_a_planted_effect_is_found_and_a_confounded_one_is_not_told(
    house: Flask, performed: Settings, olga: Actor
) -> None:
    settings = performed
    assert {one.canvas for one in cluster_performance.load(settings, 1).rows} == {"tv home", "web", "phone"}  # type: ignore[union-attr]
    tv, web_, phone = (row(settings, name) for name in ("tv home", "web", "phone"))
    assert tv.differs
    assert tv.grade == "A"
    assert tv.lo is not None
    assert tv.hi is not None
    assert tv.lo < np.log(TIMES) < tv.hi
    assert not web_.differs
    assert web_.grade == "C"
    assert phone.estimate is None, "its titles have images on one side only, however good their rates are"
    assert phone.titles == 0 < phone.titles_in
    assert tv.shrunk is not None
    assert tv.estimate is not None
    assert 0 < tv.shrunk < tv.estimate
    told_by_api = {one["canvas"]: one for one in olga.get("/api/v1/clusters/1/1").json["performance"]}
    assert told_by_api["tv home"]["estimate"] == tv.estimate
    assert told_by_api["phone"]["estimate"] is None
    page = olga.get("/explore/clusters/1/1").text
    did = page[page.index("How it performed") : page.index("Make it a question</h2>")]
    home, other, confounded = (re.split(r'<section class="panel on-canvas"', did)[1:])[:3]
    told = {re.search(r'aria-label="([^"]+)"', part).group(1): part for part in (home, other, confounded)}  # type: ignore[union-attr]
    assert re.search(r"taken 1\.[345]\d times as often as other images of the same title\.<", told["tv home"])
    assert "No difference found" in told["web"]
    assert "cannot be told apart" in told["phone"]
    for word in ("better", "worse"):
        assert word not in did
    assert "tv home: taken" in olga.get("/explore/clusters").text
    ana = Actor(house, "ana@example.org")
    for path in ("/explore/clusters", "/explore/clusters/1/1"):
        assert "taken" not in ana.get(path).text.split("<main", 1)[1].split("</main", 1)[0]


def test_examples_worked_beside_their_own_title(performed: Settings) -> None:
    settings = performed
    tv = row(settings, "tv home")
    assert tv.worked
    assert all(times > 1 for _, times in tv.worked)
    assert all(times < 1 for _, times in tv.failed)
    with reading(settings) as session:
        saved = clusterings.find(session, 1)
    mine = members.load(settings, saved.row.file).of(saved.cluster(1).place).tolist()
    assert {key for key, _ in (*tv.worked, *tv.failed)} <= set(mine)


def test_the_command_prints_it_and_later_imports_make_it_old(performed: Settings, olga: Actor, tmp_path: Path) -> None:
    settings = performed
    place = ["--workspace", str(settings.workspace)]
    told = json.loads(CliRunner().invoke(attune, ["clusters", "describe", "1", "1", "--json", *place]).stdout)
    assert {one["canvas"] for one in told["performance"]} == {"tv home", "web", "phone"}
    assert {one["number"] for one in told["performance"]} == {1}
    number = one_more(settings, tmp_path)
    assert "Performance was added or removed since" in olga.get("/explore/clusters/1/1").text
    assert due_descriptions.ask(settings) == 1
    with writing(settings) as session:
        session.execute(delete(Job))
    imports.remove(settings, number, "a test", "olga")
    assert due_descriptions.ask(settings) == 0
    assert "Performance was added or removed since" not in olga.get("/explore/clusters/1/1").text


@pytest.mark.parametrize("before", [{"method": 1}, {}], ids=["another method", "none named"])
def test_what_an_older_method_found_is_not_shown_and_made_again(
    performed: Settings, olga: Actor, before: dict[str, int]
) -> None:
    """It may name images that were only lucky."""
    settings = performed
    (path,) = (settings.workspace / "cache" / "cluster-performance").glob("*.json")
    whole = path.read_bytes()
    path.write_text(json.dumps({name: value for name, value in json.loads(whole).items() if name != "method"} | before))
    assert "not compared with these clusters yet" in olga.get("/explore/clusters/1/1").text
    assert due_descriptions.ask(settings) == 1
    with writing(settings) as session:
        session.execute(delete(Job))
    path.write_bytes(whole)
    assert due_descriptions.ask(settings) == 0


def test_a_spoiled_random_test_is_not_called_random(performed: Settings, tmp_path: Path) -> None:
    settings = performed
    lines = (tmp_path / "takes.csv", tmp_path / "spoiled.csv")
    measured(settings, lines[0])
    head, *rows = lines[0].read_text().splitlines()
    spoiled = [one.replace(",3000,", ",9000,", 1) if number % 40 == 0 else one for number, one in enumerate(rows)]
    lines[1].write_text("\n".join([head, *spoiled]) + "\n")
    added = imports.add(settings, str(lines[1]))
    describe_clusters.run(settings, clustering=1)
    assert row(settings, "tv home").grade == "C"
    imports.remove(settings, added.row.id, "spoiled", "olga")
    describe_clusters.run(settings, clustering=1)
    assert row(settings, "tv home").grade == "A"


def test_one_spoiled_test_is_left_out_and_the_others_stay_random(
    performed: Settings, olga: Actor, tmp_path: Path
) -> None:
    settings = performed
    measured(settings, tmp_path / "takes.csv")
    head, first, *rows = (tmp_path / "takes.csv").read_text().splitlines()
    one = [head, first.replace(",3000,", ",9000,", 1), *rows]
    (tmp_path / "spoiled.csv").write_text("\n".join(one) + "\n")
    added = imports.add(settings, str(tmp_path / "spoiled.csv"))
    before = row(settings, "tv home").titles
    describe_clusters.run(settings, clustering=1)
    after = row(settings, "tv home")
    assert (after.grade, after.titles) == ("A", before - 1)
    assert (
        "1 test did not show its images in the planned ratio and is left out." in olga.get("/explore/clusters/1/1").text
    )
    imports.remove(settings, added.row.id, "spoiled", "olga")
    describe_clusters.run(settings, clustering=1)


@pytest.mark.browser
@pytest.mark.usefixtures("performed")
def test_an_owner_looks_at_what_worked(browser: Browser, house: Flask) -> None:
    context = browser.new_context(viewport={"width": DESK, "height": 900})
    page = context.new_page()
    with web.served(house) as address:
        enter(page, address, "olga@example.org")
        for name, path in (("one", "/explore/clusters/1/1"), ("all", "/explore/clusters")):
            page.goto(address + path)
            look(page, f"performed-{name}")
    context.close()
