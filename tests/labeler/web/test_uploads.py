"""Images in by browser: who may send, what each route promises, and what the page tells afterwards."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select
from werkzeug.test import TestResponse

from attune.labeler.assets import uploads
from attune.labeler.demo import prepare
from attune.labeler.jobs import jobs
from attune.labeler.people import tokens
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.labeler.web.pages import assets as images_page
from attune.labeler.web.sizes import PIECE_BYTES
from attune.models.errors import AttuneError
from tests.labeler.web.conftest import TOKEN, Actor
from tests.support import factories, web
from tests.support.browser import finished
from tests.support.looks import TELEPHONE, enter, look

BAD = {
    "posters/empty.jpg": b"",
    "posters/notes.jpg": b"These are notes.",
    "posters/cut.jpg": factories.picture(99)[:900],
}


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LEFT_FREE", 0)  # a temporary folder may be small


def ask(actor: Actor, method: str, path: str, **options: object) -> TestResponse:
    """As the page's script does it."""
    found = TOKEN.search(actor.get("/account").text)
    headers = {"Accept": "application/json", "X-CSRFToken": found.group(1) if found else ""}
    return actor.client.open(path, method=method, headers=headers, **options)  # type: ignore[arg-type]


def told(reply: TestResponse) -> dict[str, Any]:
    """What the page's script reads."""
    answer = reply.json
    assert isinstance(answer, dict)
    return answer


def begun(actor: Actor) -> str:
    """Where the pieces of a new upload go."""
    return str(told(ask(actor, "POST", "/assets/uploads"))["upload"])


def put(actor: Actor, upload: str, content: bytes, number: int = 0, name: str = "a.jpg", **more: int) -> TestResponse:
    query = {"name": name, "size": len(content), "offset": 0} | more
    kind = "application/octet-stream"
    return ask(actor, "PUT", f"{upload}/{number}", query_string=query, data=content, content_type=kind)


def test_an_owner_sends_pieces_and_gets_one_job_for_them(owner: Actor, settings: Settings) -> None:
    upload = begun(owner)
    content = factories.picture(1)
    half = len(content) // 2
    assert put(owner, upload, content[:half], size=len(content)).json == {"received": half}
    assert ask(owner, "POST", f"{upload}/finish", data={"count": "1"}).status_code == 422
    assert ask(owner, "GET", f"{upload}/received").json == {"received": {"0": half}}
    assert put(owner, upload, content[half:], size=len(content), offset=half).json == {"received": len(content)}
    pages = {told(ask(owner, "POST", f"{upload}/finish", data={"count": "1"}))["page"] for _ in range(2)}
    assert pages == {upload}
    with reading(settings) as session:
        [job] = session.scalars(select(Job).where(Job.kind == "upload"))
    assert "No worker is running" in owner.get(upload).text
    assert "1 file" in owner.get("/assets").text
    assert job.arguments["ticket"] not in owner.get("/jobs").text


def test_a_piece_without_proof_against_forgery_or_too_large_is_not_kept(owner: Actor) -> None:
    upload = begun(owner)
    bare = owner.client.put(
        f"{upload}/0?name=a.jpg&size=1&offset=0", data=b"x", content_type="application/octet-stream"
    )
    assert bare.status_code == 400
    assert put(owner, upload, b"x" * (PIECE_BYTES + 1)).status_code == 413
    assert put(owner, upload, b"x" * PIECE_BYTES).status_code == 200
    assert ask(owner, "GET", f"{upload}/received").json == {"received": {"0": PIECE_BYTES}}


