"""What goes with takes, as a plot in a file."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from attune.labeler.insights.goes_with import SAYS
from attune.models.insights.goes_with import BOOSTING, LINEAR

ROW, LABEL, WIDE, FIGURES = 46, 220, 420, 90  # pixels


def percent(share: Mapping[str, float]) -> str:
    """A share with its interval, in percent."""
    mean, low, high = (round(100 * share[name], 1) + 0.0 for name in ("mean", "low", "high"))  # no -0.0
    return f"{mean:.1f} %, between {low:.1f} % and {high:.1f} %"


def plot(told: Mapping[str, Any]) -> str:
    """An SVG: for each feature a bar of each model, with its interval."""
    rows = told["features"]
    ends = [one[model][end] for one in rows for model in SAYS for end in ("low", "high")]
    low, high = min(0.0, *ends), max(0.01, *ends)

    def at(value: float) -> float:
        return float(round(LABEL + WIDE * (value - low) / (high - low), 1))

    parts = []
    for place, one in enumerate(rows):
        top = 60 + place * ROW
        parts.append(f'<text x="{LABEL - 12}" y="{top + 20}" text-anchor="end">{escape(one["feature"])}</text>')
        for number, (model, colour) in enumerate(zip(SAYS, ("#a8381b", "#3c5a78"), strict=True)):
            share, line = one[model], top + 8 + 14 * number
            left, right = sorted((at(0.0), at(share["mean"])))
            size = f'width="{round(right - left, 1)}" height="9"'
            parts.append(f'<rect x="{left}" y="{line - 4}" {size} fill="{colour}"/>')
            figure = f"{100 * share['mean']:.1f} %"
            parts.append(f'<text x="{LABEL + WIDE + 14}" y="{line + 4}" fill="{colour}">{figure}</text>')
            parts.append(f'<path d="M{at(share["low"])} {line}H{at(share["high"])}" stroke="#222" stroke-width="1.5"/>')
    height, middle = 60 + len(rows) * ROW + 30, at(0.0)
    parts.append(f'<path d="M{middle} 54V{height - 24}" stroke="#666"/>')
    made_up = " Simulated performance: nobody measured it." if told["simulated"] else ""
    said = f"What goes with takes across {told['titles']:,} titles. Grade D: it does not say why.{made_up}"
    legend = (
        f'<text x="{LABEL}" y="44" fill="#a8381b">{SAYS[BOOSTING]}</text>'
        f'<text x="{LABEL + 150}" y="44" fill="#3c5a78">{SAYS[LINEAR]}</text>'
    )
    across = LABEL + WIDE + FIGURES
    size = f'viewBox="0 0 {across} {height}" width="{across}" height="{height}"'
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">{paper}'
        f'<text x="12" y="20" font-size="14">{escape(said)}</text>{legend}{"".join(parts)}</svg>\n'
    )
