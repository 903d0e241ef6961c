"""Things beside people, or instead of them, and what floats in the air."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from attune.labeler.sample.drawing import Canvas, Frame, Points, box, ellipse, path, smooth
from attune.labeler.sample.palettes import Palette, darker, lighter

Drawer = Callable[[Canvas, Frame, Palette], None]


def _boat(canvas: Canvas, frame: Frame, p: Palette) -> None:
    canvas.fill(frame(smooth(path((-1.0, 0.45), (1.0, 0.45), (0.65, 0.95), (-0.65, 0.95)))), p.accents[1])
    canvas.stroke(frame(path((0, 0.45), (0, -1.1))), p.ink, 0.07 * frame.size)
    canvas.fill(frame(path((0.07, -1.05), (0.85, 0.3), (0.07, 0.3))), p.paper)
    canvas.fill(frame(path((-0.07, -0.85), (-0.65, 0.3), (-0.07, 0.3))), p.accents[0])


def _balloon(canvas: Canvas, frame: Frame, p: Palette) -> None:
    canvas.fill(
        frame(
            smooth(path((0, -1.3), (0.85, -0.95), (1.0, -0.2), (0.35, 0.7), (-0.35, 0.7), (-1.0, -0.2), (-0.85, -0.95)))
        ),
        p.accents[1],
    )
    canvas.fill(
        frame(
            smooth(
                path((0, -1.3), (0.42, -0.9), (0.48, -0.2), (0.14, 0.72), (-0.14, 0.72), (-0.48, -0.2), (-0.42, -0.9))
            )
        ),
        p.paper,
    )
    for x in (-0.26, 0.26):
        canvas.stroke(frame(path((x, 0.7), (x * 0.8, 1.1))), p.ink, 0.04 * frame.size)
    canvas.fill(frame(box(-0.26, 1.1, 0.26, 1.45)), darker(p.accents[0], 0.3))


def _car(canvas: Canvas, frame: Frame, p: Palette) -> None:
    canvas.fill(frame(smooth(path((-0.7, 0.1), (-0.42, -0.42), (0.35, -0.42), (0.72, 0.1)))), p.paper)
    canvas.fill(
        frame(smooth(path((-1.25, 0.2), (-0.75, 0.02), (0.8, 0.02), (1.25, 0.25), (1.22, 0.6), (-1.25, 0.6)))),
        p.accents[1],
    )
    for x in (-0.7, 0.72):
        canvas.fill(frame(ellipse(x, 0.62, 0.28, 0.28, n=24)), p.ink)
        canvas.fill(frame(ellipse(x, 0.62, 0.12, 0.12, n=16)), p.paper)
    canvas.fill(frame(ellipse(1.12, 0.28, 0.1, 0.1, n=12)), p.accents[0])


def _cat(canvas: Canvas, frame: Frame, p: Palette) -> None:
    fur = p.ink
    canvas.stroke(frame(smooth(path((0.5, 0.95), (1.1, 0.7), (1.0, 0.0)), closed=False)), fur, 0.2 * frame.size)
    canvas.fill(frame(smooth(path((-0.6, 1.0), (-0.5, 0.0), (0, -0.3), (0.5, 0.0), (0.65, 1.0)))), fur)
    canvas.fill(frame(ellipse(0, -0.55, 0.52, 0.45, n=28)), fur)
    for side in (-1, 1):
        canvas.fill(frame(path((side * 0.48, -0.6), (side * 0.44, -1.2), (side * 0.1, -0.92))), fur)
        canvas.fill(frame(ellipse(side * 0.2, -0.58, 0.1, 0.13, n=14)), p.accents[0])
    canvas.fill(frame(path((-0.06, -0.42), (0.06, -0.42), (0, -0.34))), p.accents[1])


def _house(canvas: Canvas, frame: Frame, p: Palette) -> None:
    canvas.fill(frame(box(-0.8, -0.1, 0.8, 1.0)), p.paper)
    canvas.fill(frame(box(0.35, -0.95, 0.6, -0.3)), darker(p.accents[1], 0.3))
    canvas.fill(frame(path((-1.05, -0.05), (0, -1.05), (1.05, -0.05))), p.accents[1])
    canvas.fill(frame(box(-0.16, 0.35, 0.2, 1.0)), p.planes[2])
    for x in (-0.6, 0.36):
        canvas.fill(frame(box(x, 0.18, x + 0.28, 0.48)), p.accents[0])


def _rocket(canvas: Canvas, frame: Frame, p: Palette) -> None:
    canvas.fill(frame(smooth(path((-0.22, 0.8), (0, 1.6), (0.22, 0.8)))), p.accents[0])
    for side in (-1, 1):
        canvas.fill(frame(path((side * 0.32, 0.3), (side * 0.8, 1.0), (side * 0.28, 0.85))), p.accents[1])
    canvas.fill(
        frame(smooth(path((0, -1.3), (0.42, -0.5), (0.4, 0.5), (0.25, 0.9), (-0.25, 0.9), (-0.4, 0.5), (-0.42, -0.5)))),
        p.paper,
    )
    canvas.fill(frame(ellipse(0, -0.3, 0.2, 0.2, n=20)), p.planes[1])


_DRAWERS: dict[str, Drawer] = {
    "boat": _boat,
    "balloon": _balloon,
    "car": _car,
    "cat": _cat,
    "house": _house,
    "rocket": _rocket,
}


def draw_prop(canvas: Canvas, prop: str, palette: Palette, x: float, y: float, size: float, angle: float = 0.0) -> None:
    """One of ``latents.PROPS``, about two ``size`` across."""
    if prop in _DRAWERS:
        _DRAWERS[prop](canvas, Frame(x, y, size, angle), palette)


def heart() -> Points:
    """A heart about two units wide."""
    t = np.linspace(0, 2 * np.pi, 28)
    return np.stack(
        [np.sin(t) ** 3, -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16], axis=1
    )


def _star(points: int = 4, waist: float = 0.3) -> Points:
    turn = np.linspace(0, 2 * np.pi, 2 * points, endpoint=False) - np.pi / 2
    radius = np.where(np.arange(2 * points) % 2 == 0, 1.0, waist)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)


def draw_floaters(
    canvas: Canvas, kind: str, palette: Palette, rng: np.random.Generator, heads: tuple[float, float, float]
) -> None:
    """Hearts, sparkles, notes, confetti or a bolt about the heads (x, y, radius)."""
    x0, y0, r = heads
    if kind == "bolt":
        frame = Frame(x0, y0 - 0.2 * r, 1.25 * r)
        canvas.fill(
            frame(path((0.15, -1.2), (-0.5, 0.15), (-0.05, 0.1), (-0.25, 1.2), (0.5, -0.3), (0.05, -0.2))),
            lighter(palette.accents[0], 0.2),
        )
        return
    count = {"hearts": 6, "sparkles": 9, "notes": 6, "confetti": 40}.get(kind, 0)
    reds = ((226, 52, 84), palette.accents[1], (255, 120, 150))
    for number in range(count):
        if kind == "confetti":
            x, y = rng.uniform(0, canvas.width), rng.uniform(0, canvas.height * 0.6)
            colour = (palette.accents[0], palette.accents[1], palette.paper)[number % 3]
            canvas.fill(Frame(x, y, rng.uniform(1.6, 3.2), rng.uniform(0, 90))(box(-1, -0.5, 1, 0.5)), colour)
            continue
        x, y = x0 + rng.uniform(-3.4, 3.4) * r, y0 - rng.uniform(1.0, 2.4) * r
        frame = Frame(x, y, r * rng.uniform(0.14, 0.34), rng.uniform(-20, 20))
        if kind == "hearts":
            canvas.fill(frame(heart()), reds[number % 3])
        elif kind == "sparkles":
            canvas.fill(frame(_star()), palette.accents[0] if number % 2 else palette.paper)
        else:
            canvas.fill(frame(ellipse(-0.3, 0.7, 0.45, 0.35, n=16)), palette.paper)
            canvas.stroke(frame(path((0.1, 0.7), (0.1, -0.9), (0.7, -0.6))), palette.paper, 0.2 * frame.size)
