"""Similar and Recommend as pages and by the API: the switch, what experts may not see, titles with their reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from attune.labeler.explore import preparing, space_index
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset, Job, Watched
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import space_moves
from attune.labeler.web.app import create_app
from attune.workers.jobs import learn_taste, prepare_similar
from tests.labeler.web.conftest import Actor
from tests.support import factories, web
from tests.support.looks import enter, look
from tests.workers.jobs.test_learn_taste import genre_pool


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Flask:
    """A console over a pool of four genres with a taste space in use."""
    settings = factories.workspace(tmp_path_factory.mktemp("similar"), redis_url=redis_url)
    genre_pool(settings, 96, images=True)
    learn_taste.run(settings, tuned=False)
    space_moves.promote(settings, "taste", "1", "for the pages", "olga")
    factories.add_user(settings, "olga@example.org", "owner")
    factories.add_user(settings, "ana@example.org", "expert", factories.add_expert(settings, "ana@example.org"))
    return create_app(settings)


@pytest.fixture(scope="module")
def olga(room: Flask) -> Actor:
    return Actor(room, "olga@example.org")


@pytest.fixture(scope="module")
def assets(room: Flask) -> list[Asset]:
    settings: Settings = room.extensions["attune"].settings
    with reading(settings) as session:
        return list(session.scalars(select(Asset).order_by(Asset.id)))


def test_the_switch_offers_spaces_and_says_how_to_get_one_that_is_not_there(olga: Actor, assets: list[Asset]) -> None:
    page = olga.get(f"/explore?at=like:{assets[1].asset_id}&space=taste").text
    assert ">Same taste</a>" in page
    assert page.count('name="pick"') == 48
    assert f'value="{assets[1].asset_id}"' not in page
    page = olga.get(f"/explore?at=like:{assets[1].asset_id}&space=colour").text
    assert "attune spaces layers colour" in page


def test_a_page_of_a_large_pool_waits_for_the_worker_and_says_so(
    olga: Actor, assets: list[Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    space_index._held.clear()
    monkeypatch.setattr(space_index, "LARGE", 1)
    monkeypatch.setattr(jobs, "workers_alive", lambda *_: True)
    page = olga.get(f"/explore?at=like:{assets[1].asset_id}&space=taste").text
    assert "data-waiting" in page
    assert "A worker is preparing" in page
    answer = olga.get(f"/api/v1/similar?like={assets[1].asset_id}")
    assert answer.status_code == 409


def test_while_images_come_the_page_says_that_the_newest_are_not_in_the_list(
    room: Flask, olga: Actor, assets: list[Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_similar.run(room.extensions["attune"].settings)
    space_index._held.clear()
    monkeypatch.setattr(space_index, "_is_for_a_worker", lambda *_: True)
    monkeypatch.setattr(preparing, "ask", lambda *_: None)
    page = olga.get(f"/explore?at=like:{assets[1].asset_id}&space=taste").text
    assert page.count('name="pick"') == 48
    assert "are not in this list yet" in page
    assert olga.get(f"/api/v1/similar?like={assets[1].asset_id}").json["older"] is True
    monkeypatch.undo()
    space_index._held.clear()
    assert "are not in this list yet" not in olga.get(f"/explore?at=like:{assets[1].asset_id}&space=taste").text


def test_an_owner_learns_the_taste_and_uses_it_without_a_terminal(tmp_path: Path, redis_url: str) -> None:
    settings = factories.workspace(tmp_path, redis_url=redis_url)
    poster = genre_pool(settings, 160)[1].asset_id
    factories.add_user(settings, "olga@example.org", "owner")
    factories.add_user(settings, "ana@example.org", "expert", factories.add_expert(settings, "ana@example.org"))
    app = create_app(settings)
    olga, ana = Actor(app, "olga@example.org"), Actor(app, "ana@example.org")
    assert 'href="/explore/spaces#h-taste"' in olga.get(f"/explore?at=like:{poster}&space=taste").text
    assert "Same taste" not in ana.get("/explore/spaces").text
    assert "no column" in olga.send("/explore/spaces/taste", column="mood").text
    assert "<option>genre</option>" in olga.get("/explore/spaces").text
    olga.send("/explore/spaces/taste", column="genre")
    olga.send("/explore/spaces/taste", column="genre")  # a second click asks for nothing
    with reading(settings) as session:
        (job,) = session.scalars(select(Job).where(Job.kind == "learn_taste"))
    learn_taste.run(settings, tuned=False, **job.arguments)
    with writing(settings) as session:
        session.get_one(Job, job.id).state = "done"
    page = olga.get("/explore/spaces").text
    assert "Use version 1" in page
    assert "have the same genre" in page
    assert olga.send("/explore/spaces/taste/use", version="1", reason="").status_code == 422
    olga.send("/explore/spaces/taste/use", version="1", reason="better for genres")
    page = olga.get("/explore/spaces").text
    assert "version 1 is in use" in page
    assert "Use version 1" not in page
    assert olga.get(f"/explore?at=like:{poster}&space=taste").text.count('name="pick"') == 48


def test_experts_compare_by_looks_alone(room: Flask, assets: list[Asset]) -> None:
    ana = Actor(room, "ana@example.org")
    page = ana.get(f"/explore?at=like:{assets[1].asset_id}&space=final").text
    assert ">Looks like</a>" in page
    assert "Same taste" not in page
    assert ana.get(f"/explore?at=like:{assets[1].asset_id}&space=taste").status_code == 403
    assert ana.get(f"/api/v1/similar?like={assets[1].asset_id}&space=taste").status_code == 403
    assert ana.get(f"/api/v1/similar?like={assets[1].asset_id}&other=genre").status_code == 403


def test_the_api_answers_with_similar_images_and_recommendations(olga: Actor, assets: list[Asset], room: Flask) -> None:
    reply = olga.get(f"/api/v1/similar?like={assets[1].asset_id}&space=taste&top=5")
    assert (reply.status_code, len(reply.json["assets"])) == (200, 5)
    mates = [one.asset_id for one in assets if one.title_id == assets[1].title_id and one is not assets[1]]
    assert reply.json["same_title"] == mates
    settings: Settings = room.extensions["attune"].settings
    from attune.labeler.people import tokens

    machine = room.test_client()
    shown = {"Authorization": f"Bearer {tokens.issue(settings, 'nightly')}"}
    rows = [{"id": assets[0].title_id}, {"id": "nowhere"}]
    reply = machine.post("/api/v1/recommend", json={"history": rows, "top": 4}, headers=shown)
    assert reply.json["space"] == "taste"
    (viewer,) = reply.json["viewers"]
    assert [one["because"] for one in viewer["titles"]] == [[assets[0].title_id]] * 4
    assert reply.json["left_out"] == {"the id is no title and no image of the pool": 1}
    wrong = machine.post("/api/v1/recommend", json={"history": "all"}, headers=shown)
    assert (wrong.status_code, "Expected JSON" in wrong.json["message"]) == (422, True)
    with reading(settings) as session:
        assert session.scalar(select(Watched.id).limit(1)) is None


@pytest.fixture(scope="module")
def page(room: Flask, browser: Browser) -> Iterator[Page]:
    """A browser in which Olga is logged in."""
    with web.served(room) as address:
        context = browser.new_context(base_url=address, viewport={"width": 1400, "height": 1000})
        found = context.new_page()
        enter(found, address, "olga@example.org")
        yield found
        context.close()


@pytest.mark.slow
def test_from_an_image_to_its_taste_to_recommendations(page: Page, assets: list[Asset]) -> None:
    page.goto(f"/explore?at=like:{assets[1].asset_id}&space=final")
    page.get_by_role("link", name="Same taste").click()
    expect(page.get_by_role("link", name="Same taste")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="genre", exact=True).click()
    expect(page.get_by_text("Only images of another genre.")).to_be_visible()
    look(page, "similar")
    page.get_by_role("link", name="Recommend", exact=True).click()
    page.get_by_label("Titles that were liked").fill(f"{assets[0].title_id}\n{assets[8].title_id}\nnowhere")
    page.get_by_role("button", name="Recommend").click()
    expect(page.get_by_role("heading", name="Recommended")).to_be_visible()
    expect(page.get_by_text("From 2 liked titles")).to_be_visible()
    expect(page.get_by_text("1 row left out")).to_be_visible()
    look(page, "recommend")
