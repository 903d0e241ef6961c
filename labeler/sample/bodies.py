"""Bodies: shoulders, clothes, arms and what the hands do; in head radii below a head at (0, 0)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attune.labeler.sample.drawing import Canvas, Colour, Frame, Points, box, ellipse, outline, path, smooth
from attune.labeler.sample.faces import draw_head
from attune.labeler.sample.hair import draw_hair_behind
from attune.labeler.sample.latents import Character, Pose
from attune.labeler.sample.palettes import CLOTHES, SKINS, darker, lighter, rgb

_TORSO = outline(
    "-.34 1.2  -1 1.42  -1.52 1.8  -1.62 2.9  -1.5 4.2  -1.6 16  1.6 16  1.5 4.2  1.62 2.9  1.52 1.8  1 1.42  .34 1.2"
)
_NARROW = 0.84  # narrow shoulders leave room for large heads: the faces are what is asked about


@dataclass(frozen=True)
class Figure:
    """A pose given its place: the middle of the head and its radius, in design units."""

    pose: Pose
    x: float
    y: float
    size: float

    @property
    def frame(self) -> Frame:
        """Upright, centred on the head."""
        return Frame(self.x, self.y, self.size)

    @property
    def head(self) -> Frame:
        """Tilted about the neck."""
        turn = np.radians(self.pose.tilt)
        x, y = self.x + self.size * 0.9 * np.sin(turn), self.y + self.size * 0.9 * (1 - np.cos(turn))
        return Frame(float(x), float(y), self.size, self.pose.tilt)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point of the body in design units."""
        return self.x + x * self.size * _NARROW * self.pose.character.build, self.y + y * self.size


def draw_behind(canvas: Canvas, figure: Figure) -> None:
    """Hair that falls behind the shoulders."""
    draw_hair_behind(canvas, figure.head, figure.pose.character)


def draw_body(canvas: Canvas, figure: Figure) -> None:
    """Neck, torso and clothes, down to the edge of the picture."""
    who, frame = figure.pose.character, figure.frame
    skin, cloth = SKINS[who.skin], CLOTHES[who.colour]
    torso = _TORSO.copy()
    torso[:, 0] *= _NARROW * who.build
    canvas.fill(frame(smooth(torso)), cloth)
    canvas.fill(frame(path((-0.36, 0.5), (0.36, 0.5), (0.4, 1.35), (0, 1.62), (-0.4, 1.35))), darker(skin, 0.16))
    _clothes(canvas, frame, who, cloth, skin)


def _clothes(canvas: Canvas, frame: Frame, who: Character, cloth: Colour, skin: Colour) -> None:
    dark, light = darker(cloth, 0.3), lighter(cloth, 0.45)
    if who.outfit == "suit":
        canvas.fill(frame(path((-0.45, 1.28), (0.45, 1.28), (0, 3.1))), rgb("fbf7f0"))
        canvas.fill(
            frame(path((-0.12, 1.55), (0.12, 1.55), (0.17, 2.7), (0, 2.95), (-0.17, 2.7))),
            rgb("8f2d56") if sum(cloth) < 400 else rgb("2b2d42"),
        )
        for side in (-1, 1):
            canvas.fill(
                frame(
                    path((side * 0.42, 1.22), (side * 0.95, 1.75), (side * 0.62, 2.05), (0, 3.15), (side * 0.2, 2.3))
                ),
                dark,
            )
    elif who.outfit == "shirt":
        for side in (-1, 1):
            canvas.fill(frame(path((0, 1.62), (side * 0.42, 1.2), (side * 0.72, 1.5), (side * 0.3, 1.95))), light)
        for y in (2.2, 2.8, 3.4, 4.0):
            canvas.fill(frame(ellipse(0, y, 0.06, 0.06, n=10)), light)
    elif who.outfit == "dress":
        canvas.fill(frame(smooth(path((-0.9, 1.42), (0, 1.3), (0.9, 1.42), (0.6, 1.95), (0, 2.2), (-0.6, 1.95)))), skin)
        for side in (-1, 1):
            canvas.stroke(frame(path((side * 0.85, 1.36), (side * 0.66, 2.0))), cloth, 0.16 * frame.size)
    elif who.outfit == "sweater":
        for y in (2.35, 2.95, 3.55, 4.15):
            canvas.fill(frame(box(-1.5 * _NARROW * who.build, y, 1.5 * _NARROW * who.build, y + 0.24)), light)
        canvas.fill(frame(smooth(path((-0.44, 1.0), (0.44, 1.0), (0.5, 1.5), (0, 1.62), (-0.5, 1.5)))), dark)
    elif who.outfit == "hoodie":
        canvas.fill(
            frame(
                smooth(
                    path(
                        (-0.75, 1.3),
                        (-0.3, 1.15),
                        (0, 1.75),
                        (0.3, 1.15),
                        (0.75, 1.3),
                        (0.5, 1.85),
                        (0, 2.1),
                        (-0.5, 1.85),
                    )
                )
            ),
            dark,
        )
        for side in (-1, 1):
            canvas.stroke(frame(path((side * 0.22, 1.95), (side * 0.26, 2.75))), light, 0.08 * frame.size)
    else:
        canvas.stroke(frame(ellipse(0, 1.2, 0.46, 0.42, 8, 172, 16)), light, 0.13 * frame.size)


