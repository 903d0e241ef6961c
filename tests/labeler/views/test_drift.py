"""What an owner is told of a drift, in each state, on the page, by the API and as a drawing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Version
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.labeler.views import drift
from attune.labeler.web.app import create_app
from attune.labeler.web.svg.drift_histograms import histograms
from attune.models.errors import UnknownAttribute
from tests.labeler.catalog import worlds
from tests.labeler.web.conftest import Actor
from tests.support import factories


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = worlds.filled(tmp_path / "workspace")
    worlds.add_assets(made, 300)
    return made


def published(settings: Settings, name: str = "romance") -> None:
    promote(settings, Move(name, 1, "r", "ana"))
    jobs.run_here(settings, "score", attribute=name, version=1)


def alarm(settings: Settings, names: list[str]) -> None:
    with writing(settings) as session:
        row = session.query(Version).one()
        held = dict(row.scores["drift"])
        row.scores = row.scores | {"drift": held | {"alarm": {"at": held["at"], "classes": names}}}


def test_each_state_says_where_it_stands(settings: Settings) -> None:
    assert drift.drift(settings, "romance").state == "unpublished"
    published(settings)
    worlds.add_assets(settings, 40, first=300)
    waiting = drift.drift(settings, "romance")
    assert (waiting.state, waiting.added, waiting.published_on) == ("waiting", 40, 300)
    jobs.run_here(settings, "drift", attribute="romance")
    few = drift.drift(settings, "romance")
    assert (few.state, few.shifts) == ("few", [])
    assert "100 new images of 30 titles" in few.sentence
    worlds.add_assets(settings, 110, first=340)
    jobs.run_here(settings, "drift", attribute="romance", look=True)
    steady = drift.drift(settings, "romance")
    assert (steady.state, [shift.name for shift in steady.shifts]) == ("steady", list(worlds.CLASSES["romance"]))
    assert str(steady.n) in steady.sentence
    assert "No drift" in steady.sentence
    alarm(settings, ["friendship"])
    told = drift.drift(settings, "romance")
    assert told.state == "drifted"
    assert "friendship" in told.sentence
    assert told.audit_command == "attune audit romance --size 60"
    with pytest.raises(UnknownAttribute):
        drift.drift(settings, "romanze")


@pytest.mark.parametrize("state", ["steady", "moved"])
def test_a_look_at_some_of_the_new_images_says_how_many(state: drift.State) -> None:
    whole = drift.Drift("romance", state, 1, 300, 20_000, 20_000, 900)
    assert "drawn evenly" not in whole.sentence
    assert "30000 new images (20000 of them, drawn evenly)" in replace(whole, added=30_000, n=30_000).sentence


def test_images_that_score_otherwise_are_never_told_as_steady(settings: Settings) -> None:
    published(settings)
    worlds.add_assets(settings, 120, first=300)
    jobs.run_here(settings, "drift", attribute="romance", look=True)
    with writing(settings) as session:  # as the figures stand when an owner asks before the schedule has looked
        row = session.query(Version).one()
        held = dict(row.scores["drift"])
        far = [shift | {"psi": 3.0, "p_value": 0.0} for shift in held["shifts"]]
        row.scores = row.scores | {"drift": held | {"shifts": far}}
    told = drift.drift(settings, "romance")
    assert told.state == "moved"
    assert "no alarm" in told.sentence


def test_the_drawing_lies_within_its_frame_and_both_shapes_stand_on_the_floor(settings: Settings) -> None:
    published(settings)
    worlds.add_assets(settings, 120, first=300)
    jobs.run_here(settings, "drift", attribute="romance")
    for pair in histograms(drift.drift(settings, "romance").shifts):
        for chart in pair:
            for outline in (chart.before, chart.after):
                places = [(float(x), float(y)) for x, y in re.findall(r"([\d.-]+) ([\d.-]+)", outline)]
                assert all(0 <= x <= chart.width and 0 <= y <= chart.floor for x, y in places)
                assert places[0][1] == places[-1][1] == chart.floor
            assert all(0 <= tick.at <= chart.width for tick in chart.ticks)


def test_owners_see_it_on_the_page_and_by_the_api_and_experts_do_not(settings: Settings) -> None:
    published(settings)
    worlds.add_assets(settings, 120, first=300)
    jobs.run_here(settings, "drift", attribute="romance", look=True)
    alarm(settings, ["romance"])
    ana = factories.add_expert(settings, "ana@example.org")
    factories.add_user(settings, "ana@example.org", "expert", ana)
    factories.add_user(settings, "olga@example.org", "owner")
    app = create_app(settings)
    owner, expert = Actor(app, "olga@example.org"), Actor(app, "ana@example.org")
    page = owner.get("/attributes/romance/versions").text
    assert "Stability index" in page
    assert "Request 60 audit answers" in page
    assert "Stability index" not in expert.get("/attributes/romance").text
    told = owner.get("/api/v1/drift/romance").json
    assert (told["state"], told["n"], len(told["classes"])) == ("drifted", 120, 3)
    assert expert.get("/api/v1/drift/romance").status_code == 403
