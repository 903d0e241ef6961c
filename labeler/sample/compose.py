"""From a scene to a picture: setting, people, light and title."""

from __future__ import annotations

import numpy as np
from PIL import Image

from attune.labeler.sample.drawing import Canvas
from attune.labeler.sample.groups import draw_people, place_people
from attune.labeler.sample.interiors import PAINTERS
from attune.labeler.sample.latents import Scene
from attune.labeler.sample.palettes import PALETTES, Palette
from attune.labeler.sample.props import draw_floaters, draw_prop
from attune.labeler.sample.typography import choose_lettering, set_title

Room = tuple[float, float, float, float]
SIZES = {"poster": (200.0, 300.0), "wide": (320.0, 180.0)}
"""Width and height of each kind in design units."""


def _rooms(scene: Scene) -> tuple[Room, Room]:
    """Where the people go and where the title goes."""
    if scene.kind == "poster":
        return (
            ((8, 74, 192, 300), (16, 18, 184, 66))
            if scene.title_at == "top"
            else ((8, 16, 192, 250), (16, 230, 184, 282))
        )
    if scene.title_at == "left":
        return (118, 8, 314, 180), (14, 36, 114, 144)
    if scene.title_at == "right":
        return (6, 8, 202, 180), (206, 36, 306, 144)
    return (20, 6, 300, 160), (40, 132, 280, 170)


def _scrim(canvas: Canvas, scene: Scene, palette: Palette) -> None:
    """A shade in the palette's ink, so that the title can be read on anything."""
    w, h = canvas.width, canvas.height
    if scene.title_at == "bottom":
        canvas.shade((0, h * 0.62, w, h), palette.ink, 0.0, 0.92)
    elif scene.title_at == "top":
        canvas.shade((0, 0, w, h * 0.34), palette.ink, 0.8, 0.0)
    elif scene.title_at == "left":
        canvas.shade((0, 0, w * 0.5, h), palette.ink, 0.85, 0.0, across=True)
    else:
        canvas.shade((w * 0.5, 0, w, h), palette.ink, 0.0, 0.85, across=True)


def _lone_prop(canvas: Canvas, scene: Scene, palette: Palette, room: Room, rng: np.random.Generator) -> None:
    left, top, right, bottom = room
    size = min(right - left, bottom - top) * float(rng.uniform(0.2, 0.3))
    x = (left + right) / 2 + float(rng.uniform(-0.15, 0.15)) * (right - left)
    draw_prop(
        canvas,
        scene.prop,
        palette,
        x,
        top + (bottom - top) * float(rng.uniform(0.45, 0.62)),
        size,
        float(rng.uniform(-8, 8)),
    )


def paint(scene: Scene, scale: float) -> Image.Image:
    """The picture at ``scale`` pixels per design unit, without anti-aliasing: draw large, then shrink."""
    rng = np.random.default_rng(list(scene.seed))
    palette = PALETTES[scene.palette]
    canvas = Canvas(*SIZES[scene.kind], scale)
    PAINTERS[scene.setting](canvas, palette, rng)
    room, title_room = _rooms(scene)
    if scene.people == 0:
        _lone_prop(canvas, scene, palette, room, rng)
        heads = ((room[0] + room[2]) / 2, room[1] + 70, 24.0)
    else:
        if scene.prop != "none":
            side = 0.15 if rng.random() < 0.5 else 0.85
            draw_prop(
                canvas, scene.prop, palette, canvas.width * side, canvas.height * float(rng.uniform(0.3, 0.55)), 22
            )
        figures = place_people(scene, room, rng)
        heads = (float(np.mean([f.x for f in figures])), float(np.mean([f.y for f in figures])), figures[0].size)
        if scene.floaters == "bolt":
            draw_floaters(canvas, "bolt", palette, rng, heads)
        draw_people(canvas, scene, figures, rng)
    if scene.floaters != "bolt":
        draw_floaters(canvas, scene.floaters, palette, rng, heads)
    _scrim(canvas, scene, palette)
    colour = palette.paper if scene.title.lettering % 3 else palette.accents[0]
    set_title(canvas, scene.title.name, choose_lettering(scene.title.lettering), palette, title_room, colour)
    return canvas.image


def render(scene: Scene, long_side: int = 480, supersample: int = 2) -> Image.Image:
    """The finished RGB picture, ``long_side`` pixels on its longer side."""
    width, height = SIZES[scene.kind]
    scale = long_side / max(width, height)
    large = paint(scene, scale * supersample)
    return large.reduce(supersample) if supersample > 1 else large
