"""Where people stand and how they touch: the drawn signs of who they are to each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from attune.labeler.sample.bodies import (
    Figure,
    draw_arm,
    draw_behind,
    draw_body,
    draw_crossed_arms,
    draw_face,
    draw_hand,
    reach,
)
from attune.labeler.sample.drawing import Canvas
from attune.labeler.sample.latents import Scene

Room = tuple[float, float, float, float]
"""Left, top, right and bottom of the part of the picture that is for people, in design units."""


def _gaps(scene: Scene) -> float:
    """Distance between two heads in head radii: lovers overlap, strangers keep away."""
    if scene.touch in ("embrace", "forehead"):
        return 1.9 if scene.touch == "embrace" else 1.8
    wide = 4.2 - 2.1 * scene.closeness
    return {
        "hands": min(wide, 3.1),
        "shoulder": min(wide, 2.7),
        "high-five": max(wide, 3.1),
        "fist-bump": max(wide, 3.3),
    }.get(scene.touch, wide)


def place_people(scene: Scene, room: Room, rng: np.random.Generator) -> list[Figure]:
    """Figures from left to right, as large as the room allows."""
    left, top, right, bottom = room
    width, height, n = right - left, bottom - top, scene.people
    gap = _gaps(scene) if n == 2 else 1.95 + 1.2 * (1 - scene.closeness)
    largest = {1: 0.33, 2: 0.26, 3: 0.22, 4: 0.2}[n] * height
    size = min(largest, width / (gap * (n - 1) + 2.6)) * float(rng.uniform(0.9, 1.0))
    spread = gap * size * (n - 1)
    middle = (left + right) / 2 + float(rng.uniform(-0.3, 0.3)) * max(0.0, width - spread - 2.6 * size)
    y = top + 1.35 * size + float(rng.uniform(0.0, 0.5)) * max(0.0, height - 5.0 * size)
    if n > 2:
        # Small figures high up would have bodies without end.
        y = max(y, bottom - float(rng.uniform(5.2, 6.2)) * size)
    figures = []
    for place, pose in enumerate(scene.poses):
        x = middle - spread / 2 + place * gap * size
        row = 0.7 * size if n > 2 and place % 2 else 0.0
        own = size * float(rng.uniform(0.94, 1.06))
        figures.append(Figure(pose, x, y + row + float(rng.uniform(-0.12, 0.2)) * size, own))
    return figures


def draw_people(canvas: Canvas, scene: Scene, figures: list[Figure], rng: np.random.Generator) -> None:
    """Everybody, those at the back of a group first."""
    if scene.people == 2:
        _draw_pair(canvas, scene, figures, rng)
        return
    order = sorted(figures, key=lambda f: f.y)
    for figure in order:
        draw_behind(canvas, figure)
        draw_body(canvas, figure)
        if figure.pose.stance == "crossed":
            draw_crossed_arms(canvas, figure)
        else:
            for side in (-1, 1):
                draw_arm(canvas, figure, side)
        draw_face(canvas, figure)
    if scene.people > 2 and scene.touch in ("shoulder", "embrace", "hands"):
        for figure, neighbour in pairwise(figures):
            draw_hand(canvas, figure, *neighbour.at(-1.1, 1.75))


def _draw_pair(canvas: Canvas, scene: Scene, figures: list[Figure], rng: np.random.Generator) -> None:
    left, right = figures
    front, back = (left, right) if rng.random() < 0.5 else (right, left)
    inner = {left: 1, right: -1} if left != right else {}
    for figure in figures:
        draw_behind(canvas, figure)
    for figure in (back, front):
        draw_body(canvas, figure)
        if figure.pose.stance == "crossed" and scene.touch in ("none", "shoulder"):
            draw_crossed_arms(canvas, figure)
            continue
        draw_arm(canvas, figure, -inner[figure])
        if scene.touch == "none":
            draw_arm(canvas, figure, inner[figure])
    _touch(canvas, scene.touch, left, right, front, back)
    for figure in (back, front):
        draw_face(canvas, figure)
    if scene.touch == "embrace":
        side = inner[back]
        draw_hand(canvas, back, *front.at(-side * 0.1, 2.35))


def _touch(canvas: Canvas, touch: str, left: Figure, right: Figure, front: Figure, back: Figure) -> None:
    r = (left.size + right.size) / 2
    x, y = (left.x + right.x) / 2, (left.y + right.y) / 2
    if touch == "hands":
        reach(canvas, left, 1, (x - 0.12 * r, y + 4.1 * r), 0.3)
        reach(canvas, right, -1, (x + 0.12 * r, y + 4.1 * r), 0.3)
    elif touch == "high-five":
        reach(canvas, left, 1, (x - 0.2 * r, y - 0.5 * r), 0.9)
        reach(canvas, right, -1, (x + 0.2 * r, y - 0.5 * r), 0.9)
    elif touch == "fist-bump":
        reach(canvas, left, 1, (x - 0.28 * r, y + 2.5 * r), 0.8)
        reach(canvas, right, -1, (x + 0.28 * r, y + 2.5 * r), 0.8)
    elif touch == "shoulder":
        side = 1 if back.x < front.x else -1
        draw_hand(canvas, back, *front.at(side * 1.2, 1.85))
    elif touch == "embrace":
        side = 1 if back.x < front.x else -1
        reach(canvas, back, side, front.at(-side * 0.1, 2.5), 0.35)
    elif touch == "forehead":
        reach(canvas, front, 1 if front.x < back.x else -1, back.at(0.0, 2.9), 0.5)
