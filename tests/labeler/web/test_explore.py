"""Explore in a browser and by hand: search, choose by keyboard, carry the selection along, send it."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from sqlalchemy import func, select

from attune.labeler.assets.active_encoder import activate
from attune.labeler.explore import search
from attune.labeler.explore.search import Query
from attune.labeler.records.schema import Asset, Job, Pick
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings
from attune.labeler.web.app import create_app
from attune.labeler.web.sizes import BODY_BYTES, IMAGE_BYTES, megabytes
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import DataError
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import explore_pool
from attune.workers.runtime.perform import perform
from tests.labeler.web.conftest import Actor
from tests.support import factories, web
from tests.support.looks import TELEPHONE, enter, look


def embed(settings: Settings, count: int = 110) -> list[Asset]:
    """Images with vectors that came ready-made, and whose phrases are known: no encoder has to be loaded."""
    assets = factories.add_assets(settings, count, images=count < 120)
    x = np.random.default_rng(3).standard_normal((count, 8)).astype(np.float32)
    made = Fingerprint("open_clip", "test", "0" * 64, 8)
    names = [asset.asset_id for asset in assets]
    VectorStore(settings.vectors).append(made, names, x / np.linalg.norm(x, axis=1, keepdims=True))
    with writing(settings) as session:
        activate(session, made)
    return assets


def work(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> int:
    """Do the searches that wait, as the workers do; how many."""
    monkeypatch.setattr("attune.workers.runtime.perform.reader.build", lambda: settings)
    with reading(settings) as session:
        waiting = list(
            session.scalars(select(Job.id).where(Job.state == "queued", Job.kind.in_(("explore", "clusters"))))
        )
    for job in waiting:
        perform(job)
    return len(waiting)


def test_a_search_waits_for_the_workers_and_is_kept(
    settings: Settings, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attune.labeler.web.pages.explore.PATIENCE_SECONDS", 0.0)
    assets = embed(settings, 6)
    page = owner.get(f"/explore?at=like:{assets[0].asset_id}").text
    assert "No worker is running" in page
    assert 'http-equiv="refresh"' in page
    assert work(settings, monkeypatch) == 1
    page = owner.get(f"/explore?at=like:{assets[0].asset_id}").text
    assert f"Similar to {assets[0].asset_id}" in page
    assert page.count('name="pick"') == 6
    assert work(settings, monkeypatch) == 0, "the second look asks for nothing"
    assert "6 images, most similar first" in page


def test_a_filter_comes_back_with_its_person_until_it_is_cleared(
    settings: Settings, owner: Actor, expert: Actor
) -> None:
    factories.add_assets(settings, 3)
    used = "title=img&column=&value="
    assert owner.get(f"/explore?{used}").status_code == 200
    back = owner.get("/explore")
    assert (back.status_code, back.location) == (302, "/explore?title=img")
    assert owner.get("/explore?for=romance").status_code == 200, "another search leaves it alone"
    assert expert.get("/explore").status_code == 200, "it is nobody else's"
    text = owner.get("/explore?title=img").text
    (clear,) = re.findall(r'href="([^"]*)">Clear filter', text)
    assert owner.get(clear.replace("&amp;", "&")).status_code == 200
    assert owner.get("/explore").status_code == 200


def test_a_search_that_keeps_the_nearest_alone_says_of_how_many(
    settings: Settings, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attune.labeler.web.pages.explore.PATIENCE_SECONDS", 0.0)
    report, _, *others = explore_pool.run.__defaults__
    monkeypatch.setattr(explore_pool.run, "__defaults__", (report, 4, *others))
    address = f"/explore?at=like:{embed(settings, 6)[0].asset_id}"
    owner.get(address)
    work(settings, monkeypatch)
    assert "The 4 most similar of 6 images" in owner.get(address).text


def test_searches_that_wait_leave_threads_for_everybody_else(
    settings: Settings, expert: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    monkeypatch.setattr(search.time, "sleep", looks.append)
    with contextlib.ExitStack() as waiting:  # as many as may wait do
        while search._PATIENT.acquire(blocking=False):
            waiting.callback(search._PATIENT.release)
        assert expert.get("/api/v1/search?q=two+people").status_code == 202
        assert expert.get("/explore?q=two+people").status_code == 200
    assert looks == []


def test_a_failed_search_says_why(settings: Settings, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attune.labeler.web.pages.explore.PATIENCE_SECONDS", 0.0)
    assets = embed(settings, 3)
    address = f"/explore?at=like:{assets[0].asset_id}"
    owner.get(address)
    with writing(settings) as session:
        job = session.scalars(select(Job)).one()
        job.state, job.error = "failed", "The weights are gone."
    monkeypatch.setattr("attune.labeler.explore.search.KEPT", -1 * factories.timedelta(1))
    with reading(settings) as session:
        held = session.scalars(select(Job)).one()
    assert "The weights are gone." in owner.get(f"/explore?at=image:{held.id}").text


def test_an_uploaded_example_is_searched_and_only_an_image_is_taken(settings: Settings, expert: Actor) -> None:
    embed(settings, 3)
    token = expert.get("/explore").text.split('name="csrf_token" value="')[2].split('"')[0]

    def upload(content: bytes) -> tuple[int, str]:
        data = {"csrf_token": token, "image": (BytesIO(content), "x.jpg"), "pick": ["a", "b"]}
        reply = expert.client.post("/explore/image", data=data, content_type="multipart/form-data", buffered=True)
        reply.request.input_stream.close()  # the test client forgets its own temporary file
        return reply.status_code, reply.headers.get("Location", reply.text)

    assert upload(b"<html>")[0] == 422
    assert upload(b"x" * BODY_BYTES)[0] == 413
    deep = BytesIO()
    Image.fromarray(np.zeros((4000, 4000), np.float32)).save(deep, "TIFF", compression="tiff_adobe_deflate")
    status, told = upload(deep.getvalue())
    assert status == 422
    assert all(number in told.replace("\u202f", "") for number in ("50000000", "12500000"))
    assert f"Up to {megabytes(IMAGE_BYTES)}." in expert.get("/explore").text
    status, place = upload(factories.picture(1).ljust(IMAGE_BYTES, b"\0"))
    assert (status, place.partition("?")[0]) == (302, "/explore")
    assert "at=image:explore-" in place.replace("%3A", ":")
    assert "pick=a&pick=b" in place


def test_a_person_has_one_uploaded_example_waiting(
    settings: Settings, expert: Actor, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(settings, 3)
    decoded: list[str] = []

    def decode(content: bytes, *_: object) -> None:
        decoded.append(content.decode())
        raise DataError("seen")

    monkeypatch.setattr(explore_pool, "decode", decode)
    monkeypatch.setattr("attune.labeler.web.pages.explore.inspect", lambda *_, **__: None)
    for actor, content in ((expert, b"first"), (owner, b"owner's"), (expert, b"second"), (expert, b"third")):
        token = actor.get("/explore").text.split('name="csrf_token" value="')[2].split('"')[0]
        data = {"csrf_token": token, "image": (BytesIO(content), "x.jpg")}
        assert actor.client.post("/explore/image", data=data, content_type="multipart/form-data").status_code == 302
    with reading(settings) as session:
        searches = list(session.scalars(select(Job.arguments).where(Job.kind == search.KIND)))
    for asked in searches:
        with contextlib.suppress(DataError):
            explore_pool.run(settings, **asked)
    assert sorted(decoded) == ["owner's", "third"]


def answering_no_later_question(settings: Settings, *experts: factories.Expert) -> None:
    """They answer what they have a queue for, and nothing else."""
    with writing(settings) as session:
        for one in experts:
            session.get_one(factories.Expert, one.id).every_attribute = False


def test_experts_fill_their_own_queue_alone_and_see_only_their_questions(
    settings: Settings, expert: Actor, ana: factories.Expert
) -> None:
    romance, other = factories.add_attribute(settings), factories.add_attribute(settings, "dread")
    bo = factories.add_expert(settings, "bo@example.org")
    factories.add_queue(settings, romance, ana)
    factories.add_queue(settings, romance, bo)
    factories.add_queue(settings, other, bo)
    answering_no_later_question(settings, ana, bo)
    (asset,) = factories.add_assets(settings, 1)
    form = f"/explore/send?pick={asset.asset_id}"
    assert "(romance)" in expert.get(form).text
    assert "(dread)" not in expert.get(form).text
    fields = {"attribute": "romance", "pick": asset.asset_id}
    assert expert.send("/explore/send", form=form, expert="bo@example.org", **fields).status_code == 403
    assert expert.send("/explore/send", form=form, **fields).status_code == 302
    with reading(settings) as session:
        assert session.scalars(select(Pick.expert_id)).all() == [ana.id]
    assert expert.send("/explore/send", form=form, attribute="dread", pick=asset.asset_id).status_code == 422


def test_an_expert_who_chose_too_much_keeps_the_selection(
    settings: Settings, expert: Actor, ana: factories.Expert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attune.labeler.queues.pinned.MOST_OWN", 1)
    factories.add_queue(settings, factories.add_attribute(settings), ana)
    names = [one.asset_id for one in factories.add_assets(settings, 2)]
    form = f"/explore/send?pick={names[0]}&pick={names[1]}"
    told = expert.send("/explore/send", form=form, attribute="romance", pick=names)
    assert told.status_code == 422
    assert "At most 1 can wait" in told.text
    assert all(name in told.text for name in names)


def test_who_does_not_answer_a_question_is_said_on_the_form_and_the_selection_stays(
    settings: Settings, owner: Actor, ana: factories.Expert
) -> None:
    romance, dread = factories.add_attribute(settings), factories.add_attribute(settings, "dread")
    bo = factories.add_expert(settings, "bo@example.org")
    for attribute, one in ((romance, ana), (dread, bo)):
        factories.add_queue(settings, attribute, one)
    answering_no_later_question(settings, ana, bo)
    (asset,) = factories.add_assets(settings, 1)
    form = f"/explore/send?pick={asset.asset_id}"
    fields = {"attribute": "dread", "expert": "ana@example.org", "pick": asset.asset_id}
    reply = owner.send("/explore/send", form=form, **fields)
    assert reply.status_code == 422
    assert "ana@example.org has no queue for dread" in reply.text
    assert f'name="pick" value="{asset.asset_id}"' in reply.text
    assert '<option value="dread" selected>' in reply.text
    assert owner.send("/explore/send", form=form, **fields | {"expert": "bo@example.org"}).status_code == 302


def test_clusters_lead_to_their_images_and_to_a_new_question(
    settings: Settings, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(settings, 12)
    assert "No clusters yet" in owner.get("/explore/clusters").text
    assert owner.send("/explore/clusters", k="3").status_code == 302
    assert "Waiting for a worker" in owner.get("/explore/clusters").text
    work(settings, monkeypatch)
    page = owner.get("/explore/clusters").text
    assert sorted(set(re.findall(r"/explore/clusters/1/(\d)", page))) == ["1", "2", "3"]
    assert "most typical first" in owner.get("/explore?at=cluster:1").text
    assert "most typical first" in owner.get("/explore?at=cluster:1:3").text
    for gone in ("/explore?at=cluster:4", "/explore?at=cluster:9:1", "/explore/clusters/1/4", "/explore/clusters/9/1"):
        assert owner.get(gone).status_code == 404, gone
    assert owner.get("/explore?at=cluster:x:1").status_code == 422
    for wrong in ({"k": "1"}, {"k": "many"}, {"space": "colour"}, {"space": "deep"}, {"within": "1"}):
        assert owner.send("/explore/clusters", **wrong).status_code == 422, wrong
    with reading(settings) as session:
        newest = clusterings.latest(session)
    clusterings.rename(settings, newest.row.id, 1, "<Couples> at dusk")
    assert owner.send("/explore/clusters", k="6").status_code == 302
    work(settings, monkeypatch)
    page = owner.get("/explore/clusters").text
    assert "Changes since the clustering before" in page
    assert "&lt;Couples&gt; at dusk" in page


def test_the_api_searches_for_people_and_tells_what_is_not_done_yet(
    settings: Settings, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attune.labeler.web.api.search.SEARCH_SECONDS", 0.0)
    assets = embed(settings, 5)
    address = f"/api/v1/search?like={assets[0].asset_id}&top=2"
    waiting = owner.get(address)
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "2")
    work(settings, monkeypatch)
    found = owner.get(address).json
    assert found["state"] == "done"
    assert next(one["asset_id"] for one in found["assets"]) == assets[0].asset_id
    assert len(found["assets"]) == 2
    assert owner.get("/api/v1/search?like=nobody").status_code == 404
    names = [one["asset_id"] for one in owner.get("/api/v1/search?top=3").json["assets"]]
    assert names == sorted(asset.asset_id for asset in assets)[:3]
    assert owner.get(f"/api/v1/search?q={'x' * 301}").status_code == 422


# -- in a real browser -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class House:
    address: str
    settings: Settings


@pytest.fixture
def house(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A served console with 110 images, a question, two experts, and a worker of rq in a thread."""
    embed(settings)
    unit = np.eye(8, dtype=np.float32)[:1]
    monkeypatch.setattr(explore_pool, "prompt_vectors", lambda _settings, texts: np.repeat(unit, len(texts), axis=0))
    monkeypatch.setattr("attune.workers.runtime.perform.reader.build", lambda: settings)
    romance = factories.add_attribute(settings)
    for email in ("ana@example.org", "bo@example.org"):
        factories.add_queue(settings, romance, factories.add_expert(settings, email))
    factories.add_user(settings, "olga@example.org", "owner")
    stop = threading.Event()
    worker = threading.Thread(target=_work_until, args=(settings, stop), daemon=True)
    worker.start()
    with web.served(create_app(settings)) as address:
        yield House(address, settings)
        stop.set()
        worker.join()


