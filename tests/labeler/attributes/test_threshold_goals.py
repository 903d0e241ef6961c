"""The precision or recall that an owner asks for: kept with the attribute, shown with what the run made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from attune.labeler.attributes import attributes, threshold_goals
from attune.labeler.attributes.threshold_goals import goal_of
from attune.labeler.cli.main import attune
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError, UnknownAttribute
from attune.models.probes.thresholds import Goal
from tests.support import factories


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = factories.workspace(tmp_path)
    factories.add_attribute(made)
    return made


def test_a_goal_is_kept_and_taken_back_and_a_learner_hears_of_it(settings: Settings) -> None:
    threshold_goals.set_goal(settings, "romance", Goal("precision", 0.9))
    with reading(settings) as session:
        romance = attributes.find(session, "romance")
    assert goal_of(romance) == Goal("precision", 0.9, 0.8)
    assert romance.answers_counter == 1
    threshold_goals.set_goal(settings, "romance", None)
    assert threshold_goals.goal_thresholds(settings, "romance").goal is None


def test_nobody_keeps_a_goal_for_an_attribute_that_is_not_there(settings: Settings) -> None:
    with pytest.raises(UnknownAttribute):
        threshold_goals.set_goal(settings, "serious", Goal("recall", 0.5))


def test_the_command_shows_where_the_line_is(settings: Settings) -> None:
    with reading(settings) as session:
        romance = attributes.find(session, "romance")
    told = {"name": "precision:romance", "value": 0.92, "lo": 0.85, "hi": 0.97, "n": 60, "method": "audit"}
    line = {"class": "romance", "goal": "precision 0.9", "probability": 0.71, "precision": told, "recall": told}
    factories.add_run(settings, romance, answers=90, advice={"lines": [{**line, "reason": ""}]})
    with reading(settings) as session:
        assert attributes.find(session, "romance").settings.get("threshold") is None
    ran = CliRunner().invoke(
        attune, ["attribute", "threshold", "romance", "--json", "--workspace", str(settings.workspace)]
    )
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.output)["lines"][0]["probability"] == 0.71
    threshold_goals.set_goal(settings, "romance", Goal("precision", 0.9))
    ran = CliRunner().invoke(attune, ["attribute", "threshold", "romance", "--workspace", str(settings.workspace)])
    assert "0.92" in ran.output
    both = ["attribute", "threshold", "romance", "--precision", ".9", "--clear", "--workspace", str(settings.workspace)]
    assert isinstance(CliRunner().invoke(attune, both).exception, DataError)
