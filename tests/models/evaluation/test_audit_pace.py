"""The audit stream: small while labels buy much, larger when they do not, and honest though it follows the answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.models.evaluation.audit_design import AuditDesign
from attune.models.evaluation.audit_pace import (
    Pace,
    answers_to_width,
    audits_due,
    continue_pace,
    expected_width,
    stream_share,
)
from attune.models.evaluation.evaluate import evaluate_audit
from attune.models.evaluation.metrics import Metric, average_precision, unknown
from attune.models.labels.labels import Labels


def test_the_share_stays_small_while_labels_buy_much_and_grows_when_they_do_not() -> None:
    assert stream_share(0.1, 60, "labelling", 2, None)[0] == 0.1
    assert stream_share(0.1, 150, "labelling", 11, None)[0] == 0.25
    assert stream_share(0.1, 150, "labelling", 31, 0.5)[0] == 0.1
    assert stream_share(0.1, 400, "settled", 40, 0.4)[0] == 0.5
    assert stream_share(0.1, 400, "settled", 140, 0.19)[0] == 0.1
    assert stream_share(0.1, 400, "hopeless", 4, None)[0] == 0.1
    assert stream_share(0.1, 400, "outlier", 4, None)[0] == 0.1
    assert stream_share(0.0, 400, "settled", 0, None)[0] == 0.0
    assert stream_share(0.6, 400, "settled", 0, None)[0] == 0.6
    assert all(stream_share(0.1, 400, state, 0, None)[1].endswith(".") for state in ("settled", "hopeless", ""))


def test_one_question_in_ten_is_an_audit_after_forty() -> None:
    assert audits_due(continue_pace(None, 30, 0.1, 0.1, ""), 5) == 0
    assert audits_due(continue_pace(None, 130, 0.1, 0.1, ""), 0) == 10
    assert audits_due(continue_pace(None, 38, 0.1, 0.5, ""), 4) == 1


def test_a_greater_share_counts_from_where_it_began_and_a_smaller_one_takes_nothing_back() -> None:
    slow = continue_pace(None, 220, 0.1, 0.5, "")
    assert slow.owed == pytest.approx(20)
    fast = continue_pace(slow, 240, 0.1, 0.1, "")
    assert fast.owed == pytest.approx(40)
    assert continue_pace(fast, 249, 0.1, 0.1, "").owed == pytest.approx(41)
    assert Pace.from_dict(fast.to_dict() | {"drawn": 3}) == fast


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.0, 0.1, 0.25, 0.5])), max_size=12))
def test_however_rounds_fall_as_many_audits_are_owed_as_one_round_would_owe(steps: list[tuple[int, float]]) -> None:
    pace, trained = continue_pace(None, 0, 0.1, 0.1, ""), 0
    expected = 0.0
    for more, share in steps:
        begun = max(0, trained + more - 40) - max(0, trained - 40)
        expected += pace.share / (1 - pace.share) * begun
        trained += more
        pace = continue_pace(pace, trained, 0.1, share, "")
        assert pace.owed == pytest.approx(expected)
        assert audits_due(pace, 0) <= pace.owed + 1e-6


def test_a_width_is_foretold_from_the_interval_or_from_the_benchmarks() -> None:
    assert expected_width(None, 10) is None
    assert expected_width(None, 60) == pytest.approx(0.32, abs=0.03)
    assert expected_width(unknown("ap", 7, "m", "too few"), 143) == pytest.approx(0.23, abs=0.03)
    held = Metric("ap", 0.7, 0.5, 0.9, 30, "m")
    assert expected_width(held, 0) == pytest.approx(0.4)
    assert expected_width(held, 120) == pytest.approx(0.217, abs=0.01)


CLASSES = ("yes", "no")


def campaign(seed: int) -> tuple[bool, float, int]:
    """Labels and audits by the rule until the interval is narrow; whether it holds the truth, its width, the audits."""
    rng = np.random.default_rng(seed)
    n = 500
    y = rng.random(n) < 0.2
    ids = [f"a{i}" for i in range(n)]
    noise, design = rng.normal(size=n), AuditDesign(seed)
    pace, figure, trained = continue_pace(None, 0, 0.1, 0.1, ""), None, 0
    for _ in range(9):
        trained += 40
        logits = 2.2 * y + noise * (1 + 25 / trained) - 1.5  # a probe that gets better, less and less so
        width = None if figure is None or figure.value is None else figure.width
        share, why = stream_share(
            0.1, trained, "settled" if trained >= 120 else "labelling", figure.n if figure else 0, width
        )
        pace = continue_pace(pace, trained, 0.1, share, why)
        missing = audits_due(pace, 0) - int(design.drawn(ids).sum())
        if missing > 0:
            design.extend(ids, ids, logits, missing)
        drawn = np.flatnonzero(design.drawn(ids))
        if not len(drawn):
            continue
        p = 1 / (1 + np.exp(-logits))
        proba = np.stack([p, 1 - p], axis=1)
        asked = tuple(ids[i] for i in drawn)
        labels = Labels(asked, asked, np.stack([y[drawn], ~y[drawn]], axis=1).astype(float), np.ones(len(drawn)))
        pi = design.inclusions(ids)[drawn]
        figure = evaluate_audit(labels, proba[drawn], pi, CLASSES, pool=proba, seed=seed)["average_precision"]
        if figure.value is not None and figure.width < 0.2:
            break
    assert figure is not None
    assert figure.lo is not None
    assert figure.hi is not None
    truth = average_precision(y, logits)
    return figure.lo <= truth <= figure.hi, figure.width, figure.n


@pytest.mark.slow
def test_the_interval_holds_though_the_number_of_audits_follows_the_answers() -> None:
    held, widths, audits = zip(*(campaign(seed) for seed in range(20)), strict=True)
    assert np.mean(held) >= 0.85  # 0.95, less two standard errors of 20 campaigns
    assert np.mean(widths) < 0.25
    assert np.std(audits) > 10


def test_the_answers_that_narrow_an_interval_undo_the_expected_width() -> None:
    held = Metric("ap", 0.6, 0.4, 0.8, 40, "m")
    more = answers_to_width(40, 0.4, 0.2)
    assert expected_width(held, more) == pytest.approx(0.2, abs=0.002)
    assert expected_width(held, more - 10) > 0.2
    assert answers_to_width(40, 0.2, 0.2) == 0
    assert answers_to_width(40, 1.0, 0.01) == 1000
