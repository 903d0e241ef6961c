"""The learning curve's geometry: inside its frame, in order, and silent where nothing is known."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from attune.labeler.views.quality import Point, Quality
from attune.labeler.web.svg.learning_curve import learning_curve

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
share = st.floats(0, 1)
nothing = Quality(reason="too few")


@st.composite
def qualities(draw: st.DrawFn) -> Quality:
    if draw(st.booleans()):
        return nothing
    lo, value, hi = sorted((draw(share), draw(share), draw(share)))
    return Quality(value, lo, hi, draw(st.integers(1, 500)))


@given(st.lists(st.tuples(st.integers(0, 5000), qualities(), qualities()), max_size=30))
def test_whatever_was_measured_is_drawn_inside_the_frame(rows: list[tuple[int, Quality, Quality]]) -> None:
    points = [
        Point(i, answers, NOON, audit, naive)
        for i, (answers, audit, naive) in enumerate(sorted(rows, key=lambda r: r[0]))
    ]
    charts = learning_curve(points)
    signs = sum(naive.known for _, _, naive in rows)
    assert bool(charts) == (any(audit.known for _, audit, _ in rows) or signs >= 2)
    for chart in charts:
        places = re.findall(r"[ML]([-\d.]+) ([-\d.]+)", f"{chart.band} {chart.line} {chart.indication}")
        assert all(chart.left <= float(x) <= chart.right and 0 <= float(y) <= chart.floor for x, y in places)
        assert len(chart.dots) == sum(audit.known for _, audit, _ in rows)
        assert all(dot.high <= dot.y <= dot.low for dot in chart.dots)
        assert 1 <= len(chart.x_ticks) <= 6


def test_a_figure_in_words() -> None:
    (chart, _) = learning_curve([Point(3, 40, NOON, Quality(0.5, 0.4, 0.6, 12), nothing)])
    assert chart.dots[0].tip == "40 answers: 0.50 (0.40 to 0.60) (run 3)"
    assert not chart.band


def test_a_single_indication_draws_no_empty_chart() -> None:
    nothing = Quality(None, None, None, 0)
    assert (
        learning_curve([Point(1, 5, NOON, nothing, nothing), Point(2, 10, NOON, nothing, Quality(0.8, 0.7, 0.9, 10))])
        == []
    )
    two = [Point(n, 5 * n, NOON, nothing, Quality(0.8, 0.7, 0.9, 10)) for n in (1, 2)]
    assert len(learning_curve(two)) == 2
