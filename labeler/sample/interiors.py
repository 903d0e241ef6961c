"""Settings indoors and on paper: a room, a stage, a sunburst."""

from __future__ import annotations

import numpy as np

from attune.labeler.sample.drawing import Canvas, box, ellipse, path, smooth
from attune.labeler.sample.palettes import Palette, darker, lighter, mix, rgb
from attune.labeler.sample.scenes import Painter, Rng, beach, city, desert, forest, garden, mountains, space


def room(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """A wall with a window or pictures, a lamp, a plant, a floor."""
    w, h = canvas.width, canvas.height
    wall = mix(palette.sky[1], palette.planes[1], 0.45 if palette.night else 0.1)
    canvas.gradient((darker(wall, 0.06), lighter(wall, 0.12)))
    if rng.random() < 0.5:
        for x in np.arange(0, w, 16.0).tolist():
            canvas.fill(box(x, 0, x + 7, h), (*lighter(wall, 0.5), 46))
    floor = h * 0.78
    canvas.fill(box(0, floor, w, h), darker(palette.planes[0], 0.2))
    canvas.fill(box(0, floor - 5, w, floor), lighter(wall, 0.5))
    x = w * rng.uniform(0.12, 0.5)
    if rng.random() < 0.6:
        canvas.fill(box(x - 3, h * 0.12, x + w * 0.36 + 3, h * 0.5), palette.paper)
        canvas.fill(box(x, h * 0.13, x + w * 0.36, h * 0.49), palette.sky[0])
        canvas.fill(box(x, h * 0.34, x + w * 0.36, h * 0.49), palette.sky[2])
        canvas.stroke(path((x + w * 0.18, h * 0.12), (x + w * 0.18, h * 0.5)), palette.paper, 2.5)
        canvas.stroke(path((x, h * 0.3), (x + w * 0.36, h * 0.3)), palette.paper, 2.5)
    else:
        for place in range(3):
            px, pw = w * (0.12 + 0.28 * place), w * rng.uniform(0.13, 0.2)
            canvas.fill(box(px, h * 0.15, px + pw, h * 0.15 + pw * 1.2), palette.ink)
            canvas.fill(
                box(px + 2, h * 0.15 + 2, px + pw - 2, h * 0.15 + pw * 1.2 - 2),
                (palette.accents[0], palette.paper, palette.accents[1])[place],
            )
            canvas.disc(px + pw / 2, h * 0.15 + pw * 0.6, pw * 0.25, palette.planes[1])
    _plant(canvas, palette, w * (0.07 if rng.random() < 0.5 else 0.93), floor + 10)
    if rng.random() < 0.6:
        lx = w * rng.uniform(0.2, 0.8)
        canvas.stroke(path((lx, 0), (lx, h * 0.1)), palette.ink, 1.4)
        canvas.glow(lx, h * 0.14, 16, palette.accents[0], 9)
        canvas.fill(np.vstack([ellipse(lx, h * 0.14, 17, 13, 180, 360, 20)]), palette.accents[1])


def _plant(canvas: Canvas, palette: Palette, x: float, base: float) -> None:
    green = mix(rgb("3f8f5f"), palette.planes[1], 0.25)
    for dx, dy in ((-22, -40), (-12, -58), (0, -66), (13, -56), (23, -38)):
        canvas.fill(
            smooth(
                path(
                    (x, base - 10),
                    (x + dx * 0.4 - 5, base + dy * 0.6),
                    (x + dx, base + dy),
                    (x + dx * 0.6 + 5, base + dy * 0.5),
                )
            ),
            green,
        )
    canvas.fill(
        path((x - 13, base - 14), (x + 13, base - 14), (x + 9, base + 14), (x - 9, base + 14)), palette.accents[1]
    )


def stage(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """Curtains, two spotlights, boards."""
    w, h = canvas.width, canvas.height
    back = darker(palette.planes[1], 0.25)
    canvas.gradient((darker(back, 0.5), back))
    for x in (w * rng.uniform(0.2, 0.4), w * rng.uniform(0.6, 0.8)):
        canvas.fill(
            path((x - 6, 0), (x + 6, 0), (x + w * 0.26, h * 0.85), (x - w * 0.26, h * 0.85)),
            (*lighter(palette.accents[0], 0.5), 52),
        )
    canvas.fill(box(0, h * 0.8, w, h), mix(rgb("8a5a36"), palette.planes[2], 0.3))
    for y in (0.84, 0.89, 0.95):
        canvas.stroke(path((0, h * y), (w, h * y)), (*palette.ink, 90), 1)
    cloth = palette.accents[1] if rng.random() < 0.5 else mix(rgb("b3202c"), palette.planes[0], 0.2)
    for fold in range(4):
        dx, tint = w * 0.055, darker(cloth, 0.08 + 0.16 * (fold % 2))
        for side in (0, 1):
            x0 = fold * dx if side == 0 else w - (fold + 1) * dx
            canvas.fill(
                smooth(
                    path(
                        (x0, -10),
                        (x0 + dx, -10),
                        (x0 + dx * (0.9 if side == 0 else 1), h * 0.45),
                        (x0 + dx, h * 0.86),
                        (x0, h * 0.86),
                    )
                ),
                tint,
            )
    for scallop in range(9):
        canvas.fill(ellipse(w * (scallop + 0.5) / 9, 0, w / 16, h * 0.075, n=24), darker(cloth, 0.2 * (scallop % 2)))


def sunburst(canvas: Canvas, palette: Palette, rng: Rng) -> None:
    """Rays from one point, dots or rings over them."""
    w, h = canvas.width, canvas.height
    canvas.gradient((palette.sky[0], palette.sky[0]))
    x, y, n = w * rng.uniform(0.3, 0.7), h * rng.uniform(0.35, 0.65), int(rng.integers(9, 19))
    rim = ellipse(x, y, w + h, w + h, 0, 360, 2 * n + 1)
    for ray in range(n):
        canvas.fill(
            np.vstack([path((x, y)), rim[2 * ray : 2 * ray + 2]]),
            palette.sky[1] if rng.random() < 0.85 else palette.sky[2],
        )
    style = int(rng.integers(3))
    if style == 0:
        for radius in (0.52, 0.4, 0.28):
            canvas.disc(x, y, radius * min(w, h) * 1.2, mix(palette.sky[2], palette.accents[0], 0.9 - radius))
    elif style == 1:
        for gx in np.arange(6, w, 13.0).tolist():
            for gy in np.arange(6, h * 0.5, 13.0).tolist():
                canvas.disc(gx, gy, 2.6 * (1 - gy / (h * 0.55)), (*palette.paper, 130))
    else:
        canvas.fill(path((0, h), (w, h * rng.uniform(0.35, 0.7)), (w, h)), palette.planes[0])
        canvas.fill(path((w, h), (0, h * rng.uniform(0.5, 0.8)), (0, h)), palette.planes[1])


PAINTERS: dict[str, Painter] = {
    "city": city,
    "beach": beach,
    "forest": forest,
    "space": space,
    "room": room,
    "mountains": mountains,
    "desert": desert,
    "stage": stage,
    "sunburst": sunburst,
    "garden": garden,
}
