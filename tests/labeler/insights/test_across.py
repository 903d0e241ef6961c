"""Across titles an attribute's errors cannot be corrected, so there is no figure, only one to strike through."""

from __future__ import annotations

import numpy as np

from attune.labeler.insights.answer import Asked, answer, figures
from attune.labeler.insights.evidence import Rows
from attune.models.insights.outcomes import outcomes
from attune.models.insights.probed import probed


def test_an_attribute_across_titles_has_no_figure() -> None:
    rng, titles = np.random.default_rng(0), 400
    true = rng.random(titles) < 0.3
    p = np.clip(np.where(true, 0.7, 0.3) + rng.normal(0, 0.2, titles), 0.01, 0.99)
    takes = rng.poisson(300 * np.exp(0.3 * true)).astype(float)
    held = outcomes(range(titles), range(titles), [0] * titles, [10_000.0] * titles, takes)
    names = np.array([f"n{number}" for number in range(titles)], dtype=object)
    canvases = np.array(["home"], dtype=object)
    rows = Rows(None, held, names, names, canvases, np.zeros(1, dtype=np.intp), 0, 0, True, ())
    says = (p >= 0.5).astype(float)
    for drawn in (np.zeros(0, dtype=int), np.arange(0, titles, 2)):  # without audits and with many
        asked = Asked(says, None, (probed(p, drawn, true[drawn], np.full(len(drawn), 0.5)),))
        found = answer(rows, asked)
        told = figures(found, asked, rows)
        assert (found.grade, told["estimate"]) == (None, None)
        assert told["uncorrected"]["estimate"] > 0
        assert "cannot correct" in told["why"]
    assert answer(rows, Asked(says, None)).grade == "D"  # a feature without errors has one
