"""Experts on the audit: one who answers otherwise is seen, chance is not called one, and the careful are not blamed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.labels.disagreeing_experts import AuditAnswer, agreement_with_probe, differing_expert

YES, NO = 1, 0
Eyes = Sequence[float | int]  # a float: how often the expert errs; an int: the class said always


def campaign(
    eyes: Eyes, audits: int, seed: int = 0, probe_errs: float = 0.05, says: int | None = None
) -> list[AuditAnswer]:
    """Audits dealt by chance; a quarter of the images are positive. ``says``: a probe that knows one class."""
    rng = np.random.default_rng([seed, audits])
    found = []
    for _ in range(audits):
        truth, seat = int(rng.random() < 0.25), int(rng.integers(len(eyes)))
        eye = eyes[seat]
        said = eye if isinstance(eye, int) else truth ^ int(rng.random() < eye)
        predicted = truth ^ int(rng.random() < probe_errs) if says is None else says
        found.append(AuditAnswer(f"e{seat}", said, predicted))
    return found


def test_one_who_guesses_among_careful_ones_is_named_with_some_thirty_audits_each() -> None:
    named = [differing_expert(campaign((0.04, 0.06, 0.5), 105, seed), 2) for seed in range(20)]
    assert [one.expert for one in named if one] == ["e2"] * len([one for one in named if one])
    assert sum(one is not None for one in named) >= 17
    odd = next(one for one in named if one and one.what is None)
    assert odd.share > 0.3
    assert odd.others < 0.15


def test_one_who_always_says_no_is_named_and_the_careful_are_not_blamed_for_a_probe_that_leans_to_no() -> None:
    """By the probe alone the careful one was named in every campaign, and the other never."""
    for says in (None, NO):
        named = [differing_expert(campaign((0.05, 0.05, NO), 200, seed, says=says), 2) for seed in range(20)]
        who = [one.expert for one in named if one]
        assert who.count("e2") >= 15
        assert len(who) - who.count("e2") <= 2
    assert all(one.what == 0 and one.share == 1 for one in named if one and one.expert == "e2")


def test_somebody_with_a_few_audits_hides_nobody() -> None:
    answers = campaign((0.04, 0.06, 0.5), 200, seed=1)
    assert differing_expert(answers, 2) is not None
    new = [AuditAnswer("new", YES, NO)] * 3
    odd = differing_expert([*answers, *new], 2)
    assert odd is not None
    assert odd.expert == "e2"


@pytest.mark.parametrize(
    ("eyes", "audits"),
    [
        ((0.05,), 100),  # nobody to compare with
        ((0.05, 0.5), 200),  # of two nobody knows which is odd
        ((0.05, 0.05, 0.5), 24),  # too few
        ((0.05, 0.05, 0.12), 400),  # a matter of taste
    ],
)
def test_nobody_is_named_without_a_clear_difference(eyes: Eyes, audits: int) -> None:
    assert differing_expert(campaign(eyes, audits), 2) is None


def test_nobody_is_named_for_a_probe_that_contradicts_everybody_or_before_any_answer() -> None:
    assert differing_expert(campaign((0.05, 0.05, 0.06), 300, probe_errs=0.5), 2) is None
    assert differing_expert([], 2) is None
    assert agreement_with_probe([]) == {}


def test_who_joins_late_and_answers_other_images_is_not_called_odd() -> None:
    """What is drawn follows the probe: later audits hold more positives than earlier ones."""
    rng = np.random.default_rng(0)
    early = [AuditAnswer(f"e{i % 3}", int(truth), int(truth)) for i, truth in enumerate(rng.random(90) < 0.1)]
    late = [AuditAnswer(f"e{2 + i % 2}", int(truth), int(truth)) for i, truth in enumerate(rng.random(90) < 0.6)]
    assert differing_expert([*early, *late], 2) is None


def test_who_was_named_stays_so_until_half_of_the_gap_is_gone() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(300) < 0.25
    answers = [AuditAnswer(f"e{i % 3}", int(t ^ (i % 3 == 2 and i % 7 == 0)), int(t)) for i, t in enumerate(truth)]
    assert differing_expert(answers, 2) is None
    kept = differing_expert(answers, 2, before="e2")
    assert kept is not None
    assert 0.1 <= kept.gap < 0.2


def test_alike_experts_are_hardly_ever_called_uneven_however_often_one_looks() -> None:
    named = 0
    for seed in range(60):
        answers = campaign((0.2, 0.2, 0.2), 240, seed)
        named += any(differing_expert(answers[:n], 2) is not None for n in range(30, 241, 15))
    assert named <= 4  # one or two in a hundred are to be expected


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2), st.integers(0, 2)), max_size=120))
def test_any_answers_are_read_and_shares_lie_in_their_intervals(answers: list[tuple[str, int, int]]) -> None:
    told = [AuditAnswer(*one) for one in answers]
    for metric in agreement_with_probe(told).values():
        assert metric.lo is not None
        assert metric.hi is not None
        assert metric.value is not None
        assert metric.lo <= metric.value <= metric.hi
    odd = differing_expert(told, 3)
    if odd is not None:
        assert odd.gap >= 0.2
        assert 0 <= min(odd.share, odd.others) <= max(odd.share, odd.others) <= 1
