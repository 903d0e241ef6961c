"""The one table of how many audits give what says what the code does."""

from __future__ import annotations

import re

from attune.labeler.notices.gate_rules import LEAST_ANSWERS
from attune.models.evaluation.audit_pace import expected_width
from attune.models.evaluation.metrics import FIRST, FULL, LEAST
from attune.workers.rounds.gallery_scores import STEPS
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "how-to" / "audit-a-probe.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE))


def test_each_row_begins_where_the_code_begins() -> None:
    (more, twenty), (few, ten) = STEPS
    assert "first, wide interval" in ROWS[str(FIRST)]
    assert f"Of the {ten} audit images" in ROWS[str(few)]
    assert f"counts the {twenty} highest instead of the {ten}" in ROWS[str(more)]
    assert FULL == LEAST_ANSWERS
    assert "95 % intervals" in ROWS[str(FULL)]
    assert f"{LEAST} answers for it and {LEAST} against it" in PAGE


def test_the_widths_are_those_that_the_buttons_promise() -> None:
    promised = {n: float(said) for n, row in ROWS.items() for said in re.findall(r"±(0\.\d+)", row)}
    assert set(promised) == {"30", "60", "120"}
    for n, said in promised.items():
        width = expected_width(None, int(n))
        assert width is not None
        assert round(width / 2, 2) == said
