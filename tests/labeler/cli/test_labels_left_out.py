"""Answers that count nowhere, as they are listed, told of and given a meaning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from attune.labeler.answers import uncounted
from attune.labeler.answers.annotation_values import Seen
from attune.labeler.cli.main import attune
from attune.labeler.notices import notices, rules
from attune.labeler.records.schema import Notice
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.support import factories


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = factories.workspace(tmp_path / "workspace")
    attribute, expert = factories.add_attribute(made), factories.add_expert(made)
    queue = factories.add_queue(made, attribute, expert)
    said = [("Romance!", uncounted.UNKNOWN_CLASS), ("neither", uncounted.UNKNOWN_AUTHOR)]
    with writing(made) as session:
        for number, (value, reason) in enumerate(said, 1):
            seen = Seen(number, number, f"img-{number}", value, 99, now(), now(), None)
            uncounted.keep(session, attribute.id, expert.id, queue.project, seen, reason)
    return made


def run(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(attune, [*words, "--workspace", str(settings.workspace)], catch_exceptions=True)


def test_they_are_listed_with_the_reason(settings: Settings) -> None:
    found = json.loads(run(settings, "labels", "left-out", "romance", "--json").stdout)["answers"]
    assert [(one["asset_id"], one["value"], one["reason"], one["author"]) for one in found] == [
        ("img-2", "neither", "unknown author", "user 99"),
        ("img-1", "Romance!", "unknown class", "user 99"),
    ]
    assert all(one["todo"] for one in found)


@pytest.mark.parametrize(("called", "means"), [("Romance!", "passion"), ("neither", "romance")])
def test_a_meaning_that_cannot_be_is_refused(settings: Settings, called: str, means: str) -> None:
    refused = run(settings, "labels", "read-as", "romance", called, means)
    assert refused.exit_code != 0
    assert uncounted.of(settings)[1].value == "Romance!"


def test_those_who_manage_are_told_once_a_day_for_each_reason(settings: Settings) -> None:
    rules.watch(settings)
    rules.watch(settings)
    with reading(settings) as session:
        kinds = [one.kind for one in session.scalars(select(Notice)) if one.kind == notices.LEFT_OUT]
    assert kinds == [notices.LEFT_OUT] * 2
