"""Heads: skin, hair and an expression that runs from laughing (mood 0) to stern (mood 1).

All coordinates are in head radii, the middle of the head at (0, 0), y down; ``yaw`` slides the features sideways.
"""

from __future__ import annotations

import numpy as np

from models.sample.canvas import Canvas, Colour, Frame, box, ellipse, path, smooth
from models.sample.latents import Character, Pose
from models.sample.palettes import HAIRS, SKINS, darker, lighter, mix, rgb

_MOUTH, _TONGUE, _TEETH, _EYE = rgb("5b1626"), rgb("e8697d"), rgb("fffdf8"), rgb("221a2c")


def draw_hair_behind(canvas: Canvas, frame: Frame, who: Character) -> None:
    """What falls behind neck and shoulders; drawn before the body."""
    hair = darker(HAIRS[who.hair], 0.22)
    if who.hairstyle == "long":
        canvas.fill(frame(smooth(path((-0.95, -0.5), (0, -1.12), (0.95, -0.5), (1.12, 0.8), (1.2, 2.2), (0, 2.35), (-1.2, 2.2), (-1.12, 0.8)))), hair)
    elif who.hairstyle in ("bob", "fringe"):
        canvas.fill(frame(smooth(path((-0.98, -0.5), (0, -1.14), (0.98, -0.5), (1.16, 0.5), (0.98, 1.02), (0, 1.05), (-0.98, 1.02), (-1.16, 0.5)))), hair)
    elif who.hairstyle == "curls":
        for x, y, r in ((-0.8, -0.6, 0.6), (0.8, -0.6, 0.6), (0, -0.95, 0.65), (-1.02, 0.02, 0.5), (1.02, 0.02, 0.5), (-0.9, 0.5, 0.36), (0.9, 0.5, 0.36)):
            canvas.fill(frame(ellipse(x, y, r, r, n=24)), hair)
    elif who.hairstyle == "ponytail":
        canvas.fill(frame(smooth(path((0.5, -0.7), (1.2, -0.75), (1.5, 0.1), (1.32, 1.2), (1.05, 0.5), (0.85, -0.1)))), hair)
    elif who.hairstyle == "bun":
        canvas.fill(frame(ellipse(0, -1.2, 0.46, 0.42, n=28)), hair)
    elif who.hairstyle == "scarf":
        canvas.fill(frame(smooth(path((-1.02, -0.4), (0, -1.16), (1.02, -0.4), (1.12, 0.7), (1.3, 1.7), (0, 2.0), (-1.3, 1.7), (-1.12, 0.7)))), darker(_scarf(who), 0.2))


def _scarf(who: Character) -> Colour:
    return mix(HAIRS[who.hair], rgb("e8b4bc"), 0.55)


def draw_head(canvas: Canvas, frame: Frame, pose: Pose) -> None:
    """Ears, face, expression and the front of the hair."""
    who, yaw = pose.character, max(-1.0, min(1.0, pose.yaw))
    skin = SKINS[who.skin]
    for side in (-1, 1):
        canvas.fill(frame(ellipse(side * 0.86 - yaw * 0.16, 0.1, 0.19, 0.25, n=20)), darker(skin, 0.14))
    canvas.fill(frame(smooth(path((-0.86, -0.25), (-0.6, -0.85), (0, -1.0), (0.6, -0.85), (0.86, -0.25), (0.8, 0.4), (0.45, 0.9), (0, 1.04), (-0.45, 0.9), (-0.8, 0.4)))), skin)
    dx = 0.3 * yaw
    if who.beard:
        canvas.fill(frame(smooth(path((-0.84, 0.05), (-0.7, 0.3), (dx - 0.2, 0.36), (dx + 0.2, 0.36), (0.7, 0.3), (0.84, 0.05), (0.8, 0.5), (0.45, 1.0), (0, 1.14), (-0.45, 1.0), (-0.8, 0.5)))), HAIRS[who.hair])
    _cheeks(canvas, frame, pose, skin, dx)
    _eyes(canvas, frame, pose, skin, dx)
    _brows(canvas, frame, pose, dx)
    nose = smooth(path((dx * 1.1 + 0.02, -0.02), (dx * 1.25 + (0.1 if yaw >= 0 else -0.1), 0.24), (dx * 1.15 - 0.02, 0.27)), closed=False)
    canvas.stroke(frame(nose), darker(skin, 0.34), 0.075 * frame.size)
    _mouth(canvas, frame, pose.mood, dx * 1.05)
    if who.glasses:
        _glasses(canvas, frame, dx)
    _hair_front(canvas, frame, who, yaw)


