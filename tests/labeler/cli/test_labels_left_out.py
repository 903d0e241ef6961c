"""Answers that count nowhere, as they are listed, told of and given a meaning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from attune.labeler.answers import annotation_values, uncounted
from attune.labeler.answers.annotation_values import ReadAnnotation
from attune.labeler.cli.main import attune
from attune.labeler.notices import notices, rules
from attune.labeler.records.schema import Notice, Stray
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.support import factories

PART = {"from_name": "label", "to_name": "image", "type": "choices"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = factories.workspace(tmp_path / "workspace")
    attribute, expert = factories.add_attribute(made), factories.add_expert(made)
    queue = factories.add_queue(made, attribute, expert)
    said = [("Romance!", uncounted.UNKNOWN_CLASS), ("neither", uncounted.UNKNOWN_AUTHOR)]
    with writing(made) as session:
        for number, (value, reason) in enumerate(said, 1):
            seen = ReadAnnotation(number, number, f"img-{number}", value, 99, now(), now(), None)
            uncounted.record_uncounted(session, attribute.id, expert.id, queue.project, seen, reason)
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


def test_an_answer_gives_a_terminal_no_commands(settings: Settings) -> None:
    """Also one that was kept before it was read so."""
    said = "\x1b]0;mine\x07\x1b[2J\x9b31mred"
    with writing(settings) as session:
        session.scalars(select(Stray).where(Stray.value == "Romance!")).one().value = said
    told = run(settings, "labels", "left-out", "romance").stdout
    assert "[2J" in told
    assert not {"\x1b", "\x07", "\x9b"} & set(told)


def test_what_an_answer_says_is_read_without_control_characters() -> None:
    at = "2026-03-01T12:00:00Z"
    one = {"id": 1, "created_at": at, "updated_at": at, "completed_by": 2}
    for choices in (["a\x1b[31m\nb"], ["a\x1b[31m\nb", "c"]):
        seen = annotation_values.read(one | {"result": [PART | {"value": {"choices": choices}}]}, 1, {}, ["yes"])
        assert seen.wrong
        assert seen.value.startswith("a�[31m�b")


@pytest.mark.parametrize(("called", "means"), [("Romance!", "passion"), ("neither", "romance")])
def test_a_meaning_that_cannot_be_is_refused(settings: Settings, called: str, means: str) -> None:
    refused = run(settings, "labels", "read-as", "romance", called, means)
    assert refused.exit_code != 0
    assert uncounted.uncounted_answers(settings)[1].value == "Romance!"


def test_those_who_manage_are_told_once_a_day_for_each_reason(settings: Settings) -> None:
    rules.watch(settings)
    rules.watch(settings)
    with reading(settings) as session:
        kinds = [one.kind for one in session.scalars(select(Notice)) if one.kind == notices.LEFT_OUT]
    assert kinds == [notices.LEFT_OUT] * 2
