"""Settings out of doors and out of this world; each fills the whole canvas behind the people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from attune.labeler.sample.drawing import Canvas, Points, box, ellipse, path, smooth
from attune.labeler.sample.palettes import Palette, darker, lighter, mix, rgb

Rng = np.random.Generator
Painter = Callable[[Canvas, Palette, Rng], None]


def _light(canvas: Canvas, palette: Palette, rng: Rng, low: float = 0.42) -> None:
    """A sun or a moon, with its glow."""
    x, y = canvas.width * rng.uniform(0.15, 0.85), canvas.height * rng.uniform(0.12, low)
    r = 0.12 * min(canvas.width, canvas.height) * rng.uniform(0.7, 1.5)
    canvas.glow(x, y, r, palette.accents[0])
    canvas.disc(x, y, r, lighter(palette.accents[0], 0.35))
    if palette.night and rng.random() < 0.5:
        canvas.disc(x + 0.4 * r, y - 0.2 * r, 0.82 * r, mix(palette.sky[0], palette.sky[1], 0.4))


def _stars(canvas: Canvas, rng: Rng, n: int, bottom: float) -> None:
    for x, y, r in rng.uniform((0, 0, 0.25), (canvas.width, bottom, 1.0), size=(n, 3)).tolist():
        canvas.disc(x, y, r, (255, 250, 235, 210))


def _clouds(canvas: Canvas, palette: Palette, rng: Rng, n: int) -> None:
    colour = (*lighter(palette.sky[2], 0.4), 170)
    for _ in range(n):
        x, y, w = rng.uniform(0, canvas.width), canvas.height * rng.uniform(0.06, 0.4), rng.uniform(22, 44)
        canvas.fill(
            np.vstack([ellipse(x, y, w, w * 0.3, 180, 360, 12), path((x + w, y + w * 0.14), (x - w, y + w * 0.14))]),
            colour,
        )
        canvas.fill(ellipse(x + 0.2 * w, y - 0.12 * w, w * 0.45, w * 0.32, 180, 360, 12), colour)


def _ridge(canvas: Canvas, rng: Rng, base: float, rough: float, n: int = 7) -> Points:
    """A soft line of hills from edge to edge, closed along the bottom."""
    xs = np.linspace(-20, canvas.width + 20, n)
    top = smooth(np.stack([xs, base + rng.uniform(-rough, rough, n)], axis=1), closed=False)
    return np.vstack([top, path((canvas.width + 20, canvas.height + 5), (-20, canvas.height + 5))])


def _sky(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    canvas.gradient(palette.sky)
    if palette.night:
        _stars(canvas, rng, 45, canvas.height * 0.6)
    _light(canvas, palette, rng)
    if not palette.night:
        _clouds(canvas, palette, rng, int(rng.integers(1, 4)))


def city(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """Three rows of towers with lit windows."""
    _sky(canvas, palette, rng)
    lit = lighter(palette.accents[0], 0.3)
    for plane, colour in enumerate(palette.planes):
        x = -rng.uniform(0, 20)
        while x < canvas.width:
            w, h = rng.uniform(18, 38), canvas.height * rng.uniform(0.3, 0.62) * (1 - 0.2 * plane)
            top = canvas.height - h
            canvas.fill(box(x, top, x + w, canvas.height), mix(colour, palette.sky[2], 0.25 - 0.12 * plane))
            if rng.random() < 0.3:
                canvas.fill(
                    path((x + w * 0.2, top), (x + w * 0.5, top - w * 0.6), (x + w * 0.8, top)),
                    mix(colour, palette.sky[2], 0.15),
                )
            if plane:
                for wx in np.arange(x + 4, x + w - 5, 7.0).tolist():
                    for wy in np.arange(top + 6, canvas.height, 11.0)[:9]:
                        if rng.random() < 0.4:
                            canvas.fill(box(wx, wy, wx + 3.2, wy + 5), lit)
            x += w + rng.uniform(-1, 5)


def beach(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """Sea, sand, sometimes a palm or a parasol."""
    _sky(canvas, palette, rng)
    shore, h = canvas.height * rng.uniform(0.5, 0.6), canvas.height
    sea = mix(rgb("2a9dc4"), palette.planes[1], 0.4)
    canvas.gradient((lighter(sea, 0.25), sea), shore, h)
    for _ in range(14):
        x, y = rng.uniform(0, canvas.width), rng.uniform(shore + 3, shore + 0.2 * h)
        canvas.stroke(path((x, y), (x + rng.uniform(8, 30), y)), (*lighter(sea, 0.6), 150), 1.1)
    sand = mix(rgb("f3d9a4"), palette.sky[2], 0.3)
    canvas.fill(_ridge(canvas, rng, shore + 0.2 * h, 5), lighter(sand, 0.5))
    canvas.fill(_ridge(canvas, rng, shore + 0.23 * h, 5), sand)
    if rng.random() < 0.6:
        _palm(
            canvas,
            palette,
            canvas.width * (0.06 if rng.random() < 0.5 else 0.94),
            shore + 0.28 * h,
            h * rng.uniform(0.38, 0.5),
        )
    else:
        x, y = canvas.width * rng.uniform(0.1, 0.9), shore + 0.05 * h
        canvas.stroke(path((x, y), (x + 6, y + 0.3 * h)), palette.paper, 2.4)
        for part in range(4):
            canvas.fill(
                np.vstack([ellipse(x, y, 34, 24, 180 + 45 * part, 225 + 45 * part, 8), path((x, y))]),
                palette.accents[1] if part % 2 else palette.paper,
            )


def _palm(canvas: Canvas, palette: Palette, x: float, base: float, tall: float) -> None:
    bend = 10 if x < canvas.width / 2 else -10
    trunk = smooth(path((x, base), (x + bend * 0.2, base - tall * 0.5), (x + bend, base - tall)), closed=False)
    canvas.stroke(trunk, darker(palette.planes[2], 0.1), 5)
    for dx, dy in ((-34, 8), (-28, -12), (-8, -24), (14, -22), (30, -8), (34, 12)):
        x1, y1 = x + bend, base - tall
        canvas.fill(
            smooth(
                path((x1, y1), (x1 + dx * 0.5, y1 + dy - 6), (x1 + dx, y1 + dy + 8), (x1 + dx * 0.5, y1 + dy * 0.5 + 3))
            ),
            mix(rgb("2f7d4f"), palette.planes[2], 0.35),
        )


def forest(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """Rows of firs or round trees, paler with distance."""
    _sky(canvas, palette, rng)
    fir = rng.random() < 0.6
    for plane, colour in enumerate(palette.planes):
        tint = mix(mix(colour, rgb("2f6b4a"), 0.4), palette.sky[2], 0.35 - 0.17 * plane)
        base = canvas.height * (0.62 + 0.13 * plane)
        canvas.fill(_ridge(canvas, rng, base, 6), tint)
        x = -10.0
        while x < canvas.width + 10:
            tall, wide = canvas.height * rng.uniform(0.16, 0.3), rng.uniform(9, 17)
            if fir:
                for step in range(3):
                    y = base + 8 - tall * 0.3 * step
                    w = wide * (1 - 0.24 * step)
                    canvas.fill(
                        path((x - w, y), (x, y - tall * 0.5), (x + w, y)), tint if step % 2 else darker(tint, 0.06)
                    )
            else:
                canvas.stroke(path((x, base + 10), (x, base - tall * 0.6)), darker(tint, 0.3), 3)
                canvas.fill(ellipse(x, base - tall * 0.7, wide, wide * 1.2, n=24), tint)
            x += rng.uniform(14, 26)


def space(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """Stars, planets, a ring now and then, a curve of ground."""
    deep = darker(palette.planes[2], 0.5)
    canvas.gradient((deep, mix(deep, palette.sky[1], 0.4), mix(deep, palette.sky[0], 0.6)))
    _stars(canvas, rng, 110, canvas.height)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0, canvas.width), rng.uniform(0, canvas.height * 0.55)
        r = rng.uniform(9, 34)
        colour = (palette.accents[0], palette.accents[1], palette.planes[0], palette.sky[1])[int(rng.integers(4))]
        canvas.glow(x, y, r * 0.7, colour, 7)
        canvas.disc(x, y, r, colour)
        canvas.fill(ellipse(x, y, r, r, 20, 160, 20), (*darker(colour, 0.4), 130))
        if rng.random() < 0.5:
            canvas.stroke(ellipse(x, y, r * 1.7, r * 0.4, -25, 205, 30), lighter(colour, 0.5), 2.2)
    if rng.random() < 0.6:
        canvas.fill(
            ellipse(canvas.width / 2, canvas.height * 1.5, canvas.width, canvas.height * 0.8, n=60),
            mix(palette.planes[0], palette.sky[1], 0.3),
        )


def mountains(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """Three ranges, snow on the farthest."""
    _sky(canvas, palette, rng)
    for plane, colour in enumerate(palette.planes):
        tint = mix(colour, palette.sky[2], 0.4 - 0.2 * plane)
        base = canvas.height * (0.7 + 0.12 * plane)
        for _ in range(5 - plane):
            x, tall = rng.uniform(0, canvas.width), canvas.height * rng.uniform(0.2, 0.42) * (1 - 0.25 * plane)
            w = tall * rng.uniform(0.7, 1.1)
            canvas.fill(path((x - w, base), (x, base - tall), (x + w, base)), tint)
            canvas.fill(path((x, base - tall), (x + w, base), (x + w * 0.15, base)), darker(tint, 0.13))
            if plane == 0:
                canvas.fill(
                    path(
                        (x - w * 0.28, base - tall * 0.72),
                        (x, base - tall),
                        (x + w * 0.28, base - tall * 0.72),
                        (x + w * 0.1, base - tall * 0.78),
                        (x, base - tall * 0.68),
                        (x - w * 0.12, base - tall * 0.78),
                    ),
                    palette.paper,
                )
        canvas.fill(box(0, base - 1, canvas.width, canvas.height), tint)


def desert(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """Dunes and cactuses under a large sun."""
    _sky(canvas, palette, rng)
    sand = mix(rgb("e6a55c"), palette.planes[0], 0.35)
    for plane in range(3):
        canvas.fill(_ridge(canvas, rng, canvas.height * (0.55 + 0.14 * plane), 12, 5), darker(sand, 0.12 * plane))
    green = mix(rgb("3f7d54"), palette.planes[2], 0.3)
    for _ in range(int(rng.integers(1, 4))):
        x, y, h = rng.uniform(0, canvas.width), canvas.height * rng.uniform(0.58, 0.74), rng.uniform(24, 48)
        canvas.stroke(path((x, y), (x, y - h)), green, h * 0.2)
        for side in (-1, 1):
            canvas.stroke(
                smooth(
                    path((x, y - h * 0.4), (x + side * h * 0.3, y - h * 0.42), (x + side * h * 0.3, y - h * 0.8)),
                    closed=False,
                ),
                green,
                h * 0.14,
            )


def garden(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """A lawn, hedges and many flowers."""
    _sky(canvas, palette, rng)
    green = mix(rgb("6fae5a"), palette.planes[0], 0.3)
    canvas.fill(_ridge(canvas, rng, canvas.height * 0.5, 8), darker(green, 0.25))
    for x in np.arange(0, canvas.width + 20, 22.0).tolist():
        canvas.disc(x, canvas.height * 0.55 + rng.uniform(-6, 6), rng.uniform(13, 22), darker(green, 0.18))
    canvas.fill(_ridge(canvas, rng, canvas.height * 0.62, 4), green)
    blooms = (palette.accents[0], palette.accents[1], palette.paper, palette.sky[0])
    for x, y in rng.uniform((0, canvas.height * 0.62), (canvas.width, canvas.height), size=(46, 2)).tolist():
        colour = blooms[int(rng.integers(4))]
        for turn in range(5):
            canvas.disc(x + 2.2 * np.cos(turn * 1.257), y + 2.2 * np.sin(turn * 1.257), 1.7, colour)
        canvas.disc(x, y, 1.3, palette.ink)
