"""Colours of a file in sRGB, as its ICC profile has it: the values that a browser puts on an ordinary screen.

Little CMS does it, by way of Pillow. Which profiles count is taken from Chromium (seen in version 156): one of RGB for
RGB and grey, one of grey for grey alone, one of CMYK for CMYK alone; any other, and a broken one, is passed over as if
it were not there. Its first table (A2B0) is read, and white stays white: relative colorimetric.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterable
from io import BytesIO
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from attune.models.files.atomic import digest_bytes

KEPT = 64  # conversions; a pool has few profiles
ALIKE = 2  # of 255: a profile that moves no colour by more is sRGB, and nothing is converted
_SPACES = {"RGB": ("RGB",), "L": ("GRAY", "RGB"), "CMYK": ("CMYK",)}
_CLASSES = {"mntr", "prtr", "scnr", "spac"}
_Conversion = tuple[str, Any] | None  # mode to convert to first, and the transform; None where nothing is to be done
_made: OrderedDict[tuple[str, str], tuple[bool, _Conversion]] = OrderedDict()
_lock = Lock()


def to_srgb(picture: Image.Image, profiles: Iterable[bytes]) -> Image.Image:
    """``picture`` (L, RGB or CMYK, with alpha or without) as RGB or RGBA by the first usable of ``profiles``.

    Without any it is returned as it is; so it is where that one is whole and of another kind of colour. LAB, which has
    colours of its own, needs none.
    """
    if picture.mode == "LAB":
        return _from_lab(picture)
    mode = {"LA": "L", "RGBA": "RGB"}.get(picture.mode, picture.mode)
    conversion = _first_usable(profiles, mode)
    if conversion is None:
        return picture
    first, transform = conversion
    alpha = picture.getchannel("A") if picture.mode in {"LA", "RGBA"} else None
    plain = picture.getchannel("L") if picture.mode == "LA" else picture
    coloured = ImageCms.applyTransform(plain if plain.mode == first else plain.convert(first), transform)
    assert coloured is not None
    if alpha is not None:
        coloured.putalpha(alpha)
    return coloured


def converts(profiles: Iterable[bytes], mode: str) -> bool:
    """Whether any of ``profiles`` changes the colours of a picture of this mode."""
    return _first_usable(profiles, {"LA": "L", "RGBA": "RGB"}.get(mode, mode)) is not None


def _first_usable(profiles: Iterable[bytes], mode: str) -> _Conversion:
    for profile in profiles:
        usable, conversion = _conversion(profile, mode)
        if usable:
            return conversion
    return None


def _conversion(profile: bytes, mode: str) -> tuple[bool, _Conversion]:
    key = (digest_bytes(profile), mode)
    with _lock:
        if key in _made:
            _made.move_to_end(key)
            return _made[key]
    transform = _make(profile, mode)
    with _lock:
        _made[key] = transform
        while len(_made) > KEPT:
            _made.popitem(last=False)
    return transform


def _make(profile: bytes, mode: str) -> tuple[bool, _Conversion]:
    try:
        opened = ImageCms.ImageCmsProfile(BytesIO(_with_first_table(profile)))
        space = opened.profile.xcolor_space.strip()
        if space not in _SPACES.get(mode, ()) or opened.profile.device_class.strip() not in _CLASSES:
            return True, None  # whole, and of no use here: nothing else is tried
        first = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}[space]
        target = ImageCms.createProfile("sRGB")
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        transform = ImageCms.buildTransform(opened, target, first, "RGB", renderingIntent=intent)
        return True, None if _changes_nothing(transform, first) else (first, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, OverflowError):
        return False, None


def _with_first_table(profile: bytes) -> bytes:
    """``profile`` with A2B0 also in the place of A2B1, which Little CMS would read for this intent."""
    count = struct.unpack_from(">I", profile, 128)[0] if len(profile) >= 132 else 0
    places = {profile[at : at + 4]: at for at in range(132, min(132 + 12 * count, len(profile) - 11), 12)}
    if b"A2B0" not in places or b"A2B1" not in places:
        return profile
    source, target = places[b"A2B0"], places[b"A2B1"]
    return profile[: target + 4] + profile[source + 4 : source + 12] + profile[target + 12 :]


def _changes_nothing(transform: Any, mode: str) -> bool:
    if mode == "CMYK":
        return False
    steps = np.linspace(0, 255, 256 if mode == "L" else 17).round().astype(np.uint8)
    if mode == "L":
        values = steps[None]
    else:
        values = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    before = Image.fromarray(values)
    after = np.asarray(ImageCms.applyTransform(before, transform), dtype=np.int16)
    return bool(np.abs(after - np.asarray(before.convert("RGB"), dtype=np.int16)).max() <= ALIKE)


def _from_lab(picture: Image.Image) -> Image.Image:
    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    coloured = ImageCms.applyTransform(picture, transform)
    assert coloured is not None
    return coloured
