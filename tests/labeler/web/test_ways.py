"""Single images or pages: where *Start labelling* leads, what the expert chooses, and who may."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from flask import Flask

from attune.labeler.settings import Settings
from tests.labeler.labelling.test_page_advice import PAGES_WIN
from tests.labeler.web.conftest import Actor
from tests.support import factories
from tests.support.page_desk import PageDesk

TENDER = "/attributes/tender"


@pytest.fixture
def desk(settings: Settings) -> PageDesk:
    made = PageDesk(settings, 2)
    factories.add_user(settings, "ana@desk.example", "expert", made.ana)
    factories.add_run(settings, made.attribute, answers=40, advice={"pages": asdict(PAGES_WIN)})
    return made


@pytest.fixture
def ana(app: Flask, desk: PageDesk) -> Actor:
    return Actor(app, "ana@desk.example")


def starts(ana: Actor) -> str:
    return ana.get(f"{TENDER}/label/start").location


def test_start_labelling_leads_where_the_planner_says_and_the_page_says_why(desk: PageDesk, ana: Actor) -> None:
    assert starts(ana) == f"{TENDER}/pages"
    page = ana.get(TENDER).text
    assert "Attune learns more per minute from pages" in page
    assert "Start with single images" in page
    assert (
        ana.get(f"{TENDER}/label/next").json["advice"].startswith("Right now, Attune learns more per minute from pag")
    )


def test_the_switch_is_remembered_until_the_expert_lets_attune_suggest(desk: PageDesk, ana: Actor) -> None:
    assert ana.send(f"{TENDER}/label/way", form=TENDER, way="single").location == f"{TENDER}/label"
    assert starts(ana) == f"{TENDER}/label"
    assert ana.get(f"{TENDER}/label/next").json["advice"] == ""
    page = ana.get(TENDER).text
    assert "You chose this." in page
    assert "learns more per minute" not in page
    assert ana.send(f"{TENDER}/label/way", form=TENDER, way="").location == TENDER
    assert starts(ana) == f"{TENDER}/pages"


def test_a_way_that_there_is_not_is_refused_with_what_was_expected(desk: PageDesk, ana: Actor) -> None:
    refused = ana.send(f"{TENDER}/label/way", form=TENDER, way="both")
    assert refused.status_code in {400, 422}
    assert "Expected single, page, or nothing" in refused.text
