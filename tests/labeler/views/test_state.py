"""Where an attribute stands and what comes next: one state and one step for every combination of facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attune.labeler.people.viewer import Viewer
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.views.state import (
    DIFFERS,
    LABELLING,
    PUBLISHED,
    SEEDING,
    SETTLED,
    UNDEFINED,
    Facts,
    advice,
    next_step,
    state,
)
from attune.labeler.web.next_steps import PAGES, POOL, SECTIONS

said = RunAdvice.from_dict
FACTS = Facts("romance", 2, 10, True, 100, 40, 7, None, RunAdvice())
OWNER, EXPERT = Viewer("owner", "olga"), Viewer("expert", "ana", 1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"last_run": None}, SEEDING),
        ({"answers": 0}, SEEDING),  # a probe made of phrases alone
        ({}, LABELLING),
        ({"advice": said({"state": "settled"})}, SETTLED),
        ({"champion": 3}, PUBLISHED),
        ({"champion": 3, "advice": said({"state": "settled"})}, PUBLISHED),
        ({"champion": 3, "advice": said({"state": "hopeless"})}, UNDEFINED),
        ({"champion": 3, "advice": said({"state": "outlier"})}, DIFFERS),
    ],
)
def test_one_state(change: dict[str, object], expected: str) -> None:
    assert state(replace(FACTS, **change)) == expected


@pytest.mark.parametrize(
    ("change", "command"),
    [
        ({"pool": 0, "experts": 0}, "attune assets add PATH"),
        ({"experts": 0}, "attune expert add EMAIL --attribute romance"),
        ({"open_tasks": 0}, "attune batch romance --size 40"),
        ({"advice": said({"state": "settled"})}, "attune probes promote romance 7 --reason '…'"),
        ({"champion": 3}, "attune pull romance@champion --to DIR"),
        ({"advice": said({"audits": {"trained": 90, "drawn": 4, "needed": 30}})}, None),
        ({"advice": said({"audits": {"trained": 110, "drawn": 6, "needed": 30}})}, "attune audit romance --size 60"),
        ({"advice": said({"audits": {"trained": 110, "drawn": 31, "needed": 30}})}, None),
        (
            {"advice": said({"state": "settled", "stop": False, "audits": {"drawn": 40}, "evidence": {"width": 0.4}})},
            "attune audit romance --size 60",
        ),
    ],
)
def test_an_owner_is_told_the_next_command(change: dict[str, object], command: str | None) -> None:
    step = next_step(replace(FACTS, **change), OWNER)
    assert step.command == command
    assert step.place in {"fill", "people", *SECTIONS, *PAGES, *POOL}, "one button"


def test_while_a_worker_makes_the_queues_nobody_is_sent_to_make_them() -> None:
    for change in ({"experts": 0, "open_tasks": 0}, {"open_tasks": 0}):
        step = next_step(replace(FACTS, filling=True, **change), OWNER)
        assert (step.place, step.command) == ("jobs", None)
    assert next_step(replace(FACTS, filling=True), OWNER) == next_step(FACTS, OWNER), "an ordinary run is no news"
    assert next_step(replace(FACTS, filling=True, pool=0), OWNER).command == "attune assets add PATH"


def test_every_combination_has_a_step_for_everybody() -> None:
    for run, champion, queue, pool, word in (
        (run, champion, queue, pool, word)
        for run in (None, 1)
        for champion in (None, 1)
        for queue in (True, False)
        for pool in (0, 1)
        for word in ("", "settled", "hopeless", "a word of a later version")
    ):
        facts = replace(
            FACTS, last_run=run, champion=champion, own_queue=queue, pool=pool, advice=said({"state": word})
        )
        for viewer in (OWNER, EXPERT):
            assert next_step(facts, viewer).text.endswith(".")


def test_an_expert_is_sent_to_their_own_queue_or_to_the_owner() -> None:
    assert next_step(FACTS, EXPERT).place == "queue"
    assert "Ask an owner" in next_step(replace(FACTS, own_queue=False), EXPERT).text
    assert next_step(replace(FACTS, advice=said({"state": "hopeless"})), EXPERT).place == "disputed"
    differs = replace(FACTS, advice=said({"state": "outlier"}))
    assert next_step(differs, EXPERT).place == "disputed"
    assert "definition" not in next_step(differs, OWNER).text
    assert next_step(differs, OWNER).place == "experts"


def test_while_experts_answer_an_owner_can_ask_them_to_or_answer_too() -> None:
    assert next_step(replace(FACTS, own_queue=False), OWNER).place == "ask"
    assert next_step(replace(FACTS, own_queue=False, answers=0), OWNER).place == "ask"
    assert next_step(FACTS, OWNER).place == "queue"


def test_advice_is_read_with_its_evidence_whatever_its_form() -> None:
    assert advice(said({})) is None
    evidence = {"alpha": 0.0412, "n": 3, "movement": None}
    assert advice(said({"advice": "Stop.", "evidence": evidence})).evidence == (
        "the experts' agreement (alpha) is 0.04",
        "n: 3",
    )
    assert advice(said({"text": "Stop.", "evidence": "because"})).evidence == ("because",)


@pytest.mark.parametrize(
    ("change", "place", "says"),
    [
        ({"answers": 0, "last_run": None}, "people", "Give an expert a queue."),
        ({}, "people", "so that labelling goes on"),
        ({"advice": said({"state": "settled"})}, "review", "Review the new version"),
        ({"advice": said({"state": "settled"}), "unanswered": ("romance",)}, "review", "Review the new version"),
        ({"champion": 3}, "champion", "See what the version in use finds"),
    ],
)
def test_without_an_open_queue_the_step_follows_what_is_there(
    change: dict[str, object], place: str | None, says: str
) -> None:
    step = next_step(replace(FACTS, experts=0, open_tasks=0, **change), OWNER)
    assert (step.place, says in step.text) == (place, True)


def test_a_question_that_checks_a_feature_leads_to_what_people_said_of_it() -> None:
    done = replace(FACTS, open_tasks=0, answers=60, checks="faces", own_queue=False)
    step = next_step(done, OWNER)
    assert (step.place, step.command) == ("feature", "attune features show faces")
    assert next_step(replace(done, checks=""), OWNER).place == "fill"
    assert next_step(replace(done, answers=0), OWNER).place == "fill", "nobody was asked yet"
