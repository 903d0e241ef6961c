"""The job `learn` where answers come faster than it learns: others have their turn, and no answer is left out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as NoConnection
from sqlalchemy import update

from attune.labeler.answers import ingest
from attune.labeler.jobs import jobs
from attune.labeler.jobs.learn_lease import acquire_lease
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.queues import chosen_first, queues
from attune.labeler.records.schema import Attribute
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.workers.jobs import learn
from tests.support.factories import add_attribute, workspace

ROUND_SECONDS = 2.0
ANSWERED = 70  # times in the middle of a round


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, list[str]]:
    """Settings of a workspace with a question that is answered in the middle of each of its first rounds, and what was
    done beside the rounds.
    """
    settings, done = workspace(tmp_path), list[str]()
    attribute = add_attribute(settings)
    left = iter(range(ANSWERED))

    def one_round(*_: object) -> tuple[dict[str, Any], int, Callable[[], None]]:
        with reading(settings) as session:
            before = session.get_one(Attribute, attribute.id).answers_counter
        if next(left, None) is not None:
            with writing(settings) as session:
                session.execute(update(Attribute).values(answers_counter=before + 1))
        return {"state": "learned"}, before, lambda: done.append("afterwards")

    clock = count(0.0, ROUND_SECONDS)
    monkeypatch.setattr(learn.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(learn, "one_round", one_round)
    monkeypatch.setattr(LabelStudio, "connect", lambda *_: None)
    monkeypatch.setattr(queues, "ensure", lambda *_: None)
    monkeypatch.setattr(chosen_first, "hand_out", lambda *_: None)
    monkeypatch.setattr(ingest, "ask_to_learn", lambda _, name: done.append(f"ask for {name}"))
    return settings, done


def rounds(settings: Settings) -> int:
    return int(learn.run(settings, jobs.quiet, "romance")["rounds"])


def test_a_learner_whose_answers_never_end_lets_those_go_first_who_wait(
    asked: tuple[Settings, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two questions that were answered faster than a round takes held both workers, and nothing else was read."""
    settings, done = asked
    monkeypatch.setattr(jobs, "waiting", lambda _: {"hints": 1, "learn": 0})
    assert rounds(settings) == 3, "after more than five seconds"
    assert done == ["afterwards", "ask for romance"], "the next round's figures come after this one's"
    with reading(settings) as session:
        attribute = session.query(Attribute).one()
    assert attribute.learned_counter < attribute.answers_counter
    assert acquire_lease(settings, attribute.id) is not None, "the job that follows can begin"


@pytest.mark.parametrize("redis_is_there", [True, False])
def test_where_no_one_waits_it_goes_round_again(
    asked: tuple[Settings, list[str]], monkeypatch: pytest.MonkeyPatch, redis_is_there: bool
) -> None:
    settings, done = asked

    def waiting(_: Settings) -> dict[str, int]:
        if not redis_is_there:
            raise NoConnection
        return dict.fromkeys(jobs.QUEUES, 0) | {"embed": 3}

    monkeypatch.setattr(jobs, "waiting", waiting)
    assert rounds(settings) == learn.MOST_ROUNDS
    assert rounds(settings) == ANSWERED - learn.MOST_ROUNDS + 1
    assert done == ["afterwards", "ask for romance", "afterwards"]
