"""Heads: skin, hair and an expression that runs from laughing (mood 0) to stern (mood 1).

All coordinates are in head radii, the middle of the head at (0, 0), y down; ``yaw`` slides the features sideways.
"""

from __future__ import annotations

from attune.labeler.sample.drawing import Canvas, Colour, Frame, box, ellipse, outline, path, smooth
from attune.labeler.sample.hair import draw_beard, draw_glasses, draw_hair_front
from attune.labeler.sample.latents import Pose
from attune.labeler.sample.palettes import HAIRS, SKINS, darker, mix, rgb

_MOUTH, _TONGUE, _TEETH, _EYE = rgb("5b1626"), rgb("e8697d"), rgb("fffdf8"), rgb("221a2c")
_PALE_LIPS = rgb("e08f86")
_FACE = outline("-.86 -.25  -.6 -.85  0 -1  .6 -.85  .86 -.25  .8 .4  .45 .9  0 1.04  -.45 .9  -.8 .4")
_BROW_SHADOW = outline("-.82 -.5  0 -.6  .82 -.5  .78 -.08  .4 .2  0 -.06  -.4 .2  -.78 -.08")


def draw_head(canvas: Canvas, frame: Frame, pose: Pose) -> None:
    """Ears, face, expression and the front of the hair."""
    who, yaw = pose.character, max(-1.0, min(1.0, pose.yaw))
    skin = SKINS[who.skin]
    for side in (-1, 1):
        canvas.fill(frame(ellipse(side * 0.86 - yaw * 0.16, 0.1, 0.19, 0.25, n=20)), darker(skin, 0.14))
    canvas.fill(frame(smooth(_FACE)), skin)
    dx = 0.3 * yaw
    if who.beard:
        draw_beard(canvas, frame, who, dx)
    _cheeks(canvas, frame, pose, skin, dx)
    _eyes(canvas, frame, pose, skin, dx)
    _brows(canvas, frame, pose, dx)
    nose = smooth(
        path((dx * 1.1 + 0.02, -0.02), (dx * 1.25 + (0.1 if yaw >= 0 else -0.1), 0.24), (dx * 1.15 - 0.02, 0.27)),
        closed=False,
    )
    canvas.stroke(frame(nose), darker(skin, 0.34), 0.075 * frame.size)
    _mouth(canvas, frame, pose, dx * 1.05)
    if who.glasses:
        draw_glasses(canvas, frame, dx)
    draw_hair_front(canvas, frame, who, yaw)


def _cheeks(canvas: Canvas, frame: Frame, pose: Pose, skin: Colour, dx: float) -> None:
    """Rosy where the face is merry; where it is stern, a shadow under the brows."""
    rosy, grim = max(0.0, 0.56 - pose.mood) / 0.56, max(0.0, pose.mood - 0.5) / 0.5
    if rosy > 0.05:
        for side in (-1, 1):
            blush = ellipse(max(-0.6, min(0.6, dx + side * 0.54)), 0.3, 0.21, 0.16, n=20)
            canvas.fill(frame(blush), (*mix(skin, rgb("f23d5e"), 0.7), round(60 + 180 * rosy)))
    if grim > 0.05:
        canvas.fill(frame(smooth(_BROW_SHADOW + path((0.6 * dx, 0.0)))), (*darker(skin, 0.75), round(40 + 130 * grim)))


def _eyes(canvas: Canvas, frame: Frame, pose: Pose, skin: Colour, dx: float) -> None:
    for side in (-1, 1):
        x = dx + side * 0.35 * (1 - 0.12 * side * pose.yaw)
        if pose.eyes == "happy":
            canvas.stroke(frame(ellipse(x, 0.04, 0.16, 0.15, 190, 350, 14)), _EYE, 0.1 * frame.size)
        elif pose.eyes == "closed":
            canvas.stroke(frame(ellipse(x, -0.08, 0.16, 0.12, 10, 170, 14)), _EYE, 0.1 * frame.size)
        else:
            canvas.fill(frame(ellipse(x, -0.03, 0.21, 0.21, n=22)), _TEETH)
            canvas.fill(frame(ellipse(x + 0.09 * pose.gaze, -0.02, 0.13, 0.14, n=18)), _EYE)
            canvas.fill(frame(ellipse(x + 0.09 * pose.gaze + 0.04, -0.07, 0.035, 0.035, n=8)), _TEETH)
            drop = max(0.0, pose.mood - 0.45) * 0.28
            if drop > 0.02:
                canvas.fill(frame(box(x - 0.23, -0.26, x + 0.23, -0.22 + drop)), skin)
                canvas.stroke(
                    frame(path((x - 0.19, -0.22 + drop), (x + 0.19, -0.22 + drop))),
                    darker(skin, 0.5),
                    0.05 * frame.size,
                )


def _brows(canvas: Canvas, frame: Frame, pose: Pose, dx: float) -> None:
    colour = darker(HAIRS[pose.character.hair], 0.45)
    inner, outer = -0.5 + 0.3 * pose.mood, -0.36 - 0.16 * pose.mood
    if pose.mood < 0.5:
        inner -= 0.04
    for side in (-1, 1):
        x = dx + side * 0.35
        arch = path(
            (x - side * 0.17, inner), (x, (inner + outer) / 2 - 0.07 * (1 - pose.mood)), (x + side * 0.2, outer)
        )
        canvas.stroke(frame(smooth(arch, closed=False)), colour, 0.115 * pose.character.brows * frame.size)


def _mouth(canvas: Canvas, frame: Frame, pose: Pose, x: float) -> None:
    """From a laugh with teeth and tongue, over a closed smile and a level line, to a frown."""
    mood = pose.mood
    if mood < 0.24:
        tall = 0.54 - 0.6 * mood
        lips = smooth(
            path(
                (x - 0.46, 0.4),
                (x, 0.45),
                (x + 0.46, 0.4),
                (x + 0.3, 0.4 + 0.8 * tall),
                (x, 0.4 + tall),
                (x - 0.3, 0.4 + 0.8 * tall),
            )
        )
        canvas.fill(frame(lips), _MOUTH)
        canvas.fill(
            frame(
                smooth(
                    path((x - 0.39, 0.43), (x, 0.465), (x + 0.39, 0.43), (x + 0.27, 0.57), (x, 0.6), (x - 0.27, 0.57))
                )
            ),
            _TEETH,
        )
        canvas.fill(frame(ellipse(x, 0.36 + 0.92 * tall, 0.15, 0.2 * tall, n=16)), _TONGUE)
        return
    bend = 0.62 * (0.54 - mood)
    half = 0.42 - 0.12 * min(1.0, max(0.0, mood - 0.24) / 0.5)
    curve = smooth(path((x - half, 0.54 - bend / 2), (x, 0.54 + bend / 2), (x + half, 0.54 - bend / 2)), closed=False)
    if mood < 0.36:
        canvas.fill(frame(curve), _TEETH)
    dark = sum(SKINS[pose.character.skin]) < 300 or (pose.character.beard and sum(HAIRS[pose.character.hair]) < 300)
    canvas.stroke(frame(curve), _PALE_LIPS if dark else _MOUTH, 0.12 * frame.size)
