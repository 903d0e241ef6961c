"""Clusters and spaces as pages and API: who reads what is said of a cluster, its name and note, a question of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import delete, select

from attune.labeler.attributes import attributes
from attune.labeler.explore import pool_scores
from attune.labeler.records.schema import Asset, Attribute, Job, Pick, User
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, descriptions, members
from attune.labeler.web.app import create_app
from attune.workers.jobs import describe_clusters, make_clusters
from attune.workers.rounds import gallery_scores
from attune.workers.rounds.snapshot import take_snapshot
from tests.labeler.catalog import judged
from tests.labeler.web.conftest import Actor
from tests.support import factories


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Flask]:
    """A console over 600 images in six clusters that are described."""
    settings = judged.filled(tmp_path_factory.mktemp("house") / "workspace", audits=140, redis_url=redis_url)
    make_clusters.run(settings, k=6)
    describe_clusters.run(settings, clustering=1)
    with reading(settings) as session:
        experts = {one.name: one for one in session.scalars(select(factories.Expert))}
    factories.add_user(settings, "ana@example.org", "expert", experts["Ana"])
    factories.add_user(settings, "olga@example.org", "owner")
    factories.add_user(settings, "bo@example.org", "owner", experts["Bo"])
    yield create_app(settings)
    engine(settings.records_url).dispose()


@pytest.fixture
def settings(house: Flask) -> Settings:
    """Of the one console."""
    found: Settings = house.extensions["attune"].settings
    return found


@pytest.fixture(scope="module")
def olga(house: Flask) -> Actor:
    """An owner who labels nothing."""
    return Actor(house, "olga@example.org")


def told_of(settings: Settings, name: str) -> int:
    """The number of a cluster of which something is said by experts about the attribute ``name``."""
    with reading(settings) as session:
        rows = descriptions.of_clustering(session, 1)
    return next(one.number for one in rows if one.kind in ("audit", "answers") and one.name == name)


@contextmanager
def bo_labels_serious(settings: Settings) -> Iterator[None]:
    """Bo, an owner, has a queue of the attribute for as long as this lasts."""
    with reading(settings) as session:
        user = session.scalars(select(User).where(User.email == "bo@example.org")).one()
        expert = session.get_one(factories.Expert, user.expert_id)
        serious = attributes.find(session, "serious")
    queue = factories.add_queue(settings, serious, expert)
    try:
        yield
    finally:
        with writing(settings) as session:
            session.execute(delete(type(queue)).where(type(queue).id == queue.id))


def test_owners_read_what_a_cluster_is_and_experts_only_see_it(house: Flask, settings: Settings, olga: Actor) -> None:
    number = told_of(settings, "serious")
    page = olga.get(f"/explore/clusters/1/{number}").text
    for heading in ("Core", "Edge", "At random", "What it is", "Nearest clusters", "Clusters inside"):
        assert f">{heading}</h2>" in page
    assert "(serious) for" in page
    assert "False discovery rate" in page
    assert "As of" in page
    ana = Actor(house, "ana@example.org")
    for path in ("/explore/clusters", f"/explore/clusters/1/{number}"):
        seen = ana.get(path)
        assert seen.status_code == 200
        for word in ("Experts say", "What it is", "probe", "False discovery", "Make it a question", "(serious)"):
            assert word not in seen.text, (path, word)
    for path in ("/api/v1/clusters", "/api/v1/clusters/1", f"/api/v1/clusters/1/{number}", "/api/v1/spaces"):
        assert ana.get(path).status_code == 403
        assert olga.get(path).status_code == 200


def test_an_owner_who_labels_a_question_reads_nothing_of_it_here(house: Flask, settings: Settings) -> None:
    number = told_of(settings, "serious")
    bo = Actor(house, "bo@example.org")
    assert "(serious) for" in bo.get(f"/explore/clusters/1/{number}").text
    with bo_labels_serious(settings):
        page = bo.get(f"/explore/clusters/1/{number}").text
        assert "(serious)" not in page
        assert "You label serious, so nothing is said of it here." in page
        said = bo.get("/api/v1/clusters/1").json["parts"]
        assert "serious" not in {one["name"] for part in said for one in part["descriptions"]}
        assert "Experts say “serious”" not in bo.get("/explore/clusters").text


def test_a_name_and_a_note_are_kept_and_shown(settings: Settings, olga: Actor) -> None:
    sent = olga.send("/explore/clusters/1/2", name=" Dark <b>rooms</b> ", note="Mostly at night.\nFew faces.")
    assert sent.status_code == 302
    page = olga.get("/explore/clusters/1/2").text
    assert "<h1>Dark &lt;b&gt;rooms&lt;/b&gt;</h1>" in page
    assert "Few faces." in page
    assert olga.send("/explore/clusters/1/2", name="x" * 81).status_code == 422
    assert olga.send("/explore/clusters/1/9", form="/explore/clusters/1/2", name="x").status_code == 404
    assert "Dark &lt;b&gt;rooms" in olga.get("/explore/clusters").text


def test_a_question_begins_with_core_and_near_misses_and_queues_them(settings: Settings, olga: Actor) -> None:
    page = olga.get("/explore/clusters/1/1").text
    address = unescape(re.search(r'href="(/new-attribute\?[^"]+)"', page).group(1))
    given = parse_qs(urlsplit(address).query)
    counts, misses, picks = given["in_scope"], given["out_of_scope"], given["pick"]
    with reading(settings) as session:
        saved = clusterings.find(session, 1)
        first = saved.cluster(1)
        names = dict(session.execute(select(Asset.asset_id, Asset.id)).all())
    held = members.load(settings, saved.row.file)
    mine = held.of(first.place).tolist()
    assert all(names[name] in mine[: len(mine) // 2] for name in counts)
    nearest = held.of(saved.cluster(first.near[0]).place).tolist()
    assert {names[name] in mine[len(mine) // 2 :] for name in misses} == {True, False}
    assert all(names[name] in nearest for name in misses if names[name] not in mine)
    assert sorted(picks) == sorted({*counts, *misses})
    form = olga.get(address).text
    assert form.count('name="pick"') == len(picks)
    fields = {"question": "Is it a dark room?", "name": "dark-room", "in_scope": "\n".join(counts)}
    data = fields | {"class_name": ["dark room", "other"], "class_phrase": ["", ""], "pick": picks, "step": "make"}
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form).group(1)
    made = olga.client.post("/new-attribute", data=data | {"csrf_token": token})
    assert made.status_code == 302
    with reading(settings) as session:
        attribute = attributes.find(session, "dark-room")
        queued = session.execute(select(Pick.asset_pk, Pick.purpose).where(Pick.attribute_id == attribute.id)).all()
    assert attribute.in_scope == counts
    assert {key for key, _ in queued} == {names[name] for name in picks}
    assert {purpose for _, purpose in queued} == {"seed"}, "decision 2: a chosen image is never an audit"


def test_chosen_images_become_a_question_of_their_own(olga: Actor) -> None:
    assert 'formaction="/new-attribute"' in olga.get("/explore").text
    form = olga.get("/new-attribute?pick=a1&pick=a2&at=").text
    assert re.search(r'id="in_scope"[^>]*>a1\na2<', form)
    assert form.count('name="pick"') == 2


def test_a_description_is_asked_for_once(settings: Settings, olga: Actor) -> None:
    for _ in range(2):
        assert olga.send("/explore/clusters/1/1/describe", form="/explore/clusters/1/1").status_code == 302
    with writing(settings) as session:
        waiting = session.scalars(select(Job).where(Job.kind == "describe")).all()
        assert [one.arguments for one in waiting] == [{"clustering": 1}]
        assert "Waiting for a worker" in olga.get("/explore/clusters/1/1").text
        session.execute(delete(Job))


def test_the_results_say_where_an_attribute_lives_and_where_nobody_looked(
    house: Flask, settings: Settings, olga: Actor
) -> None:
    assert "Where it is found" not in olga.get("/attributes/serious/results").text, "there are no scores yet"
    gallery_scores.leave(settings, take_snapshot(settings, "serious"), 4)
    with reading(settings) as session:
        serious = session.scalars(select(Attribute).where(Attribute.name == "serious")).one()
        saved = clusterings.find(session, 1)
    scores = pool_scores.load(settings, serious)
    held = members.load(settings, saved.row.file)
    likely = {
        one.number: int((scores.said[scores.rows(held.of(one.place).tolist())] == 0).sum()) / one.size
        for one in saved.clusters
    }
    best = max(likely, key=lambda number: likely[number])
    page = olga.get("/attributes/serious/results").text
    where = page[page.index("Where it is found") :]
    assert re.search(r"/explore/clusters/1/(\d)", where).group(1) == str(best)
    first = re.search(r"The probe finds it in (\d+) of (\d+) images\. Experts say so of \d+ of the \d+", where)
    assert first, "in words, and what the experts say beside it"
    assert int(first.group(1)) / int(first.group(2)) == pytest.approx(likely[best])
    assert "Where nobody has looked" not in where
    assert "Where it is found" not in olga.get("/attributes/romance/results").text
    assert "Where it is found" not in Actor(house, "ana@example.org").get("/attributes/serious/results").text
    bo = Actor(house, "bo@example.org")
    assert "Where it is found" in bo.get("/attributes/serious/results").text
    with bo_labels_serious(settings):
        assert "Where it is found" not in bo.get("/attributes/serious/results").text


def test_the_api_lists_clusterings_and_the_images_of_a_cluster(settings: Settings, olga: Actor) -> None:
    assert [one["space"] for one in olga.get("/api/v1/spaces").json["spaces"]] == ["final"]
    assert [one["clustering"] for one in olga.get("/api/v1/clusters").json["clusterings"]] == [1]
    whole = olga.get("/api/v1/clusters/1").json
    assert sum(one["size"] for one in whole["parts"]) == whole["images"] == judged.ASSETS
    first = olga.get("/api/v1/clusters/1/1?size=5&page=2").json
    with reading(settings) as session:
        saved = clusterings.find(session, 1)
        keys = members.load(settings, saved.row.file).of(saved.cluster(1).place)[5:10].tolist()
        names = dict(session.execute(select(Asset.id, Asset.asset_id).where(Asset.id.in_(keys))).all())
    assert [one["asset_id"] for one in first["assets"]] == [names[key] for key in keys]
    assert first["total"] == first["size"]
    for gone in ("/api/v1/clusters/9", "/api/v1/clusters/1/99", "/api/v1/clusters/one"):
        assert olga.get(gone).status_code == 404


def test_a_clustering_whose_file_is_gone_says_so_and_can_be_made_again(settings: Settings, olga: Actor) -> None:
    with reading(settings) as session:
        path = settings.workspace / "clusters" / f"{clusterings.find(session, 1).row.file}.arrow"
    aside = path.rename(Path(f"{path}.aside"))
    try:
        page = olga.get("/explore/clusters")
        assert page.status_code == 200
        assert "is gone" in page.text
        assert "Make clusters" in page.text
        assert "attune clusters make" in olga.get("/explore/clusters/1/1").text
        assert olga.get("/attributes/serious/results").status_code == 200
    finally:
        aside.rename(path)


def test_spaces_tell_what_they_see_and_more_can_be_computed(settings: Settings, olga: Actor) -> None:
    page = olga.get("/explore/spaces").text
    assert "directions." in page
    assert page.count('class="near-strip"') == 3
    assert "/explore/clusters?run=1" in page
    assert olga.send("/explore/spaces").status_code == 302
    with writing(settings) as session:
        asked = [one.arguments["names"] for one in session.scalars(select(Job).where(Job.kind == "layers"))]
        assert sorted(asked) == [[], ["colour"]]
        session.execute(delete(Job))


def test_a_selection_is_carried_from_one_clustering_into_the_other(settings: Settings, olga: Actor) -> None:
    assert "Nothing to compare yet" in olga.get("/explore/beside").text
    second = make_clusters.run(settings, k=3)["clustering"]
    with reading(settings) as session:
        one, other = clusterings.find(session, 1), clusterings.find(session, second)
    chosen = one.clusters[0]
    mine = set(members.load(settings, one.row.file).of(chosen.place).tolist())
    into = {
        part.number: len(mine & set(members.load(settings, other.row.file).of(part.place).tolist()))
        for part in other.clusters
    }
    page = olga.get(f"/explore/beside?a=1&b={second}&of=1:{chosen.number}").text
    left, right = page.split("<section")[1:3]
    assert "all of them" in left
    told = {
        int(number): int(held) for number, held in re.findall(rf'of={second}:(\d+)".*?(\d+) of them', right, re.DOTALL)
    }
    assert told
    assert told == {number: held for number, held in into.items() if 0 < held < chosen.size}
    assert olga.get("/explore/beside?a=1&b=99").status_code == 404
    assert olga.get("/explore/beside?of=somewhere").status_code == 422
