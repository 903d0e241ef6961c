"""Hair, caps and scarves: what falls behind the shoulders and what lies over the face, in head radii."""

from __future__ import annotations

import numpy as np

from attune.labeler.sample.drawing import Canvas, Colour, Frame, Points, ellipse, outline, path, smooth
from attune.labeler.sample.latents import Character
from attune.labeler.sample.palettes import HAIRS, SKINS, darker, lighter, mix, rgb

_CAP_RED = rgb("d1495b")
_BOB = outline("-.98 -.5  0 -1.14  .98 -.5  1.16 .5  .98 1.02  0 1.05  -.98 1.02  -1.16 .5")
_BEHIND: dict[str, Points] = {
    "long": outline("-.95 -.5  0 -1.12  .95 -.5  1.12 .8  1.2 2.2  0 2.35  -1.2 2.2  -1.12 .8"),
    "bob": _BOB,
    "fringe": _BOB,
    "ponytail": outline(".5 -.7  1.2 -.75  1.5 .1  1.32 1.2  1.05 .5  .85 -.1"),
    "bun": ellipse(0, -1.2, 0.46, 0.42, n=12),
}
_SCARF_BEHIND = outline("-1.02 -.4  0 -1.16  1.02 -.4  1.12 .7  1.3 1.7  0 2  -1.3 1.7  -1.12 .7")
_SCARF_OUTER = outline("-1 .4  -1 -.4  -.6 -1  0 -1.16  .6 -1  1 -.4  1 .4")
_SCARF_INNER = outline(".8 .35  .74 -.3  .45 -.72  0 -.82  -.45 -.72  -.74 -.3  -.8 .35")
_CURLS = ((-0.8, -0.6, 0.6), (0.8, -0.6, 0.6), (0, -0.95, 0.65), (-1.02, 0.02, 0.5), (1.02, 0.02, 0.5), (-0.9, 0.5, 0.36), (0.9, 0.5, 0.36))  # fmt: skip # noqa: E501
_PLAIN = outline("-.93 0  -.9 -.65  -.4 -1.1  .4 -1.1  .9 -.65  .93 0  .72 -.45  0 -.78  -.72 -.45")
_FRONT: dict[str, Points] = {
    "short": outline("-.92 -.1  -.88 -.7  -.4 -1.1  .4 -1.1  .88 -.7  .92 -.1  .72 -.42  .3 -.6  -.4 -.58  -.72 -.42"),
    "quiff": outline("-.9 -.1  -.9 -.7  -.5 -1.2  .3 -1.42  .95 -1.1  .9 -.1  .74 -.5  .2 -.66  -.5 -.5  -.76 -.35"),
    "bob": outline("-1.02 .5  -1 -.5  -.5 -1.1  .5 -1.1  1 -.5  1.02 .5  .8 .1  .7 -.4  .1 -.72  -.7 -.3  -.82 .1"),
    "fringe": outline(
        "-1.02 .45  -1 -.5  -.5 -1.1  .5 -1.1  1 -.5  1.02 .45  .82 0  .78 -.44  0 -.5  -.78 -.44  -.82 0"
    ),
    "long": outline(
        "-1.02 .7  -1 -.5  -.5 -1.12  .5 -1.12  1 -.5  1.02 .7  .84 .2  .72 -.35  0 -.84  -.72 -.35  -.84 .2"
    ),
    "curls": outline(
        "-.9 -.1  -.95 -.6  -.5 -1.08  .5 -1.08  .95 -.6  .9 -.1  .7 -.5  .35 -.55  0 -.7  -.35 -.55  -.7 -.5"
    ),
}
_CAP_TOP = outline("-.94 -.42  -.8 -.95  0 -1.26  .8 -.95  .94 -.42  0 -.55")
_CAP_PEAK = outline("-.9 -.44  0 -.64  .9 -.44  0 -.4")


def _scarf(who: Character) -> Colour:
    return mix(HAIRS[who.hair], rgb("e8b4bc"), 0.55)


def draw_hair_behind(canvas: Canvas, frame: Frame, who: Character) -> None:
    """What falls behind neck and shoulders; drawn before the body."""
    hair = darker(HAIRS[who.hair], 0.22)
    if who.hairstyle in _BEHIND:
        canvas.fill(frame(smooth(_BEHIND[who.hairstyle])), hair)
    elif who.hairstyle == "curls":
        for x, y, r in _CURLS:
            canvas.fill(frame(ellipse(x, y, r, r, n=24)), hair)
    elif who.hairstyle == "scarf":
        canvas.fill(frame(smooth(_SCARF_BEHIND)), darker(_scarf(who), 0.2))


def draw_hair_front(canvas: Canvas, frame: Frame, who: Character, yaw: float) -> None:
    """What frames the face; drawn after it."""
    hair, shift = HAIRS[who.hair], 0.14 * yaw
    if who.hairstyle == "bald":
        canvas.fill(frame(ellipse(-0.3, -0.7, 0.2, 0.1, n=16)), (*lighter(SKINS[who.skin], 0.5), 110))
    elif who.hairstyle == "cap":
        canvas.fill(frame(smooth(_CAP_TOP)), lighter(hair, 0.12) if sum(hair) > 220 else _CAP_RED)
        canvas.fill(frame(smooth(_CAP_PEAK + path((3 * shift, 0.0)))), darker(hair, 0.3))
    elif who.hairstyle == "scarf":
        band = np.vstack([smooth(_SCARF_OUTER, closed=False), smooth(_SCARF_INNER, closed=False)])
        canvas.fill(frame(band), _scarf(who))
    else:
        canvas.fill(frame(smooth(_FRONT.get(who.hairstyle, _PLAIN) + path((0.4 * shift, 0.0)))), hair)
        shine = ellipse(-0.1 + shift, -0.45, 0.62, 0.5, 215, 275, 10)
        canvas.stroke(frame(shine), (*lighter(hair, 0.35), 150), 0.06 * frame.size)


def draw_beard(canvas: Canvas, frame: Frame, who: Character, dx: float) -> None:
    """A full beard; the features slide over it by ``dx``."""
    shape = outline("-.84 .05  -.7 .3  -.2 .36  .2 .36  .7 .3  .84 .05  .8 .5  .45 1  0 1.14  -.45 1  -.8 .5")
    shape[2:4, 0] += dx
    canvas.fill(frame(smooth(shape)), HAIRS[who.hair])


def draw_glasses(canvas: Canvas, frame: Frame, dx: float) -> None:
    """Round glasses with a bridge."""
    ink = rgb("221a2c")
    for side in (-1, 1):
        canvas.stroke(frame(ellipse(dx + side * 0.36, -0.02, 0.29, 0.27, n=28)), ink, 0.06 * frame.size, caps=False)
    canvas.stroke(frame(path((dx - 0.08, -0.05), (dx + 0.08, -0.05))), ink, 0.06 * frame.size)
