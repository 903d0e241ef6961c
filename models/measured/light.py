"""Colour and light of an image, in CIE Lab (D65): what most people call brightness, contrast, saturation and warmth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attune.models.spaces.colour import to_lab

Pixels = npt.NDArray[np.uint8]
NEUTRAL = 12.0  # chroma below this looks grey
WARMEST = 50.0  # hue angle in degrees (Ou et al. 2004, "A study of colour emotion and colour preference", part I)
DARK, PALE = 22.0, 88.0  # L of black and of white
# Hue angles of CIE Lab at which each name begins, in degrees; "pink" goes round.
HUES = (
    (12.0, "red"),
    (48.0, "orange"),
    (78.0, "yellow"),
    (112.0, "green"),
    (180.0, "cyan"),
    (235.0, "blue"),
    (308.0, "purple"),
    (332.0, "pink"),
)
COLOURS = ("black", "white", "grey", *(name for _, name in HUES))


def measures(pixels: Pixels) -> dict[str, float]:
    """Of sRGB ``pixels`` (h, w, 3): ``brightness`` mean L (0 to 100), ``contrast`` standard deviation of L,
    ``saturation`` mean chroma (0 to about 130), ``warmth`` the pull of the hues from sky blue (-1) to orange (1),
    weighted by their chroma, and ``colourfulness`` (Hasler and Süsstrunk 2003, metric M3, on sRGB values of 0 to 255).
    """
    lab = to_lab(pixels.reshape(-1, 3))
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    hue = np.arctan2(lab[:, 2], lab[:, 1])
    towards_orange = np.cos(hue - np.deg2rad(WARMEST))
    total = float(chroma.sum())
    return {
        "brightness": float(lab[:, 0].mean()),
        "contrast": float(lab[:, 0].std()),
        "saturation": float(chroma.mean()),
        "warmth": float(chroma @ towards_orange) / total if total > len(chroma) else 0.0,  # a grey image has none
        "colourfulness": _colourfulness(pixels),
    }


def palette(pixels: Pixels) -> dict[str, float]:
    """The share of each of COLOURS among ``pixels`` (h, w, 3); the shares sum to 1."""
    lab = to_lab(pixels.reshape(-1, 3))
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    degrees = np.rad2deg(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    place = np.searchsorted([start for start, _ in HUES], degrees, side="right") - 1
    named = 3 + place % len(HUES)  # before the first start comes the last name
    named[chroma < NEUTRAL] = 2
    named[(lab[:, 0] < DARK) & (chroma < 2 * NEUTRAL)] = 0
    named[(lab[:, 0] > PALE) & (chroma < NEUTRAL)] = 1
    shares = np.bincount(named, minlength=len(COLOURS)) / len(named)
    return dict(zip(COLOURS, shares.tolist(), strict=True))


def main_colour(pixels: Pixels) -> str:
    """The one of COLOURS that most pixels have; black, white and grey only where nothing coloured covers a tenth."""
    shares = palette(pixels)
    coloured = {name: share for name, share in shares.items() if name not in COLOURS[:3]}
    best = max(coloured, key=lambda name: coloured[name])
    return best if coloured[best] >= 0.1 else max(shares, key=lambda name: shares[name])


def _colourfulness(pixels: Pixels) -> float:
    red, green, blue = pixels.reshape(-1, 3).astype(np.float64).T
    sides = np.stack([red - green, (red + green) / 2 - blue])
    return float(np.hypot(*sides.std(axis=1)) + 0.3 * np.hypot(*sides.mean(axis=1)))