def _work_until(settings: Settings, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        with reading(settings) as session:
            waiting = session.scalars(select(Job.id).where(Job.state == "queued", Job.kind == "explore")).all()
        for job in waiting:
            perform(job)


@pytest.mark.browser
def test_search_choose_by_keyboard_over_two_pages_and_send(browser: Browser, house: House) -> None:
    context = browser.new_context(viewport={"width": TELEPHONE, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/explore?for=romance")
    page.locator("#q").focus()
    page.keyboard.type("two people in love")
    page.keyboard.press("Enter")
    expect(page.get_by_text("110 images, most similar first")).to_be_visible()
    page.wait_for_load_state("load")  # the text is there before the script that hears the arrow keys
    boxes = page.get_by_role("checkbox")
    boxes.first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # chooses as well, and does not search anew
    chosen = page.locator("[data-mosaic] input:checked").evaluate_all("all => all.map(box => box.value)")
    assert len(chosen) == 3
    expect(page.locator("[data-picked]")).to_have_text("3")
    look(page, "explore")
    page.get_by_role("button", name="Next").press("Enter")
    expect(page.get_by_text("49 to 96 of 110")).to_be_visible()
    boxes.nth(1).focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-picked]")).to_have_text("4")
    page.get_by_role("button", name="Send to a queue").press("Enter")
    expect(page.get_by_role("heading", name="Images for a queue")).to_be_visible()
    expect(page.locator("#attribute")).to_have_value("romance")
    look(page, "explore-send")
    page.get_by_role("button", name="Send 4 images").press("Enter")
    expect(page.get_by_text("4 queued for Ana, Bo.")).to_be_visible()
    with reading(house.settings) as session:
        assert session.scalar(select(func.count()).select_from(Pick)) == 8
        why = session.scalars(select(Pick.why)).first()
    assert why == "the text “two people in love”"
    assert complaints == []
    context.close()


def test_text_search_is_off_where_vectors_came_ready_made(settings: Settings, owner: Actor, expert: Actor) -> None:
    assets = factories.add_assets(settings, 4, images=True)
    made = Fingerprint("external", "vectors", "external:" + "0" * 64, 4)
    VectorStore(settings.vectors).append(made, [one.asset_id for one in assets], np.eye(4, dtype=np.float32))
    with writing(settings) as session:
        activate(session, made)
    for actor in (owner, expert):
        shown = actor.get("/explore?at=text&q=two+people")
        assert shown.status_code == 200
        assert re.search(r'<input[^>]*id="q"[^>]*disabled', shown.text)
        assert "supplied vectors" in shown.text
        assert 'id="image"' not in shown.text
        assert assets[0].asset_id in shown.text
    refused = owner.get("/api/v1/search?q=two+people")
    assert (refused.status_code, refused.json["error"]) == (409, "EncoderError")
    with reading(settings) as session:
        assert session.scalars(select(Job.id)).all() == []


def test_experts_filter_by_title_only_as_a_column_may_hold_earlier_labels(
    settings: Settings, owner: Actor, expert: Actor
) -> None:
    first, *_ = embed(settings, 3)
    with writing(settings) as session:
        session.get_one(Asset, first.id).columns = {"old_label": "yes"}
    assert "old_label" in owner.get("/explore").text
    assert "old_label" not in expert.get("/explore").text
    for address in ("/explore", "/api/v1/search"):
        asked = f"{address}?column=old_label&value=yes"
        assert owner.get(asked).status_code == 200
        assert expert.get(asked).status_code == 403
        assert first.asset_id not in expert.get(asked).text
        assert first.asset_id in expert.get(f"{address}?title={first.title_id}").text


def test_an_owner_finds_a_film_by_its_name_and_an_expert_does_not(
    settings: Settings, owner: Actor, expert: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = embed(settings, 4)
    with writing(settings) as session:
        session.get_one(Asset, first.id).columns = {"Title": "Glass Harbour", "old_label": "harbour"}
        session.get_one(Asset, second.id).columns = {"Title": "Salt", "old_label": "harbour"}
    page = owner.get("/explore?title=harbour").text
    assert first.asset_id in page
    assert second.asset_id not in page, "no other column is a name"
    assert first.asset_id not in expert.get("/explore?title=harbour").text
    found = Query(like=first.asset_id, title="harbour", name_columns=("Title",))
    job = search.start(settings, found)
    work(settings, monkeypatch)
    result = search.wait_for_result(settings, job)
    assert result is not None
    assert [name for name, _ in result.hits] == [first.asset_id], "and so do the workers"