def test_somebody_elses_upload_and_none_at_all_look_the_same(owner: Actor, admin: Actor) -> None:
    upload = begun(owner)
    none = f"/assets/uploads/{'0' * 32}"
    for method, path in (
        ("GET", ""),
        ("GET", "/received"),
        ("PUT", "/0?name=a&size=0&offset=0"),
        ("POST", "/finish"),
        ("POST", "/drop"),
    ):
        replies = [ask(admin, method, place + path) for place in (upload, none)]
        assert [reply.status_code for reply in replies] == [404, 404], path
        assert told(replies[0])["message"] == told(replies[1])["message"]
    performance = {"for": "performance"}
    for place, sent in ((upload, performance), (upload.replace("/assets/", "/insights/performance/"), {})):
        reply = ask(admin, "POST", place if not sent else f"{place}/finish", data=sent)
        assert reply.status_code == 404, "a file of somebody else's is neither read nor added"
        mine = ask(owner, "POST", place if not sent else f"{place}/finish", data=sent)
        assert mine.status_code != 404, "the address is right, and its sender is told what is missing"
    assert told(ask(owner, "GET", f"{upload}/received"))["received"] == {}, "it is still there for whoever sent it"


def test_a_token_cannot_send_images(app: Flask, settings: Settings) -> None:
    actor = Actor(app)
    actor.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {tokens.issue(settings, 'robot', 'owner')}"
    reply = actor.client.post("/assets/uploads")
    assert reply.status_code == 403
    assert "attune assets add" in reply.text
    assert not (settings.workspace / "uploads").exists()


def test_a_cancelled_upload_leaves_nothing(owner: Actor, settings: Settings) -> None:
    upload = begun(owner)
    put(owner, upload, b"x")
    assert ask(owner, "POST", f"{upload}/drop").json == {"dropped": True}
    assert list((settings.workspace / "uploads").iterdir()) == []


# -- in a browser -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class House:
    """A served console; jobs wait until ``work`` is set."""

    address: str
    settings: Settings
    work: threading.Event


