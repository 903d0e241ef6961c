"""Title lettering: weight, width, slant, tracking and finish of a title, fitted into its part of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from attune.labeler.sample.drawing import Canvas, Colour, Points
from attune.labeler.sample.lettering import glyph, measure
from attune.labeler.sample.palettes import Palette

Room = tuple[float, float, float, float]


@dataclass(frozen=True)
class Lettering:
    """How a title is set; lengths in cap heights."""

    weight: float
    width: float
    slant: float
    tracking: float
    finish: str
    align: str


def choose_lettering(seed: int) -> Lettering:
    """The lettering of a title, the same on all its images."""
    rng = np.random.default_rng(seed)
    weight = float(rng.choice([0.075, 0.12, 0.17, 0.22]))
    finish = str(rng.choice(["plain", "shadow", "inline", "block"])) if weight > 0.1 else "plain"
    return Lettering(
        weight=weight,
        width=float(rng.choice([0.62, 0.8, 1.0, 1.15])),
        slant=float(rng.choice([0.0, 0.0, 0.0, 0.18])),
        tracking=weight + float(rng.choice([0.07, 0.12, 0.26])),
        finish=finish,
        align=str(rng.choice(["centre", "centre", "left"])),
    )


def _breaks(name: str) -> list[list[str]]:
    """The title on one line, and cut as evenly as can be into two and three."""
    words = name.upper().split()
    ways = [[" ".join(words)]]
    for parts in range(2, min(3, len(words)) + 1):
        cuts = combinations(range(1, len(words)), parts - 1)
        layouts = [[" ".join(words[a:b]) for a, b in pairwise((0, *cut, len(words)))] for cut in cuts]
        ways.append(min(layouts, key=lambda lines: max(map(len, lines))))
    return ways


def _widest(lines: list[str], style: Lettering) -> float:
    return max(measure(line, style.width, style.tracking) for line in lines) + style.weight + style.slant


def set_title(canvas: Canvas, name: str, style: Lettering, palette: Palette, room: Room, colour: Colour) -> None:
    """Draw ``name`` as large as ``room`` (left, top, right, bottom) allows."""
    left, top, right, bottom = room
    leading = 1.0 + style.weight + 0.22
    fits = [
        (min((right - left) / _widest(lines, style), (bottom - top) / (leading * len(lines))), lines)
        for lines in _breaks(name)
    ]
    cap, lines = max(fits, key=lambda fit: fit[0])
    y = top + ((bottom - top) - cap * (leading * (len(lines) - 1) + 1)) / 2
    for line in lines:
        length = measure(line, style.width, style.tracking) * cap
        pad = style.weight * cap / 2
        x = left + pad if style.align == "left" else (left + right - length) / 2
        _line(canvas, line, style, palette, (x, y, cap), colour)
        y += leading * cap


def _line(
    canvas: Canvas, line: str, style: Lettering, palette: Palette, at: tuple[float, float, float], colour: Colour
) -> None:
    x, y, cap = at
    for letter in line:
        advance, strokes = glyph(letter)
        for stroke in strokes:
            placed = _placed(stroke, style, x, y, cap)
            if style.finish in ("shadow", "block"):
                for step in (1,) if style.finish == "shadow" else (1, 2, 3):
                    _pen(
                        canvas,
                        placed + 0.05 * cap * step,
                        palette.accents[1] if style.finish == "shadow" else palette.ink,
                        style.weight * cap,
                    )
        for stroke in strokes:
            _pen(canvas, _placed(stroke, style, x, y, cap), colour, style.weight * cap)
        if style.finish == "inline":
            for stroke in strokes:
                _pen(canvas, _placed(stroke, style, x, y, cap), palette.accents[1], style.weight * cap * 0.22)
        x += (advance * style.width + style.tracking) * cap


def _placed(stroke: Points, style: Lettering, x: float, y: float, cap: float) -> Points:
    lean = style.slant * (1 - stroke[:, 1])
    return np.stack([x + (stroke[:, 0] * style.width + lean) * cap, y + stroke[:, 1] * cap], axis=1)


def _pen(canvas: Canvas, points: Points, colour: Colour, width: float) -> None:
    canvas.stroke(points, colour, width)
    if len(points) < 8:
        for x, y in points[1:-1]:
            canvas.disc(float(x), float(y), width / 2, colour)
