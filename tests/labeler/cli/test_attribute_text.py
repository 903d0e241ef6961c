"""What `attune attribute show` tells people: words and figures, no rows of JSON."""

from __future__ import annotations

from typing import Any

from attune.labeler.cli.attribute_text import attribute_lines

FRESH: dict[str, Any] = {
    "name": "serious",
    "question": "Serious?",
    "classes": ["yes", "no"],
    "revision": 2,
    "answers": 0,
    "run": 1,
    "average_precision": {"value": None, "reason": "there are 0 audit answers, at least 10 are needed"},
    "definition": "",
    "in_scope": ["a frown"],
    "out_of_scope": [],
    "prompts": {"yes": ["a serious face"], "no": []},
    "labels": {"assets": 0, "audited": 0},
    "metrics": {"average_precision": {"value": None}},
    "advice": {"advice": "Go on: the curve still climbs.", "evidence": {"labels": 0.0}},
    "queues": {"ana@studio.example": "http://127.0.0.1:8701/projects/1"},
}


def test_a_fresh_attribute_says_why_its_figures_are_not_known() -> None:
    shown = attribute_lines(FRESH)
    assert "serious, revision 2" in shown
    assert "yes, no (yes is the positive class)" in shown
    assert "not available yet: there are 0 audit answers, at least 10 are needed" in shown
    assert "queue of ana@studio.example  http://127.0.0.1:8701/projects/1" in shown
    assert "evidence" not in shown


def test_known_figures_come_with_their_interval_and_n() -> None:
    metric = {"value": 0.8, "lo": 0.7, "hi": 0.9, "n": 60}
    labels = {"assets": 100, "audited": 60}
    shown = attribute_lines(FRESH | {"answers": 120, "labels": labels, "metrics": {"average_precision": metric}})
    assert "120 on 100 images, 60 of them for audits" in shown
    assert "0.800 [0.700, 0.900] (n = 60)" in shown
    assert "not available" not in shown