@pytest.fixture
def house(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    encoder: dict[str, Any] = prepare.encoder_settings()
    made, work = replace(settings, device="cpu", **encoder), threading.Event()
    running: list[threading.Thread] = []

    def perform(settings: Settings, job_id: str, kind: str) -> None:
        """As a worker would."""
        with reading(settings) as session:
            arguments = session.get_one(Job, job_id).arguments
        work.wait(60)
        try:
            jobs.finish(settings, job_id, jobs.run_here(settings, kind, **arguments))
        except AttuneError as error:
            jobs.fail(settings, job_id, str(error))

    def hand_over(*given: object) -> None:
        running.append(threading.Thread(target=perform, args=given))
        running[-1].start()

    monkeypatch.setattr(jobs, "hand_over", hand_over)
    monkeypatch.setattr(images_page, "PIECE_BYTES", 10_000)  # so that a small zip comes in several pieces
    factories.add_user(made, "olga@example.org", "owner")
    with web.served(create_app(made)) as address:
        yield House(address, made, work)
        work.set()
        for thread in running:
            thread.join(60)


def open_images(page: Page, house: House) -> None:
    enter(page, house.address, "olga@example.org")
    page.goto(f"{house.address}/assets")


def posters() -> bytes:
    """A zip of 12 files, three of which are no images."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(9):
            size = ((240, 320), (360, 200))[number % 2]
            archive.writestr(f"posters/{number:02}.jpg", factories.picture(number, size))
        for name, content in BAD.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.browser
def test_a_zip_of_12_files_comes_in_through_a_cut_connection_and_3_are_refused_by_reason(
    browser: Browser, house: House
) -> None:
    page = browser.new_page(viewport={"width": TELEPHONE, "height": 900})
    errors: list[str] = []
    cut: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def cut_off(route: Route) -> None:
        """The third piece does not get through at first."""
        if "offset=20000" in route.request.url and not cut:
            cut.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/assets/uploads/*/0?*", cut_off)
    open_images(page, house)
    content = posters()
    page.locator("[data-files-field]").set_input_files(
        [
            {"name": "posters.zip", "mimeType": "application/zip", "buffer": content},
            {"name": "readme.txt", "mimeType": "text/plain", "buffer": b"not taken"},
        ]  # type: ignore[arg-type]
    )
    expect(page.get_by_text(re.compile(r"^1 zip, \d+ KB|^1 zip, 0\.\d MB"))).to_be_visible()
    expect(page.get_by_text("1 other file left out")).to_be_visible()
    look(page, "uploads-chosen")
    page.get_by_role("button", name="Add to the pool").click()
    page.wait_for_url("**/assets/uploads/*")
    assert cut
    expect(page.get_by_role("heading", name="1 file sent")).to_be_visible()
    look(page, "uploads-waiting")
    house.work.set()
    expect(page.get_by_role("heading", name="9 images added")).to_be_visible(timeout=240_000)
    expect(page.get_by_role("heading", name="3 refused")).to_be_visible()
    refused = page.locator(".refusals")
    refused.evaluate("part => part.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for name in BAD:
        expect(refused.get_by_text(name.partition("/")[2])).to_be_visible()
    images = page.locator(".arrived img")
    expect(images).to_have_count(9)
    page.evaluate("document.querySelectorAll('.arrived img').forEach((one) => { one.loading = 'eager'; })")
    finished(page)  # lazy no more, all nine come
    assert images.first.evaluate("one => one.naturalWidth") > 0
    assert images.first.bounding_box()["height"] > 200, "large"  # type: ignore[index]
    look(page, "uploads-done")
    page.get_by_role("link", name="Add more images").click()
    expect(page.get_by_text("9 added, 3 refused")).to_be_visible()
    look(page, "uploads-images")
    with reading(house.settings) as session:
        assert len(list(session.scalars(select(Asset.id)))) == 9
    assert not errors
    page.close()


@pytest.mark.browser
def test_a_dropped_folder_comes_with_its_paths_and_a_second_table_is_refused_at_once(
    browser: Browser, house: House, tmp_path: Path
) -> None:
    page = browser.new_page()
    open_images(page, house)
    (tmp_path / "set" / "inner").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "inner/b.jpg", ".hidden.jpg")):
        (tmp_path / "set" / name).write_bytes(factories.picture(number))
    (tmp_path / "set" / "t.csv").write_text("filename,title_id\na.jpg,T\ninner/b.jpg,T\n")
    (tmp_path / "set" / "u.csv").write_text("filename\na.jpg\n")
    page.locator("[data-folder-field]").set_input_files(tmp_path / "set")
    expect(page.get_by_text("Attune takes one asset table with an upload")).to_be_visible()
    expect(page.get_by_role("button", name="Add to the pool")).to_be_hidden()
    (tmp_path / "set" / "u.csv").unlink()
    page.locator("[data-folder-field]").set_input_files(tmp_path / "set")
    expect(page.get_by_text("2 images, 1 asset table")).to_be_visible()
    house.work.set()
    page.get_by_role("button", name="Add to the pool").click()
    expect(page.get_by_role("heading", name="2 images added")).to_be_visible(timeout=240_000)
    with reading(house.settings) as session:
        assert [one.title_id for one in session.scalars(select(Asset).order_by(Asset.asset_id))] == ["T", "T"]
    page.close()


@pytest.mark.browser
def test_a_cancelled_upload_can_be_started_again(browser: Browser, house: House) -> None:
    page = browser.new_page()
    held: list[Route] = []
    begun: list[str] = []
    page.route("**/assets/uploads/*/0?*", lambda route: held.append(route))  # noqa: PLW0108
    page.route("**/assets/uploads/*/drop", lambda route: held.append(route))  # noqa: PLW0108
    page.on("request", lambda one: begun.append(one.url) if one.url.endswith("/assets/uploads") else None)
    open_images(page, house)
    chosen = [{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": factories.picture(1)}]
    page.locator("[data-files-field]").set_input_files(chosen)  # type: ignore[arg-type]
    with page.expect_request("**/assets/uploads/*/0?*"):
        page.get_by_role("button", name="Add to the pool").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    page.unroute("**/assets/uploads/*/0?*")
    page.locator("[data-files-field]").set_input_files(chosen)  # type: ignore[arg-type]
    page.get_by_role("button", name="Add to the pool").click()
    expect(page.get_by_role("heading", name="1 file sent")).to_be_visible()
    assert len(begun) == 2, "into a new upload, though the server has not dropped the first yet"
    page.close()