def _cheeks(canvas: Canvas, frame: Frame, pose: Pose, skin: Colour, dx: float) -> None:
    strength = round(max(0.0, 130 * (0.75 - pose.mood)))
    if strength > 8:
        for side in (-1, 1):
            canvas.fill(frame(ellipse(dx + side * 0.52, 0.3, 0.17, 0.12, n=18)), (*mix(skin, rgb("f0506e"), 0.6), strength))


def _eyes(canvas: Canvas, frame: Frame, pose: Pose, skin: Colour, dx: float) -> None:
    for side in (-1, 1):
        x = dx + side * 0.35 * (1 - 0.12 * side * pose.yaw)
        if pose.eyes == "happy":
            canvas.stroke(frame(ellipse(x, 0.04, 0.16, 0.15, 190, 350, 14)), _EYE, 0.085 * frame.size)
        elif pose.eyes == "closed":
            canvas.stroke(frame(ellipse(x, -0.08, 0.16, 0.12, 10, 170, 14)), _EYE, 0.085 * frame.size)
        else:
            canvas.fill(frame(ellipse(x, -0.03, 0.19, 0.19, n=22)), _TEETH)
            canvas.fill(frame(ellipse(x + 0.09 * pose.gaze, -0.02, 0.115, 0.125, n=18)), _EYE)
            canvas.fill(frame(ellipse(x + 0.09 * pose.gaze + 0.04, -0.07, 0.035, 0.035, n=8)), _TEETH)
            drop = max(0.0, pose.mood - 0.45) * 0.28
            if drop > 0.02:
                canvas.fill(frame(box(x - 0.23, -0.26, x + 0.23, -0.22 + drop)), skin)
                canvas.stroke(frame(path((x - 0.19, -0.22 + drop), (x + 0.19, -0.22 + drop))), darker(skin, 0.5), 0.05 * frame.size)


def _brows(canvas: Canvas, frame: Frame, pose: Pose, dx: float) -> None:
    colour = darker(HAIRS[pose.character.hair], 0.45)
    inner, outer = -0.47 + 0.25 * pose.mood, -0.36 - 0.1 * pose.mood
    if pose.mood < 0.5:
        inner -= 0.04
    for side in (-1, 1):
        x = dx + side * 0.35
        arch = path((x - side * 0.17, inner), (x, (inner + outer) / 2 - 0.07 * (1 - pose.mood)), (x + side * 0.2, outer))
        canvas.stroke(frame(smooth(arch, closed=False)), colour, 0.085 * pose.character.brows * frame.size)


def _mouth(canvas: Canvas, frame: Frame, mood: float, x: float) -> None:
    """From a laugh with teeth and tongue, over a closed smile and a level line, to a frown."""
    if mood < 0.24:
        tall = 0.46 - 0.6 * mood
        lips = smooth(path((x - 0.4, 0.42), (x, 0.47), (x + 0.4, 0.42), (x + 0.27, 0.42 + 0.8 * tall), (x, 0.42 + tall), (x - 0.27, 0.42 + 0.8 * tall)))
        canvas.fill(frame(lips), _MOUTH)
        canvas.fill(frame(smooth(path((x - 0.34, 0.445), (x, 0.48), (x + 0.34, 0.445), (x + 0.24, 0.56), (x, 0.59), (x - 0.24, 0.56)))), _TEETH)
        canvas.fill(frame(ellipse(x, 0.36 + 0.92 * tall, 0.15, 0.2 * tall, n=16)), _TONGUE)
        return
    bend = 0.5 * (0.54 - mood)
    half = 0.36 - 0.12 * min(1.0, max(0.0, mood - 0.24) / 0.5)
    curve = smooth(path((x - half, 0.55 - bend / 2), (x, 0.55 + bend / 2), (x + half, 0.55 - bend / 2)), closed=False)
    if mood < 0.36:
        canvas.fill(frame(curve), _TEETH)
    canvas.stroke(frame(curve), _MOUTH, 0.095 * frame.size)


