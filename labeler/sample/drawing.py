"""Flat shapes on a supersampled Pillow image: polygons, smooth outlines, strokes, gradients and local frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Points = NDArray[np.float64]
Colour = tuple[int, ...]
"""RGB or RGBA, 0-255; an alpha below 255 is blended."""


def path(*points: tuple[float, float]) -> Points:
    """Points as a float64 array (n, 2), in design units."""
    return np.array(points, dtype=np.float64)


def outline(numbers: str) -> Points:
    """Points from their written coordinates, ``x y  x y ...``."""
    return np.array(numbers.split(), dtype=np.float64).reshape(-1, 2)


def ellipse(cx: float, cy: float, rx: float, ry: float, start: float = 0.0, stop: float = 360.0, n: int = 40) -> Points:
    """An ellipse or a part of it; degrees run clockwise from three o'clock, since y points down."""
    angles = np.radians(np.linspace(start, stop, n))
    return np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1)


def box(x0: float, y0: float, x1: float, y1: float) -> Points:
    """The four corners of a rectangle."""
    return path((x0, y0), (x1, y0), (x1, y1), (x0, y1))


_STEPS = np.linspace(0.0, 1.0, 8, endpoint=False)[None, :, None]


def smooth(points: Points, closed: bool = True) -> Points:
    """A Catmull-Rom curve through ``points`` (n, 2): eight steps a segment."""
    if closed:
        before, here, after, beyond = (np.roll(points, shift, axis=0) for shift in (1, 0, -1, -2))
    else:
        padded = np.vstack([points[:1], points, points[-1:]])
        before, here, after, beyond = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    before, here, after, beyond = (part[:, None, :] for part in (before, here, after, beyond))
    t = _STEPS
    curve = 0.5 * (
        2 * here
        + (after - before) * t
        + (2 * before - 5 * here + 4 * after - beyond) * t**2
        + (3 * here - before - 3 * after + beyond) * t**3
    )
    flat: Points = curve.reshape(-1, 2)
    return flat if closed else np.vstack([flat, points[-1:]])


@dataclass(frozen=True)
class Frame:
    """A local system of coordinates: origin, size of one unit, rotation in degrees (clockwise)."""

    x: float
    y: float
    size: float
    angle: float = 0.0

    def __call__(self, points: Points) -> Points:
        """Local points (n, 2) in design units."""
        turn = math.radians(self.angle)
        cos, sin = math.cos(turn) * self.size, math.sin(turn) * self.size
        moved: Points = points @ np.array([[cos, sin], [-sin, cos]]) + (self.x, self.y)
        return moved


class Canvas:
    """An RGB image of ``width`` x ``height`` design units, drawn at ``scale`` pixels a unit."""

    def __init__(self, width: float, height: float, scale: float) -> None:
        self.width, self.height, self.scale = width, height, scale
        self.image = Image.new("RGB", (round(width * scale), round(height * scale)))
        self.draw = ImageDraw.Draw(self.image, "RGBA")

    def fill(self, points: Points, colour: Colour) -> None:
        """Fill the polygon of ``points`` (n, 2)."""
        self.draw.polygon((points * self.scale).ravel().tolist(), fill=colour)

    def stroke(self, points: Points, colour: Colour, width: float, caps: bool = True) -> None:
        """Draw a line of ``width`` design units along ``points``, with round ends unless ``caps`` is false."""
        pixels = max(1, round(width * self.scale))
        flat = (points * self.scale).ravel().tolist()
        self.draw.line(flat, fill=colour, width=pixels, joint="curve")
        if caps and pixels > 2:
            for end in (points[0], points[-1]):
                self.disc(float(end[0]), float(end[1]), width / 2, colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        s = self.scale
        self.draw.ellipse(((x - radius) * s, (y - radius) * s, (x + radius) * s, (y + radius) * s), fill=colour)

    def gradient(self, colours: Sequence[Colour], top: float = 0.0, bottom: float | None = None) -> None:
        """Fill the whole width between two heights with a vertical gradient through opaque ``colours``."""
        y0, y1 = round(top * self.scale), round((self.height if bottom is None else bottom) * self.scale)
        rows = max(1, y1 - y0)
        stops = np.linspace(0.0, 1.0, len(colours))
        at = np.linspace(0.0, 1.0, rows)
        ramp = np.stack([np.interp(at, stops, [c[band] for c in colours]) for band in range(3)], axis=1)
        strip = Image.fromarray(ramp.round().astype(np.uint8)[:, None, :])
        self.image.paste(strip.resize((self.image.width, rows), Image.Resampling.NEAREST), (0, y0))

    def shade(
        self, box_: tuple[float, float, float, float], colour: Colour, start: float, stop: float, across: bool = False
    ) -> None:
        """Lay ``colour`` over a box, its opacity running from ``start`` to ``stop`` (0-1) down it, or across it."""
        x0, y0, x1, y1 = (round(v * self.scale) for v in box_)
        width, height = max(1, x1 - x0), max(1, y1 - y0)
        ramp = (np.linspace(start, stop, width if across else height) * 255).round().astype(np.uint8)
        mask = Image.fromarray(ramp[None, :] if across else ramp[:, None]).resize((width, height))
        self.image.paste(colour[:3], (x0, y0, x0 + width, y0 + height), mask)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: int = 11) -> None:
        """Soft light: sixteen faint circles, each a little larger."""
        for step in range(16, 0, -1):
            self.disc(x, y, radius * (0.8 + step / 11.0), (*colour[:3], strength))
