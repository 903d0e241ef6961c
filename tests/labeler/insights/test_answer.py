"""Errors of an attribute are corrected class by class; across titles they cannot be, and there is no figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from attune.labeler.insights.answer import Asked, answer, by_canvas, figures
from attune.labeler.insights.evidence import Rows
from attune.models.insights.outcomes import outcomes
from attune.models.insights.probed import probed
from tests.models.insights.test_classes import campaign


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
        before = replace(asked, audited=False)  # of a detector before people have checked enough, and after
        assert "cannot correct" in figures(answer(rows, before), before, rows)["hindered"]
        assert answer(rows, before).grade == "D"
        after = answer(rows, replace(before, checked=True))
        assert (after.effect, after.why) == (None, told["why"])
    assert answer(rows, Asked(says, None)).grade == "D"  # a feature without errors has one


def test_an_attribute_of_three_classes_is_corrected_as_classes_and_so_is_each_canvas() -> None:
    held, probes = campaign(0, (0.2, 0.2), 2.0)
    number = len(probes[0].probability)
    names = np.array([f"n{one}" for one in range(number)], dtype=object)
    canvas = (held.title % 2).astype(np.intp)  # half of the titles were shown on each
    both = outcomes(held.asset, held.title, canvas, held.impressions, held.takes)
    canvases = np.array(["home", "phone"], dtype=object)
    rows = Rows(None, both, names, names, canvases, np.arange(2, dtype=np.intp), 0, 0, True, ())
    says = np.where(probes[0].says == 1, 1.0, np.where(probes[1].says == 1, np.nan, 0.0))
    asked = Asked(says, None, tuple(probes))
    found = answer(rows, asked)
    assert found.effect is not None
    assert found.effect.ci[0] < 0.2 < found.effect.ci[1]
    few = replace(asked, audited=False, properties=tuple(
        replace(one, **{name: getattr(one, name)[:59] for name in ("audited", "answer", "inclusion")})
        for one in probes
    ))  # fmt: skip
    before, after = answer(rows, few), answer(rows, replace(few, checked=True))  # of a detector: few of many answers
    assert before.effect is not None
    assert (before.grade, "59 audited" in before.hindered) == ("C", True)
    assert (after.effect, after.grade, after.uncorrected) == (None, None, before.effect)
    assert "59 audited" in after.why
    parts = by_canvas(rows, found, asked)
    assert [part["canvas"] for part in parts] == ["home", "phone"]
    for part in parts:
        assert abs(part["estimate"] - 0.2) < 3 * part["se"]
