"""The addresses behind a page of images: what they tell, what they refuse, and the way to a plain Label Studio."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from attune.labeler.answers import ingest
from attune.labeler.labelling import availability, take_pages
from attune.labeler.settings import Settings
from attune.labeler.settings.workspace_id import workspace_id
from tests.labeler.web.conftest import TOKEN, Actor
from tests.support import factories
from tests.support.page_desk import PageDesk

PAGES = "/attributes/tender/pages"


@pytest.fixture
def desk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> PageDesk:
    made = PageDesk(settings, 2)
    factories.add_user(settings, "ana@desk.example", "expert", made.ana)
    monkeypatch.setattr(take_pages, "label_studio", lambda _: made.store)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    return made


@pytest.fixture
def ana(app: Flask, desk: PageDesk) -> Actor:
    return Actor(app, "ana@desk.example")


def send(ana: Actor, path: str, body: Any) -> Any:
    found = TOKEN.search(ana.get("/account").text)
    assert found
    return ana.client.post(
        PAGES + path, json=body, headers={"X-CSRFToken": found.group(1), "Accept": "application/json"}
    )


def row(desk: PageDesk, **changed: Any) -> dict[str, Any]:
    places = {"ticked": [0], "unsure": [], "left": []}
    return {"once": str(uuid4()), "key": desk.pages[0].key, "seconds": 9.5, "skip": False} | places | changed


def test_a_page_tells_nothing_of_why_or_what_the_model_says(desk: PageDesk, ana: Actor) -> None:
    told = ana.get(f"{PAGES}/next").json
    assert told is not None
    assert [page["key"] for page in told["pages"]] == [page.key for page in desk.pages]
    assert set(told["pages"][0]) == {"key", "ticked", "unticked", "images", "marks", "skipped", "left"}
    assert set(told["pages"][0]["images"][0]) == {"place", "image", "whole", "width", "height"}
    assert desk.bos.key not in str(told)


@pytest.mark.parametrize("path", [PAGES, "/attributes/tender/label"])
def test_what_a_browser_keeps_is_kept_for_this_workspace(desk: PageDesk, ana: Actor, path: str) -> None:
    """Another workspace at the same address may have a person with the same number."""
    assert f'data-outbox="attune:{workspace_id(desk.settings)}:' in ana.get(path).text


def test_an_answer_is_taken_and_named(desk: PageDesk, ana: Actor) -> None:
    one = row(desk)
    reply = send(ana, "/answers", {"revision": 1, "answers": [one]})
    assert (reply.status_code, reply.json) == (200, {"answers": {one["once"]: "stored"}, "paused": False})
    assert desk.said(desk.pages[0])[0] == "tender"


@pytest.mark.parametrize(
    "changed",
    [
        {"once": "no UUID"},
        {"seconds": "nan"},
        {"seconds": None},
        {"ticked": "0"},
        {"ticked": [None]},
        {"left": list(range(101))},
        {"ticked": [99]},
    ],
)
def test_what_is_no_answer_stores_nothing(desk: PageDesk, ana: Actor, changed: dict[str, Any]) -> None:
    reply = send(ana, "/answers", {"revision": 1, "answers": [row(desk, **changed)]})
    assert reply.status_code in {400, 422}
    assert "Load the page again." in reply.json["message"]
    assert desk.store.sent == []


@pytest.mark.parametrize("body", [None, [], {}, {"images": "many"}, {"images": None}])
def test_more_pages_need_a_number(ana: Actor, body: Any) -> None:
    assert send(ana, "/more", body).status_code == 400


def test_more_pages_are_asked_for_once(ana: Actor) -> None:
    assert [send(ana, "/more", {"images": 48}).json["state"] for _ in range(2)] == ["queued"] * 2


def test_without_our_modules_the_same_tasks_are_answered_in_label_studio(
    ana: Actor, desk: PageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(availability, "is_available", lambda _: False)
    reply = ana.get(PAGES)
    assert reply.location == f"{PAGES}/label-studio"
    assert "Open page in Label Studio" in ana.get(reply.location).text
