"""From the values that a file holds to 8 bits a channel and one background: depth, photometric meaning, transparency.

Pillow's own conversion cuts 16 and 32 bits off at 255, forgets which value is transparent where it is not one of 8
bits, and knows nothing of values that mean "no data".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

BACKGROUND = "white"  # what a browser's page is, and the paper that a logo is made for
WHITE_IS_ZERO = 0
ABSENT = 1e30  # float32's ends and the like stand for "no data" where no tag says so
SENTINELS = (-9999.0, -99999.0, -32768.0, -32767.0, -999.0)
OUTLIERS, FAR = 0.5, 50.0  # per cent at each end; how many times the rest's range a few wild values may stretch
_DEEP = ("I", "F")


@dataclass(frozen=True)
class Meaning:
    """What the numbers of a file mean, as far as its mode does not say it.

    ``clear`` is the raw value of a transparent pixel, one number for grey and three for RGB, of ``depth`` bits.
    """

    depth: int = 8
    white_is_zero: bool = False
    signed: bool = False
    no_data: float | None = None
    clear: tuple[int, ...] = ()
    low_bytes: Image.Image | None = None  # of an RGB picture of 16 bits, whose high bytes are the picture
    grey_and_alpha: tuple[int, int] | None = None  # the channels to take, where grey with alpha came as RGBA


def is_deep(picture: Image.Image) -> bool:
    """Whether ``picture`` holds more than 8 bits a channel."""
    return picture.mode in _DEEP or picture.mode.startswith("I;16")


def eight_bits(picture: Image.Image, meaning: Meaning) -> Image.Image:
    """``picture`` as L, LA, RGB, RGBA, CMYK or LAB of 8 bits, its transparency as alpha."""
    if is_deep(picture) or (picture.mode == "L" and meaning.signed):
        return _grey(picture, meaning)
    if meaning.grey_and_alpha is not None and picture.mode == "RGBA":
        bands = picture.split()
        return Image.merge("LA", [bands[place] for place in meaning.grey_and_alpha])
    if meaning.clear and picture.mode in {"1", "L", "P", "RGB"}:
        return _with_clear(picture, meaning)
    if picture.mode in {"RGBa", "La", "PA"} or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode == "P":
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture.convert("L") if picture.mode == "1" else picture.convert("RGB") if _other(picture) else picture


def _other(picture: Image.Image) -> bool:
    return picture.mode not in {"L", "LA", "RGB", "RGBA", "CMYK", "LAB"}


def on_background(picture: Image.Image) -> Image.Image:
    """``picture`` as RGB, what is transparent laid on BACKGROUND."""
    if picture.mode not in {"LA", "RGBA"}:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, BACKGROUND), layer).convert("RGB")


def _with_clear(picture: Image.Image, meaning: Meaning) -> Image.Image:
    """Pixels of exactly the transparent value get alpha 0; the spare high bits of that value do not count."""
    top = 2**meaning.depth - 1
    indices = picture.mode == "P"
    values = np.asarray(picture.convert("L") if picture.mode == "1" else picture)
    clear = np.array([value & top for value in meaning.clear])
    if meaning.depth == 16:
        assert meaning.low_bytes is not None
        hit = (values == clear >> 8) & (np.asarray(meaning.low_bytes) == clear & 255)
    else:
        hit = values == clear * (1 if indices else 255 // top)
    if hit.ndim == 3:
        hit = hit.all(axis=-1)
    converted = picture.convert("RGB" if indices or picture.mode == "RGB" else "L")
    converted.putalpha(Image.fromarray(np.where(hit, 0, 255).astype(np.uint8)))
    return converted


def _grey(picture: Image.Image, meaning: Meaning) -> Image.Image:
    """Grey of 16 or 32 bits: numbers of a known range by that range, others by what they span."""
    values = np.asarray(picture)
    if picture.mode == "I" and meaning.depth == 32 and not meaning.signed:
        values = values.view(np.uint32)  # Pillow has no mode for these, nor for the next two
    elif picture.mode == "L":
        values = values.view(np.int8)
    elif picture.mode == "F" and meaning.depth == 16:
        values = values.astype(np.uint16).view(np.float16)
    clear = values == meaning.clear[0] if meaning.clear else None
    if picture.mode.startswith("I;16"):
        scaled = _scaled(values.astype(np.float64), 0.0, 2.0 ** min(meaning.depth if meaning.depth > 8 else 16, 16) - 1)
    else:
        values = values.astype(np.float64)
        valid = _known(values, meaning.no_data)
        clear = clear if valid.all() else ~(valid | _end_of_scale(values, meaning.no_data))
        scaled = _scaled(values, *_span(values[valid & np.isfinite(values)], picture.mode, meaning.signed))
    grey = Image.fromarray(255 - scaled if meaning.white_is_zero else scaled)
    if clear is not None and clear.any():
        grey.putalpha(Image.fromarray(np.where(clear, 0, 255).astype(np.uint8)))
    return grey


def _known(values: npt.NDArray[np.float64], no_data: float | None) -> npt.NDArray[np.bool_]:
    """Which values are numbers of the picture; an infinite one is none to measure by, and shown at its end."""
    valid: npt.NDArray[np.bool_] = np.isfinite(values)
    valid &= np.abs(values, where=valid, out=np.zeros_like(values)) < ABSENT
    if no_data is not None and np.isfinite(no_data):
        valid &= ~np.isclose(values, no_data, rtol=1e-6, atol=0)
    elif valid.any() and (low := values[valid].min()) in SENTINELS:
        rest = values[valid & (values != low)]
        if len(rest) and rest.min() - low > rest.max() - rest.min():
            valid &= values != low
    return valid


def _end_of_scale(values: npt.NDArray[np.float64], no_data: float | None) -> npt.NDArray[np.bool_]:
    """Which values say "more than can be stored"; a no-data value of 64 bits that Pillow's 32 cannot hold is none."""
    ends: npt.NDArray[np.bool_] = np.isinf(values)
    if no_data is not None and abs(no_data) > float(np.finfo(np.float32).max):
        ends &= np.sign(values) != np.sign(no_data)
    return ends


def _span(values: npt.NDArray[np.float64], mode: str, signed: bool) -> tuple[float, float]:
    """The values that become black and white; a few that are far from all others do not squeeze the rest."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if mode == "I" and not signed:
        return 0.0, high if high > 65535 else 65535.0
    near, far = (float(part) for part in np.percentile(values, [OUTLIERS, 100 - OUTLIERS]))
    if far > near and high - low > FAR * (far - near):
        reach = FAR / 2 * (far - near)
        near_ones = values[(values > near - reach) & (values < far + reach)]
        return float(near_ones.min()), float(near_ones.max())
    return low, high


def _scaled(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    with np.errstate(invalid="ignore", over="ignore"):
        shares = (values - low) * (255 / max(high - low, 1e-12))
    return np.clip(np.nan_to_num(shares, nan=255.0, posinf=255.0, neginf=0.0), 0, 255).round().astype(np.uint8)
