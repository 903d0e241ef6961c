"""The bar that answers chosen images: where it is, for whom, for which question, and what its address refuses."""

from __future__ import annotations

import re
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import update

from attune.labeler.answers import ingest
from attune.labeler.label_studio import grid_project
from attune.labeler.labelling import availability, take_chosen
from attune.labeler.records.schema import Queue, User
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.labeler.web.conftest import TOKEN, Actor
from tests.support import factories, scored
from tests.support.page_desk import PageDesk

ANSWERS = "/attributes/tender/chosen/answers"
BAR = f'data-answers="{ANSWERS}"'


@pytest.fixture
def desk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> PageDesk:
    made, numbers = PageDesk(settings, 1), count(800)
    monkeypatch.setattr(take_chosen, "label_studio", lambda _: made.store)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    monkeypatch.setattr(grid_project, "add", lambda *_: next(numbers))
    factories.add_user(settings, "ana@desk.example", "owner", made.ana)
    factories.add_user(settings, "bo@desk.example", "owner", made.bo)
    return made


@pytest.fixture
def ana(app: Flask, desk: PageDesk) -> Actor:
    return Actor(app, "ana@desk.example")


@pytest.fixture
def bo(app: Flask, desk: PageDesk) -> Actor:
    """An owner who labels."""
    return Actor(app, "bo@desk.example")


def send(actor: Actor, body: Any) -> Any:
    found = TOKEN.search(actor.get("/account").text)
    assert found
    headers = {"X-CSRFToken": found.group(1), "Accept": "application/json"}
    return actor.client.post(ANSWERS, json=body, headers=headers)


def row(desk: PageDesk, **changed: Any) -> dict[str, Any]:
    images = [desk.assets[12].asset_id, desk.assets[0].asset_id]
    return {"once": str(uuid4()), "key": str(uuid4()), "value": "other", "images": images} | changed


def become_expert(settings: Settings, role: str = "expert") -> None:
    with writing(settings) as session:
        session.execute(update(User).where(User.email == "ana@desk.example").values(role=role))


def test_a_batch_is_taken_and_what_is_left_out_is_named(desk: PageDesk, ana: Actor) -> None:
    one = row(desk)
    told = send(ana, {"revision": 1, "answers": [one]}).json["answers"][one["once"]]
    assert told == {"state": "stored", "stored": 1, "left": {"waiting": [desk.assets[0].asset_id]}}


@pytest.mark.parametrize(
    "changed",
    [
        {"once": "no UUID"},
        {"key": "7"},
        {"images": "img-1"},
        {"images": ["x"] * 501},
        {"value": "skip"},
        {"age": "nan"},
    ],
)
def test_what_is_no_batch_stores_nothing(desk: PageDesk, ana: Actor, changed: dict[str, Any]) -> None:
    assert send(ana, {"revision": 1, "answers": [row(desk, **changed)]}).status_code in {400, 422}
    assert desk.store.sent == []


def test_nobody_answers_a_question_without_a_queue(desk: PageDesk, owner: Actor) -> None:
    assert send(owner, {"revision": 1, "answers": [row(desk)]}).status_code == 403


def test_explore_has_the_bar_for_those_who_answer(ana: Actor, owner: Actor) -> None:
    assert BAR in ana.get("/explore").text
    page = owner.get("/explore").text
    assert BAR not in page
    assert "Send to a queue" in page


def test_of_several_questions_one_is_chosen_first_and_remembered(
    settings: Settings, desk: PageDesk, ana: Actor
) -> None:
    other = factories.add_attribute(settings, "romance")
    factories.add_queue(settings, other, desk.ana)
    page = ana.get("/explore").text
    assert "Choose a question to answer" in page
    assert "data-value" not in page
    assert BAR in ana.get("/explore?for=tender").text
    assert BAR in ana.get("/explore").text


def test_the_gallery_has_it_for_an_owner_who_answers(
    settings: Settings, desk: PageDesk, bo: Actor, owner: Actor
) -> None:
    scored.leave(settings, desk.attribute, desk.assets, [0.9] * len(desk.assets))
    page = "/attributes/tender/results"
    assert BAR in bo.get(page).text
    assert BAR not in owner.get(page).text


def test_an_expert_has_it_in_explore_and_sees_no_probability_there(
    settings: Settings, desk: PageDesk, ana: Actor
) -> None:
    scored.leave(settings, desk.attribute, desk.assets, [0.93] * len(desk.assets))
    become_expert(settings)
    page = ana.get("/explore").text
    assert BAR in page
    mosaic = page.partition("data-mosaic")[2].partition("</ul>")[0]
    assert "93" not in re.sub(r"(img|title)-\d+|/media/[^\"]+", "", mosaic)
    one = row(desk)
    assert send(ana, {"revision": 1, "answers": [one]}).json["answers"][one["once"]]["stored"] == 1
    assert BAR not in ana.get("/attributes/tender/results").text, "all images there have their answer"


@pytest.mark.parametrize("role", ["expert", "owner"])
def test_a_stopped_queue_takes_none(settings: Settings, desk: PageDesk, ana: Actor, role: str) -> None:
    become_expert(settings, role)
    with writing(settings) as session:
        session.execute(update(Queue).where(Queue.expert_id == desk.ana.id).values(stopped_at=now()))
    assert BAR not in ana.get("/explore").text
    assert send(ana, {"revision": 1, "answers": [row(desk)]}).status_code == 403


def test_there_is_no_bar_where_answers_cannot_be_stored(ana: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "is_available", lambda _: False)
    assert BAR not in ana.get("/explore").text
