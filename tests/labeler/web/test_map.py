"""The map's bytes, colours and images by hand: what is sent, what is kept from whom, what a removed image leaves."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import select

from attune.labeler.explore import pool_scores
from attune.labeler.maps import layouts, positions
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset, Expert
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views import map_colours, map_wire
from attune.models.clock import now
from attune.workers.jobs import make_clusters, make_map
from tests.labeler.web.conftest import Actor
from tests.support import factories, mapped


@pytest.fixture
def assets(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[Asset]:
    return mapped.mapped(settings, monkeypatch, 40)


def digest(settings: Settings) -> str:
    with reading(settings) as session:
        return layouts.needed(session).file or ""


def points(actor: Actor, settings: Settings) -> dict[int, tuple[int, int]]:
    """What a browser reads: the place of each asset's key, by the wire's own order."""
    reply = actor.get(f"/explore/map/{digest(settings)}/positions")
    assert reply.headers["Content-Encoding"] == "gzip"
    columns = np.frombuffer(gzip.decompress(reply.data), dtype="<u2").reshape(2, -1).T
    return dict(
        zip(
            map_wire.keys_of(settings, digest(settings)).tolist(),
            [(int(x), int(y)) for x, y in columns],
            strict=True,
        )
    )


def colours(actor: Actor, settings: Settings, by: str) -> tuple[list[dict[str, Any]], npt.NDArray[np.uint8]]:
    reply = actor.get(f"/explore/map/{digest(settings)}/colours?by={by}")
    assert reply.status_code == 200, reply.text
    content = gzip.decompress(reply.data)
    length = int.from_bytes(content[:4], "little")
    legend = json.loads(content[4 : 4 + length])
    return legend["groups"], np.frombuffer(content[4 + length :], dtype=np.uint8)


def test_each_point_is_where_the_file_has_it_in_a_shuffled_order(
    settings: Settings, expert: Actor, assets: list[Asset]
) -> None:
    held = positions.load(settings, digest(settings))
    seen = points(expert, settings)
    assert seen == {key: tuple(place) for key, place in zip(held.keys.tolist(), held.places.tolist(), strict=True)}
    assert list(seen) != sorted(seen), "no group is drawn before another"
    first = map_wire.order(held.keys)
    assert np.array_equal(first, map_wire.order(held.keys))


def test_positions_are_sent_once_and_again_when_an_image_goes(
    settings: Settings, owner: Actor, assets: list[Asset]
) -> None:
    address = f"/explore/map/{digest(settings)}/positions"
    tag = owner.get(address).headers["ETag"]
    assert owner.get(address, headers={"If-None-Match": tag}).status_code == 304
    with writing(settings) as session:
        session.get_one(Asset, assets[7].id).removed_at = now()
    again = owner.get(address, headers={"If-None-Match": tag})
    assert again.status_code == 200
    seen = points(owner, settings)
    assert seen[assets[7].id] == (map_wire.GONE, map_wire.GONE)
    assert sum(place == (map_wire.GONE, map_wire.GONE) for place in seen.values()) == 1
    at = list(seen).index(assets[7].id)
    shown = owner.get(f"/explore/map/{digest(settings)}/images?at={at}.{(at + 1) % 40}").get_json()["images"]
    assert [one["at"] for one in shown] == [(at + 1) % 40], "nobody sees a removed image"


def test_points_lead_to_their_images(settings: Settings, expert: Actor, assets: list[Asset]) -> None:
    keys = map_wire.keys_of(settings, digest(settings)).tolist()
    names = {one.id: one.asset_id for one in assets}
    shown = expert.get(f"/explore/map/{digest(settings)}/images?at=3.0.39").get_json()["images"]
    assert [(one["at"], one["id"]) for one in shown] == [(at, names[keys[at]]) for at in (3, 0, 39)]


def test_a_removed_image_is_in_no_count_of_the_legend(settings: Settings, owner: Actor, assets: list[Asset]) -> None:
    make_clusters.run(settings, k=4)
    with writing(settings) as session:
        for one in session.scalars(select(Asset)):
            one.columns = {"genre": "noir"} if one.id != assets[3].id else {}
        for gone in (assets[3], assets[7]):
            session.get_one(Asset, gone.id).removed_at = now()
    for by in ("cluster", "column:genre"):
        groups, codes = colours(owner, settings, by)
        assert sum(one["count"] for one in groups) == 38, by
        assert (codes > 0).sum() == 38
        reply = owner.get(f"/explore/map/{digest(settings)}/colours?by={by}")
        content = gzip.decompress(reply.data)
        assert json.loads(content[4 : 4 + int.from_bytes(content[:4], "little")])["none"] == 0
    assert "Map of 38 images" in owner.get("/explore/map").text


@pytest.mark.parametrize("what", ["positions", "colours?by=cluster", "images?at=0", "search?q=a"])
def test_a_name_that_no_map_has_opens_no_file(settings: Settings, owner: Actor, assets: list[Asset], what: str) -> None:
    assert owner.get(f"/explore/map/..%2Frecords/{what}").status_code == 404
    assert owner.get(f"/explore/map/records/{what}").status_code == 404
    if not what.startswith("search"):
        reply = owner.get(f"/explore/map/{'0' * 64}/{what}", headers={"Accept": "application/json"})
        assert (reply.status_code, "Load the page again" in reply.text) == (422, True)


def test_a_choice_has_a_limit(settings: Settings, owner: Actor, assets: list[Asset]) -> None:
    many = ".".join(["0"] * 501)
    reply = owner.get(f"/explore/map/{digest(settings)}/images?at={many}", headers={"Accept": "application/json"})
    assert "At most 500" in reply.get_json()["message"]
    assert owner.get(f"/explore/map/{digest(settings)}/images?at=40").status_code == 422


def test_an_expert_sees_clusters_and_own_answers_and_no_say_of_a_model(
    settings: Settings, expert: Actor, owner: Actor, ana: Expert, assets: list[Asset]
) -> None:
    attribute = factories.add_attribute(settings)
    other = factories.add_expert(settings, "bo@example.org")
    mine, theirs = (factories.add_queue(settings, attribute, one) for one in (ana, other))
    for asset, value in zip(assets[:3], ("romance", "romance", "neither"), strict=True):
        factories.add_answer(settings, mine, asset, value)
    for asset in assets[2:6]:
        factories.add_answer(settings, theirs, asset, "romance")
    for by in ("score:romance:0", "says:romance", "column:genre", "column:"):
        reply = expert.get(f"/explore/map/{digest(settings)}/colours?by={by}", headers={"Accept": "application/json"})
        assert reply.status_code == 403, by
    groups, codes = colours(expert, settings, "answers:romance")
    assert {one["text"]: one["count"] for one in groups if one["count"]} == {"romance": 2, "neither": 1}
    assert (codes > 0).sum() == 3, "the others' answers are not told"
    groups, codes = colours(owner, settings, "answers:romance")
    told = {one["text"]: one["count"] for one in groups if one["count"]}
    assert told == {"romance": 5, "experts disagree": 1}
    page = expert.get("/explore/map").text
    assert "Your answers" in page
    assert "What the probe says" not in page
    assert "Probability" not in page


def test_scores_colour_the_map_for_owners_less_what_they_are_to_answer(
    settings: Settings, owner: Actor, assets: list[Asset]
) -> None:
    attribute = factories.add_attribute(settings, "tender", classes=["tender", "other"])
    keys = np.array([one.id for one in assets], dtype=np.int64)
    p = np.linspace(0.02, 0.98, len(keys))
    pool_scores.save(settings, attribute, 1, keys, np.stack([p, 1 - p], axis=1), {}, {})
    groups, codes = colours(owner, settings, "score:tender:0")
    assert len(groups) == 10
    assert sum(one["count"] for one in groups) == 40
    of_key = dict(zip(map_wire.keys_of(settings, digest(settings)).tolist(), codes.tolist(), strict=True))
    assert (of_key[assets[0].id], of_key[assets[-1].id]) == (1, 10)
    told = {one["text"]: one["count"] for one in colours(owner, settings, "says:tender")[0]}
    assert told == {"tender": 20, "other": 20}

    labels = factories.add_expert(settings, "labels@example.org")
    queue = factories.add_queue(settings, attribute, labels)
    factories.add_task(settings, queue, assets[4])
    viewer = Viewer("owner", "labels@example.org", labels.id)
    with reading(settings) as session:
        found = map_colours.coloured(settings, session, viewer, keys, "score:tender:0")
    assert (found.codes == 0).nonzero()[0].tolist() == [4]


def test_columns_and_clusters_have_legends_that_add_up(settings: Settings, owner: Actor, assets: list[Asset]) -> None:
    with writing(settings) as session:
        for number, one in enumerate(assets[:30]):
            session.get_one(Asset, one.id).columns = {"year": 1900 + number}
    groups, codes = colours(owner, settings, "column:year")
    assert len(groups) == 21
    assert groups[-1] == {"text": "other values", "count": 10, "colour": -1, "cluster": None}
    assert (codes == 0).sum() == 10, "images without the column"
    assert colours(owner, settings, "cluster")[0] == []
    make_clusters.run(settings, k=4)
    groups, codes = colours(owner, settings, "cluster")
    assert len(groups) == 4
    assert sum(one["count"] for one in groups) == len(codes) == 40


def test_the_page_tells_what_it_waits_for_and_where_an_image_is(
    settings: Settings, owner: Actor, expert: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "attune assets add PATH" in owner.get("/explore/map").text
    assets = mapped.add(settings, 12)
    assert "Make the map" in owner.get("/explore/map").text
    assert "An owner can make it" in expert.get("/explore/map").text
    mapped.quick(monkeypatch)
    make_map.run(settings)
    keys = map_wire.keys_of(settings, digest(settings)).tolist()
    page = expert.get(f"/explore/map?image={assets[5].asset_id}").text
    assert f'data-focus="{keys.index(assets[5].id)}"' in page
    later = mapped.add(settings, 2, seed=9)
    page = owner.get(f"/explore/map?image={later[0].asset_id}&pick={assets[0].asset_id}").text
    assert "2 new images not on the map yet" in page
    assert f"{later[0].asset_id} is not on the map. A worker places" in page
    assert f'value="{assets[0].asset_id}" checked' in page
    assert owner.send("/explore/map").status_code == 302
    assert "Waiting for a worker" in owner.get("/explore/map").text