def _glasses(canvas: Canvas, frame: Frame, dx: float) -> None:
    for side in (-1, 1):
        canvas.stroke(frame(ellipse(dx + side * 0.36, -0.02, 0.29, 0.27, n=28)), _EYE, 0.06 * frame.size, caps=False)
    canvas.stroke(frame(path((dx - 0.08, -0.05), (dx + 0.08, -0.05))), _EYE, 0.06 * frame.size)


def _hair_front(canvas: Canvas, frame: Frame, who: Character, yaw: float) -> None:
    hair, shift = HAIRS[who.hair], 0.14 * yaw
    style = who.hairstyle
    if style == "bald":
        canvas.fill(frame(ellipse(-0.3, -0.7, 0.2, 0.1, n=16)), (*lighter(SKINS[who.skin], 0.5), 110))
        return
    if style == "cap":
        canvas.fill(frame(smooth(path((-0.94, -0.42), (-0.8, -0.95), (0, -1.26), (0.8, -0.95), (0.94, -0.42), (0, -0.55)))), lighter(hair, 0.12) if sum(hair) > 220 else rgb("d1495b"))
        canvas.fill(frame(smooth(path((-0.9 + shift * 3, -0.44), (0 + shift * 3, -0.64), (0.9 + shift * 3, -0.44), (0 + shift * 3, -0.4)))), darker(hair, 0.3))
        return
    if style == "scarf":
        scarf = _scarf(who)
        outer = path((-1.0, 0.4), (-1.0, -0.4), (-0.6, -1.0), (0, -1.16), (0.6, -1.0), (1.0, -0.4), (1.0, 0.4))
        inner = path((0.8, 0.35), (0.74, -0.3), (0.45, -0.72), (0, -0.82), (-0.45, -0.72), (-0.74, -0.3), (-0.8, 0.35))
        canvas.fill(frame(np.vstack([smooth(outer, closed=False), smooth(inner, closed=False)])), scarf)
        return
    shapes = {
        "short": path((-0.92, -0.1), (-0.88, -0.7), (-0.4, -1.1), (0.4, -1.1), (0.88, -0.7), (0.92, -0.1), (0.72, -0.42), (0.3, -0.6), (-0.4, -0.58), (-0.72, -0.42)),
        "quiff": path((-0.9, -0.1), (-0.9, -0.7), (-0.5, -1.2), (0.3, -1.42), (0.95, -1.1), (0.9, -0.1), (0.74, -0.5), (0.2, -0.66), (-0.5, -0.5), (-0.76, -0.35)),
        "bob": path((-1.02, 0.5), (-1.0, -0.5), (-0.5, -1.1), (0.5, -1.1), (1.0, -0.5), (1.02, 0.5), (0.8, 0.1), (0.7, -0.4), (0.1, -0.72), (-0.7, -0.3), (-0.82, 0.1)),
        "fringe": path((-1.02, 0.45), (-1.0, -0.5), (-0.5, -1.1), (0.5, -1.1), (1.0, -0.5), (1.02, 0.45), (0.82, 0.0), (0.78, -0.44), (0, -0.5), (-0.78, -0.44), (-0.82, 0.0)),
        "long": path((-1.02, 0.7), (-1.0, -0.5), (-0.5, -1.12), (0.5, -1.12), (1.0, -0.5), (1.02, 0.7), (0.84, 0.2), (0.72, -0.35), (0.0, -0.84), (-0.72, -0.35), (-0.84, 0.2)),
        "curls": path((-0.9, -0.1), (-0.95, -0.6), (-0.5, -1.08), (0.5, -1.08), (0.95, -0.6), (0.9, -0.1), (0.7, -0.5), (0.35, -0.55), (0, -0.7), (-0.35, -0.55), (-0.7, -0.5)),
    }
    shape = shapes.get(style, path((-0.93, 0.0), (-0.9, -0.65), (-0.4, -1.1), (0.4, -1.1), (0.9, -0.65), (0.93, 0.0), (0.72, -0.45), (0.0, -0.78), (-0.72, -0.45)))
    canvas.fill(frame(smooth(shape + (shift * 0.4, 0.0))), hair)
    canvas.stroke(frame(ellipse(-0.1 + shift, -0.45, 0.62, 0.5, 215, 275, 10)), (*lighter(hair, 0.35), 150), 0.06 * frame.size)
