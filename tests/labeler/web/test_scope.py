"""The page of scoping: what each person gets of it, what a press stores, and what it refuses."""

from __future__ import annotations

import re
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from attune.labeler.answers import ingest
from attune.labeler.attributes import attributes
from attune.labeler.label_studio import grid_project
from attune.labeler.labelling import availability, take_chosen
from attune.labeler.records.session import reading
from attune.labeler.scope import groups
from attune.labeler.scope.groups import ROUND, Groups
from attune.labeler.settings import Settings
from tests.labeler.web.conftest import TOKEN, Actor
from tests.support import factories
from tests.support.page_desk import PageDesk

SCOPE = "/attributes/tender/scope"


@pytest.fixture
def desk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> PageDesk:
    """Ana's and Bo's first pages wait; of the 156 images between them there are groups of 12."""
    made, numbers = PageDesk(settings, 1), count(800)
    monkeypatch.setattr(take_chosen, "label_studio", lambda _: made.store)
    monkeypatch.setattr(availability, "is_available", lambda _: True)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
    monkeypatch.setattr(grid_project, "add", lambda *_: next(numbers))
    factories.add_user(settings, "ana@desk.example", "expert", made.ana)
    more = factories.add_assets(settings, 6 * (ROUND + 1))
    kept = [[one.id for one in more[start : start + 6]] for start in range(0, len(more), 6)]
    groups.save(settings, made.attribute.id, Groups(1, 1, 0, kept))
    return made


@pytest.fixture
def ana(app: Flask, desk: PageDesk) -> Actor:
    return Actor(app, "ana@desk.example")


def shown(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('name="shown" value="')[1:]]


def press(actor: Actor, said: str, *ticked: int, **fields: Any) -> Any:
    """Answer the group that the page shows."""
    page = actor.get(f"{SCOPE}?more=1").text
    names, token = shown(page), TOKEN.search(page)
    assert token
    data = {"csrf_token": token.group(1), "revision": "1", "once": str(uuid4()), "said": said, "shown": names}
    return actor.client.post(SCOPE, data=data | {"ticked": [names[place] for place in ticked]} | fields)


def test_a_group_is_answered_and_the_next_one_comes(ana: Actor) -> None:
    first = ana.get(SCOPE).text
    assert "Group 1" in first
    assert press(ana, "ticked", 1, 2).status_code == 302
    second = ana.get(SCOPE).text
    assert "Group 2" in second
    assert shown(second) != shown(first)
    assert "Decided so far" in second
    assert "Add " not in second, "an expert makes no revision"


def test_an_expert_reads_nothing_of_a_probe_or_of_audits(ana: Actor) -> None:
    page = ana.get(SCOPE).text.casefold()
    assert not any(word in page for word in ("probe", "audit", "probabil", "reserved", "%"))


def test_after_ten_groups_the_owner_adds_them_to_the_definition(
    settings: Settings, desk: PageDesk, owner: Actor
) -> None:
    for _ in range(ROUND):
        assert press(owner, "all").status_code == 302
    page = owner.get(SCOPE).text
    assert "You have decided 10 groups" in page
    assert shown(page) == []
    assert shown(owner.get(f"{SCOPE}?more=1").text) != []
    keys = re.findall(r'name="decision" value="(\d+)" form="write" checked', page)
    assert len(keys) == ROUND, "each is seen before it is added"
    done = owner.send(f"{SCOPE}/write", SCOPE, revision="1", decision=keys[1:])
    assert done.location == "/attributes/tender"
    with reading(settings) as session:
        assert len(attributes.find(session, "tender").in_scope) == 2 * (ROUND - 1)
    assert "No groups yet" in owner.get(SCOPE).text, "the next run makes them for the new revision"


def test_the_api_lists_decisions_for_who_manages(ana: Actor, owner: Actor) -> None:
    press(ana, "ticked", 1, 2, note="Two hands")
    press(owner, "skip")
    answer = owner.get("/api/v1/scope/tender").json
    (one,) = answer["decisions"]
    assert (one["who"], one["said"], one["note"], one["has_left"]) == ("ana@desk.example", "ticked", "Two hands", False)
    assert (len(one["counts"]), len(one["does_not_count"]), one["revision"]) == (2, 4, None)
    assert (answer["total"], answer["question_revision"]) == (1, 1)
    assert ana.get("/api/v1/scope/tender").status_code == 403


def test_a_note_stands_as_text(ana: Actor) -> None:
    press(ana, "none", note="<script>alert(1)</script>")
    assert "<script>alert" not in ana.get(SCOPE).text


def test_undo_brings_the_group_back(ana: Actor) -> None:
    first = shown(ana.get(SCOPE).text)
    press(ana, "all")
    page = ana.get(SCOPE).text
    address = page.partition(f'action="{SCOPE}/')[2].partition('"')[0]
    assert ana.send(f"{SCOPE}/{address}", SCOPE).status_code == 302
    again = ana.get(SCOPE).text
    assert "The decision is taken back." in again
    assert "Group 1" in again
    assert shown(again) == first


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"once": "no UUID"}, 400, ""),
        ({"revision": ""}, 400, ""),
        ({"said": "ticked"}, 302, "No image is ticked."),
        ({"said": "perhaps"}, 302, "is no decision"),
        ({"revision": "9"}, 302, "The question was changed"),
        ({"shown": ["no-such-image"]}, 302, "This group was decided in the meantime"),
    ],
)
def test_what_is_no_decision_is_said_and_not_stored(ana: Actor, fields: dict[str, str], status: int, said: str) -> None:
    assert press(ana, **{"said": "all"} | fields).status_code == status
    page = ana.get(SCOPE).text
    assert said in page
    assert "Group 1" in page


def test_answers_that_did_not_come_through_are_told_and_sent_again(desk: PageDesk, ana: Actor) -> None:
    desk.store.away = True
    press(ana, "all")
    desk.store.away = False
    page = ana.get(SCOPE).text
    assert "Your answers are not stored yet." in page
    (once,) = re.findall(r'name="once" value="([^"]+)"><span>', page)
    ana.send(SCOPE, SCOPE, revision="1", once=once)
    page = ana.get(SCOPE).text
    assert "Your answers are not stored yet." not in page
    assert "Group 2" in page


def test_who_has_no_queue_and_manages_nothing_is_turned_away(app: Flask, settings: Settings, desk: PageDesk) -> None:
    eve = factories.add_expert(settings, "eve@desk.example")
    factories.add_user(settings, eve.email, "expert", eve)
    assert Actor(app, eve.email).get(SCOPE).status_code == 403


def test_the_page_speaks_the_experts_language(ana: Actor) -> None:
    assert "Gruppe 1" in ana.get(SCOPE, headers={"Accept-Language": "de"}).text


def test_the_question_links_to_it_for_those_who_may(app: Flask, settings: Settings, ana: Actor, owner: Actor) -> None:
    for one in (ana, owner):
        assert f'href="{SCOPE}"' in one.get("/attributes/tender").text