def _limb(canvas: Canvas, figure: Figure, points: Points) -> None:
    """A sleeve and a hand along three or more points (design units) from shoulder to hand."""
    who, r = figure.pose.character, figure.size
    skin, cloth = SKINS[who.skin], CLOTHES[who.colour]
    bare = who.outfit in ("tee", "dress")
    curve = smooth(points, closed=False)
    edge, sleeve = darker(cloth, 0.26), darker(cloth, 0.1)
    canvas.stroke(curve, darker(skin, 0.2) if bare else edge, 0.6 * r)
    canvas.stroke(curve, skin if bare else sleeve, 0.5 * r)
    if bare:
        canvas.stroke(curve[: len(curve) // 3], sleeve, 0.62 * r)
    canvas.disc(float(points[-1][0]), float(points[-1][1]), 0.34 * r, skin)


def shoulder(figure: Figure, side: int) -> tuple[float, float]:
    """Where an arm begins; ``side`` -1 is the left of the picture."""
    return figure.at(side * 1.26, 1.95)


def reach(canvas: Canvas, figure: Figure, side: int, to: tuple[float, float], bend: float = 0.5) -> None:
    """An arm to a point; the elbow hangs ``bend`` head radii below the straight line."""
    start = shoulder(figure, side)
    elbow = ((start[0] + to[0]) / 2 + side * 0.1 * figure.size, (start[1] + to[1]) / 2 + bend * figure.size)
    _limb(canvas, figure, path(start, elbow, to))


def draw_arm(canvas: Canvas, figure: Figure, side: int) -> None:
    """One arm that no one else is concerned with, as the stance has it."""
    stance = figure.pose.stance
    if stance == "hips":
        _limb(canvas, figure, path(shoulder(figure, side), figure.at(side * 2.2, 3.2), figure.at(side * 1.3, 4.1)))
    elif stance == "wave" and side == (1 if figure.pose.yaw >= 0 else -1):
        _limb(canvas, figure, path(shoulder(figure, side), figure.at(side * 2.0, 2.1), figure.at(side * 1.95, 0.3)))
    elif stance == "pockets":
        _limb(canvas, figure, path(shoulder(figure, side), figure.at(side * 1.75, 3.4), figure.at(side * 1.05, 4.8)))
    else:
        _limb(canvas, figure, path(shoulder(figure, side), figure.at(side * 1.6, 3.4), figure.at(side * 1.55, 5.0)))


def draw_crossed_arms(canvas: Canvas, figure: Figure) -> None:
    """Both arms folded over the chest."""
    for side in (1, -1):
        _limb(
            canvas,
            figure,
            path(
                shoulder(figure, side),
                figure.at(side * 1.35, 3.1),
                figure.at(side * 0.2, 3.3),
                figure.at(-side * 0.85, 2.85 + 0.1 * side),
            ),
        )


def draw_hand(canvas: Canvas, figure: Figure, x: float, y: float) -> None:
    """A hand laid on something, fingers showing."""
    skin, r = SKINS[figure.pose.character.skin], figure.size
    for finger in range(4):
        spot = x + (finger - 1.5) * 0.19 * r
        canvas.stroke(
            path((spot, y - 0.12 * r), (spot, y + 0.24 * r)), darker(skin, 0.12 if finger % 2 else 0.04), 0.2 * r
        )
    canvas.disc(x, y - 0.14 * r, 0.32 * r, skin)


def draw_face(canvas: Canvas, figure: Figure) -> None:
    """The head, over everything that was drawn before."""
    canvas.fill(
        figure.frame(smooth(path((-0.34, 0.85), (0.34, 0.85), (0.2, 1.3), (0, 1.36), (-0.2, 1.3)))),
        darker(SKINS[figure.pose.character.skin], 0.26),
    )
    draw_head(canvas, figure.head, figure.pose)
