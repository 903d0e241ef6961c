"""Clusters and maps of taste on the pages: whose they are, which version they name, and a choice carried across."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import delete, select

from attune.labeler.maps import layouts
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import map_wire
from attune.labeler.web.app import create_app
from attune.workers.jobs import make_clusters, make_map
from tests.labeler.web.conftest import Actor
from tests.support import factories, mapped, tasted

COUNT = 40


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Flask]:
    """A console over a pool with clusters and maps of meaning (clustering 1) and of taste (2, and 3 inside it)."""
    settings = factories.workspace(tmp_path_factory.mktemp("taste"), redis_url=redis_url)
    with pytest.MonkeyPatch.context() as patch:
        mapped.mapped(settings, patch, COUNT)
        tasted.register(settings, [0, 1], raw=0.3)
        make_clusters.run(settings, k=4)
        make_clusters.run(settings, k=2, space="taste")
        make_clusters.run(settings, k=2, within="2:1")
        make_map.run(settings, space="taste")
        make_clusters.run(settings, k=2, space="taste", within="1:2")
    factories.add_user(settings, "ana@example.org", "expert", factories.add_expert(settings, "ana@example.org"))
    factories.add_user(settings, "olga@example.org", "owner")
    yield create_app(settings)
    engine(settings.records_url).dispose()


@pytest.fixture(scope="module")
def settings(house: Flask) -> Settings:
    found: Settings = house.extensions["attune"].settings
    return found


@pytest.fixture(scope="module")
def olga(house: Flask) -> Actor:
    return Actor(house, "olga@example.org")


@pytest.fixture(scope="module")
def state(settings: Settings) -> str:
    """The digest of the map of taste."""
    with reading(settings) as session:
        return layouts.needed(session, "taste").file or ""


def test_no_expert_sees_what_was_learned_from_a_column(house: Flask, olga: Actor, state: str) -> None:
    ana = Actor(house, "ana@example.org")
    meaning = f"/explore/map/{state}/colours?by=cluster"
    for path in (
        "/explore/clusters?run=2",
        "/explore/clusters/2/1",
        "/explore/clusters?run=3",
        "/explore/clusters/3/1",
        "/explore/beside?a=1&b=2",
        "/explore/beside?of=2:1&a=1&b=1",
        "/explore?at=cluster:2:1",
        "/explore/map?space=taste",
        f"/explore/map/{state}/positions",
        f"/explore/map/{state}/images?at=0",
        meaning,
        meaning.replace("by=cluster", "by=cluster:taste"),
    ):
        assert ana.get(path).status_code == 403, path
        assert olga.get(path).status_code == 200, path
    assert "Clustering 4<" in olga.get("/explore/clusters/1/2").text
    assert "Clustering 4<" not in ana.get("/explore/clusters/1/2").text
    for path in ("/explore/clusters", "/explore/map", "/explore/spaces", "/explore/clusters/1/1", "/explore/beside"):
        assert "taste" not in ana.get(path).text.lower(), path


def test_pages_and_api_name_the_version(olga: Actor, settings: Settings) -> None:
    assert "Clustering 2: Taste, version 1" in olga.get("/explore/clusters?run=2").text
    assert "taste@1" in olga.get("/explore/spaces").text
    assert olga.get("/api/v1/spaces").json["spaces"][-1]["version"] == 1
    found = olga.get("/api/v1/clusters/2").json
    assert (found["space_version"], found["older"]) == (1, False)


def test_a_choice_goes_from_one_map_into_the_other(olga: Actor, settings: Settings, state: str) -> None:
    with reading(settings) as session:
        chosen = session.scalars(select(Asset).order_by(Asset.id)).all()[5]
    page = olga.get(f"/explore/map?space=taste&pick={chosen.asset_id}").text
    at = map_wire.keys_of(settings, state).tolist().index(chosen.id)
    assert re.search(rf'data-at="{at}"[^>]*value="{chosen.asset_id}" checked', page)
    assert re.search(r'form="explore" name="space" value="final"', page)
    assert 'data-by="cluster:taste"' in page, "coloured by its own clusters"
    assert 'data-by="cluster"' in olga.get("/explore/map?space=taste&by=cluster").text, "or by those of the other map"
    assert 'data-by=""' in olga.get("/explore/map?space=taste&by=").text


def test_a_map_is_asked_for_by_space_and_keeps_the_choice(olga: Actor, settings: Settings) -> None:
    tasted.register(settings, [2, 3])
    page = olga.get("/explore/map?space=taste&pick=img-none").text
    assert "Made in version 1 of the taste space. Version 2 is in use now." in page
    assert "Make a new map" in page
    with reading(settings) as session:
        name = session.scalars(select(Asset.asset_id).limit(1)).one()
    sent = olga.send("/explore/map", form="/explore/map?space=taste", space="taste", pick=[name])
    assert sent.headers["Location"].endswith(f"?space=taste&pick={name}")
    assert "Waiting for a worker" in olga.get("/explore/map?space=taste").text
    assert "Waiting for a worker" not in olga.get("/explore/map").text, "the other map waits for nothing"
    with writing(settings) as session:
        assert [one.arguments["space"] for one in session.scalars(select(Job))] == ["taste"]
        session.execute(delete(Job))
    assert olga.send("/explore/map", space="colour").status_code == 422
    assert "older" in olga.get("/explore/clusters").text
