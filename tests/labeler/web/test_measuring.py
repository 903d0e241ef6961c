"""Owners measure and draw the line from an attribute's page; the round that follows is asked for."""

from __future__ import annotations

from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.attributes.threshold_goals import goal_of
from attune.labeler.records.schema import Attribute, Expert, Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.probes.thresholds import Goal
from tests.labeler.web.conftest import Actor
from tests.support import factories

PAGE = "/attributes/romance"
TAB = "/attributes/romance/manage"


def held(settings: Settings) -> Attribute:
    with reading(settings) as session:
        return attributes.find(session, "romance")


def test_a_batch_is_asked_for_and_a_round_with_it(
    owner: Actor, settings: Settings, romance: Attribute, ana: Expert
) -> None:
    factories.add_queue(settings, romance, ana)
    with writing(settings) as session:
        attributes.find(session, "romance").settings = {"seed": 1, "reserved_share": 0.2, "strategy": "attune"}
    assert "Request 60 audit answers" in owner.get(TAB).text
    assert owner.send(PAGE + "/audit", form=TAB, size="60").status_code == 302
    assert held(settings).settings["audits"] == {"extra": 60, "experts": [], "coming": 0}
    with reading(settings) as session:
        jobs = session.scalars(select(Job).where(Job.kind == "learn", Job.subject == "romance")).all()
    assert len(jobs) == 1
    assert "60 audit answers requested" in owner.get(TAB).text
    for size in ("", "many", "100000"):
        owner.send(PAGE + "/audit", form=TAB, size=size)
        assert "Expected 1 to 1000" in owner.get(TAB).text
    assert held(settings).settings["audits"]["extra"] == 60


def test_a_line_is_asked_for_refused_and_taken_back(owner: Actor, settings: Settings, romance: Attribute) -> None:
    owner.send(PAGE + "/threshold", form=TAB, figure="recall", value="0.8")
    assert goal_of(held(settings)) == Goal("recall", 0.8)
    assert "recall at least 0.8" in owner.get(TAB).text
    for figure, value, says in (("recall", "often", "is not a number"), ("speed", "0.5", "is not a possible goal")):
        owner.send(PAGE + "/threshold", form=TAB, figure=figure, value=value)
        assert says in owner.get(TAB).text
    assert goal_of(held(settings)) == Goal("recall", 0.8)
    owner.send(PAGE + "/threshold", form=TAB, figure="recall", value="0.8", clear="yes")
    assert goal_of(held(settings)) is None


def test_audited_images_that_measure_nothing_are_told(owner: Actor, settings: Settings, romance: Attribute) -> None:
    tied = {"undecided": factories.metric("undecided", 0.1, n=40)}
    factories.add_run(
        settings,
        romance,
        90,
        0.8,
        metrics=tied | {"average_precision": factories.metric("average_precision", 0.8, n=36)},
    )
    page = owner.get(TAB).text
    assert "4 more audit images cannot be used" in page.replace("'", "&#39;")


def test_experts_see_neither(expert: Actor, settings: Settings, romance: Attribute) -> None:
    assert expert.get(TAB).status_code == 403
    page = expert.get(PAGE).text + expert.get(PAGE + "/results").text
    assert 'id="h-measure"' not in page
    assert 'id="h-line"' not in page
