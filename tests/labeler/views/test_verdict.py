"""The verdict of a review: every combination of what is known, once, and never a push towards what is not better."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from attune.labeler.catalog.gate_outcomes import Gate
from attune.labeler.views.quality import Quality
from attune.labeler.views.verdict import Compared, verdict

KNOWN = Quality(0.8, 0.7, 0.87, 60)
BETTER = Quality(0.1, 0.04, 0.16, 60)
WORSE = Quality(-0.1, -0.16, -0.04, 60)
SAME = Quality(0.01, -0.06, 0.08, 60)
WIDE = Quality(0.05, -0.2, 0.3, 60)
FEW = Quality(0.05, -0.05, 0.1, 12)
UNKNOWN = Quality(n=4, reason="at least 10 audit answers are needed, there are 4")


def gate(name: str = "audit_answers", passed: bool | None = True, bound: float = 30, **more: Any) -> Gate:
    return Gate(name, passed, 60.0, bound, more.pop("enforced", False), "", **more)


def compared(**change: Any) -> Compared:
    fields: dict[str, Any] = {
        "candidate": 4, "champion": 1, "retired": False, "quality": KNOWN, "difference": BETTER,
        "gates": [gate()], "incomparable": "", "answered": 60,
    }  # fmt: skip
    return Compared(**fields | change)


FIRST = {"champion": None, "difference": None}


def test_counts_that_disagree_with_the_difference_are_explained() -> None:
    disagree = "These counts and the ranking disagree"
    assert disagree in verdict(compared(changed=(2, 9))).why
    assert disagree in verdict(compared(difference=WORSE, changed=(9, 2))).why
    assert disagree not in verdict(compared(changed=(9, 2))).why
    assert disagree not in verdict(compared(difference=WORSE, changed=(2, 9))).why


@pytest.mark.parametrize(
    ("change", "kind", "sentence", "promotes", "ask"),
    [
        ({}, "better", "New version 4 is better than the version in use.", True, 0),
        ({"version": True}, "better", "Version 4 is better than the version in use.", True, 0),
        ({"champion": 9}, "better", "Version 4 is older, but better than the version in use.", False, 0),
        ({"champion": 4}, "champion", "Version 4 is in use.", False, 0),
        ({"difference": WORSE}, "worse", "New version 4 is worse than the version in use.", False, 0),
        ({"difference": SAME}, "same",
         "No measurable difference between new version 4 and the version in use.", False, 0),
        ({"difference": FEW, "answered": 12}, "more", "Not enough audit answers to tell. Request 18 more.", False, 18),
        ({"difference": UNKNOWN, "answered": 4}, "more",
         "Not enough audit answers to tell. Request 26 more.", False, 26),
        ({"difference": UNKNOWN}, "more", "Not enough audit answers to tell. Request 30 more.", False, 30),
        ({"difference": None, "answered": 0}, "more", "Not enough audit answers to tell. Request 30 more.", False, 30),
        ({"incomparable": "other classes"}, "unknown",
         "New version 4 cannot be compared with the version in use.", False, 0),
        (FIRST, "good", "New version 4 is good enough to be used.", True, 0),
        ({**FIRST, "gates": [gate("calibration", False)]}, "weak", "New version 4 is not good enough yet.", False, 0),
        ({**FIRST, "gates": [gate(passed=False, bound=90)]}, "more",
         "Not enough audit answers to tell. Request 30 more.", False, 30),
        ({**FIRST, "quality": UNKNOWN, "answered": 4}, "more",
         "Not enough audit answers to tell. Request 26 more.", False, 26),
        ({**FIRST, "quality": UNKNOWN, "incomparable": "other classes"}, "unknown",
         "The quality of new version 4 is unknown.", False, 0),
    ],
)  # fmt: skip
def test_each_case_has_its_sentence(change: dict[str, Any], kind: str, sentence: str, promotes: bool, ask: int) -> None:
    found = verdict(compared(**change))
    assert (found.kind, found.sentence, found.promotes, found.ask) == (kind, sentence, promotes, ask)
    assert found.why.endswith(".")


def test_nothing_that_is_older_or_not_better_or_stopped_is_pushed() -> None:
    """Every combination: a promotion is what to do next only for a better, or a first and good, run."""
    stopping = gate("calibration", False, enforced=True)
    differences = (BETTER, WORSE, SAME, WIDE, FEW, UNKNOWN, None)
    for champion, retired, difference, gates, quality, why in itertools.product(
        (None, 1, 4, 9), (False, True), differences, ([gate()], [gate(), stopping]), (KNOWN, UNKNOWN), ("", "gone")
    ):
        found = verdict(
            compared(
                champion=champion, retired=retired, difference=None if champion in (None, 4) else difference,
                gates=gates, quality=quality, incomparable=why,
            )
        )  # fmt: skip
        better = champion == 1 and difference is BETTER and not why
        first = champion is None and quality is KNOWN
        assert found.promotes == ((better or first) and not retired and gates == [gate()]), found
        assert found.sentence.endswith(".")
        assert found.sentence.count(".") <= 2
        if not found.promotes and found.kind != "champion" and not retired:
            assert found.anyway, f"what a promotion means is said: {found}"


def test_a_gate_that_stops_a_better_run_is_named_in_the_sentence() -> None:
    stopping = gate("calibration", False, enforced=True)
    found = verdict(compared(gates=[gate(), stopping]))
    assert found.sentence == "New version 4 is better than the version in use, but an enforced gate stops it."
    found = verdict(compared(gates=[stopping, stopping]))
    assert found.sentence == "New version 4 is better than the version in use, but enforced gates stop it."


def test_a_wide_interval_asks_for_as_many_as_narrow_it() -> None:
    found = verdict(compared(difference=WIDE))
    assert found.kind == "more"
    assert found.ask == 120, "an interval of .5 on 60 answers is a long way from .2, which is gone step by step"
    near = verdict(compared(difference=Quality(0.0, -0.12, 0.13, 60))).ask
    assert near % 10 == 0
    assert 0 < near < 100


def test_what_waits_is_not_asked_for_twice_and_no_more_than_is_left() -> None:
    few = {"difference": FEW, "answered": 12}
    assert verdict(compared(**few, waiting=8)).ask == 10
    waits = verdict(compared(**few, waiting=20))
    assert (waits.ask, waits.sentence) == (
        0,
        "Not enough audit answers to tell. Wait until the experts have answered.",
    )
    assert "20 audit tasks are open." in waits.why
    assert verdict(compared(**few, left=5)).ask == 5
    assert "Only 5 reserved images are left." in verdict(compared(**few, left=5)).why
    none_left = verdict(compared(**few, left=0))
    assert none_left.ask == 0
    assert "add images" in none_left.why


def test_the_reason_tells_the_difference_its_interval_and_what_it_rests_on() -> None:
    assert "higher by 0.10 (+0.04 to +0.16, on the same 60 audit answers)" in verdict(compared()).why
    assert "lower by 0.10 (\u22120.16 to \u22120.04" in verdict(compared(difference=WORSE)).why
    assert "at least 10 audit answers" in verdict(compared(difference=UNKNOWN)).why
    repaired = verdict(compared(changed=(13, 3))).why
    assert repaired.startswith("It gets 13 audited images right that version 1 gets wrong, and 3 wrong that version 1")
    assert "0.10" in repaired, "the figure stays beside them"
    assert "and none wrong that" in verdict(compared(changed=(1, 0))).why
    assert "the same audited images as version 1" in verdict(compared(difference=SAME, changed=(0, 0))).why
    unclear = [gate(), gate("agreement", None)]
    assert "1 gate passed and none failed, 1 is unknown." in verdict(compared(**FIRST, gates=unclear)).why
    assert "retired" in verdict(compared(retired=True)).why
