"""A drawn alphabet, so that titles look the same on every machine: capitals as strokes in a cell one unit high."""

from __future__ import annotations

import numpy as np

from attune.labeler.sample.drawing import Points, ellipse, path

Glyph = tuple[float, tuple[Points, ...]]
"""Advance width and strokes, in cap heights; y runs from 0 at the top to 1 at the baseline."""


def _bowl(x: float, top: float, bottom: float, right: float) -> Points:
    """A stem-side D shape: out along the top, round, back along the bottom."""
    ry = (bottom - top) / 2
    bend = min(ry, right - x)
    return np.vstack([path((x, top)), ellipse(right - bend, top + ry, bend, ry, -90, 90, 14), path((x, bottom))])


_O = ellipse(0.36, 0.5, 0.36, 0.5, -90, 270, 30)
_GLYPHS: dict[str, Glyph] = {
    "A": (0.72, (path((0, 1), (0.36, 0), (0.72, 1)), path((0.13, 0.66), (0.59, 0.66)))),
    "B": (0.58, (path((0, 0), (0, 1)), _bowl(0, 0, 0.47, 0.5), _bowl(0, 0.47, 1, 0.58))),
    "C": (0.64, (ellipse(0.36, 0.5, 0.36, 0.5, -48, -312, 24),)),
    "D": (0.68, (path((0, 0), (0, 1)), _bowl(0, 0, 1, 0.68))),
    "E": (0.5, (path((0.5, 0), (0, 0), (0, 1), (0.5, 1)), path((0, 0.48), (0.42, 0.48)))),
    "F": (0.48, (path((0.48, 0), (0, 0), (0, 1)), path((0, 0.48), (0.4, 0.48)))),
    "G": (0.7, (ellipse(0.36, 0.5, 0.36, 0.5, -48, -360, 26), path((0.72, 0.54), (0.42, 0.54)))),
    "H": (0.66, (path((0, 0), (0, 1)), path((0.66, 0), (0.66, 1)), path((0, 0.5), (0.66, 0.5)))),
    "I": (0.0, (path((0, 0), (0, 1)),)),
    "J": (0.44, (np.vstack([path((0.44, 0)), ellipse(0.22, 0.74, 0.22, 0.26, 0, 180, 14)]),)),
    "K": (0.6, (path((0, 0), (0, 1)), path((0.56, 0), (0, 0.56)), path((0.18, 0.4), (0.6, 1)))),
    "L": (0.46, (path((0, 0), (0, 1), (0.46, 1)),)),
    "M": (0.8, (path((0, 1), (0.06, 0), (0.4, 0.7), (0.74, 0), (0.8, 1)),)),
    "N": (0.66, (path((0, 1), (0, 0), (0.66, 1), (0.66, 0)),)),
    "O": (0.72, (_O,)),
    "P": (0.54, (path((0, 0), (0, 1)), _bowl(0, 0, 0.55, 0.54))),
    "Q": (0.72, (_O, path((0.44, 0.72), (0.74, 1.06)))),
    "R": (0.58, (path((0, 0), (0, 1)), _bowl(0, 0, 0.52, 0.54), path((0.24, 0.52), (0.58, 1)))),
    "S": (
        0.52,
        (np.vstack([ellipse(0.26, 0.25, 0.25, 0.25, -30, -270, 16), ellipse(0.26, 0.75, 0.26, 0.25, -90, 150, 16)]),),
    ),
    "T": (0.6, (path((0, 0), (0.6, 0)), path((0.3, 0), (0.3, 1)))),
    "U": (0.64, (np.vstack([path((0, 0)), ellipse(0.32, 0.68, 0.32, 0.32, 180, 0, 16), path((0.64, 0))]),)),
    "V": (0.68, (path((0, 0), (0.34, 1), (0.68, 0)),)),
    "W": (0.96, (path((0, 0), (0.22, 1), (0.48, 0.2), (0.74, 1), (0.96, 0)),)),
    "X": (0.64, (path((0, 0), (0.64, 1)), path((0.64, 0), (0, 1)))),
    "Y": (0.64, (path((0, 0), (0.32, 0.5), (0.64, 0)), path((0.32, 0.5), (0.32, 1)))),
    "Z": (0.58, (path((0, 0), (0.58, 0), (0, 1), (0.58, 1)),)),
    " ": (0.14, ()),
}


def glyph(letter: str) -> Glyph:
    """The strokes of a capital; a letter that the alphabet lacks is a space."""
    return _GLYPHS.get(letter.upper(), _GLYPHS[" "])


def measure(text: str, width: float, tracking: float) -> float:
    """Length of ``text`` in cap heights, with its letters ``width`` times as wide and ``tracking`` between them."""
    return sum(glyph(c)[0] * width + tracking for c in text) - tracking
