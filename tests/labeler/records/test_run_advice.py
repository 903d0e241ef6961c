"""Rows of runs as they were written before advice had a type: they load, and are written back as they were."""

from __future__ import annotations

from typing import Any

import pytest

from attune.labeler.records.run_advice import AuditPlan, RunAdvice

FIGURE = {"name": "accuracy", "value": 0.8, "lo": 0.7, "hi": 0.9, "n": 40, "method": "m", "reason": ""}
WHOLE: dict[str, Any] = {
    "state": "settled",
    "stop": False,
    "advice": "Stop.",
    "evidence": {"labels": 140, "movement": 0.01, "width": None},
    "expected_gain": None,
    "next_answers": 50,
    "beside_probe": {
        "told": [{"expert": "gus@example.org", "agrees": FIGURE}],
        "odd": "gus@example.org",
        "sentence": "On audits this expert says “yes” 60 times in a hundred, the others 20.",
        "without": FIGURE,
    },
    "differs": "gus@example.org",
    "audits": {
        **{"trained": 110, "owed": 12.5, "share": 0.25, "why": "A quarter of the questions measure."},
        **{"drawn": 14, "left": 30, "extra": 3, "needed": 30},
    },
    "thresholds": {"yes": 0.4},
    "lines": [{"class": "yes", "goal": "precision", "probability": 0.4, "precision": FIGURE, "recall": FIGURE}],
    "reliance": {
        "answers": 140,
        "revision": 2,
        "told": [{"expert": "gus@example.org", "accuracy": FIGURE, "confusion": [[1, 0], [0.5, 0.5]], "weight": 0.4}],
        "weighed": True,
    },
    "outlook": {
        "answers": 140,
        "diversity": 0.6,
        "regions": [{"share": 0.1, "labels": 2, "positive": 0.5, "examples": ["a1", "a2"]}],
        "parity": {"expert": FIGURE, "probe": FIGURE, "difference": FIGURE},
    },
}
FIRST_ROUND = {
    **{key: WHOLE[key] for key in ("state", "stop", "advice", "evidence", "expected_gain", "next_answers")},
    "beside_probe": {"told": []},
    "audits": WHOLE["audits"],
    "reliance": {"answers": 4, "revision": 1, "told": [], "weighed": False},
}


@pytest.mark.parametrize("row", [WHOLE, FIRST_ROUND], ids=["whole", "first round"])
def test_a_row_is_written_back_as_it_was(row: dict[str, Any]) -> None:
    assert RunAdvice.from_dict(row).to_dict() == row


def test_a_row_without_parts_loads() -> None:
    found = RunAdvice.from_dict({"state": "hopeless", "text": "Rewrite it.", "evidence": ["alpha .04"], "later": 1})
    assert (found.advice, found.evidence, found.stop) == ("Rewrite it.", ["alpha .04"], True)
    assert (found.audits, found.reliance, found.outlook, found.beside_probe) == (None, None, None, None)
    assert RunAdvice.from_dict(None) == RunAdvice.from_dict({}) == RunAdvice()


def test_a_row_older_than_the_audit_stream_has_no_pace() -> None:
    assert RunAdvice.from_dict({"audits": {"drawn": 40}}).audits == AuditPlan(drawn=40)
    assert AuditPlan(drawn=40).pace is None
    assert RunAdvice.from_dict(WHOLE).audits.pace.to_dict().items() <= WHOLE["audits"].items()
