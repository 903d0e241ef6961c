"""The space `colour`: which colours an image has and how much of each, without any network.

A histogram over CIE Lab, in which equal distances look about equally different (D65, sRGB as IEC 61966-2-1). Each pixel
is shared out to the eight nearest bins, so that a slightly lighter print does not fall into other bins. The roots of
the shares have length 1, and their cosine is the Bhattacharyya coefficient of two palettes.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import Image

from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.products import FloatArray

EDGE = 64  # pixels that an image is shrunk to: colours survive, and grain does not count
BINS = (5, 7, 7)  # of L, a and b
LOW, HIGH = np.array([0.0, -80.0, -80.0]), np.array([100.0, 80.0, 80.0])  # beyond: the outermost bin
WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
DIMENSION = BINS[0] * BINS[1] * BINS[2]


def fingerprint() -> Fingerprint:
    """What colour vectors are made by: no encoder has a part in it."""
    view = {"view": "colour", "bins": list(BINS), "pixels": EDGE}
    return Fingerprint("attune", "colour", "none", DIMENSION, True, view)


def colour_vector(image: Image.Image) -> FloatArray:
    """The palette of an RGB ``image``: float32 (d,) of length 1."""
    small = np.asarray(image.convert("RGB").resize((EDGE, EDGE), Image.Resampling.BOX))
    lab = to_lab(small.reshape(-1, 3))
    places = np.clip((lab - LOW) / (HIGH - LOW), 0, 1) * (np.array(BINS) - 1)
    floor = np.minimum(places.astype(np.intp), np.array(BINS) - 2)
    beyond = places - floor
    shares = np.zeros(DIMENSION)
    for corner in product((0, 1), repeat=3):
        weight = np.where(corner, beyond, 1 - beyond).prod(axis=1)
        shares += np.bincount(np.ravel_multi_index(tuple((floor + corner).T), BINS), weight, DIMENSION)
    vector: FloatArray = np.sqrt(shares / shares.sum()).astype(np.float32)
    return vector


def to_lab(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """sRGB ``pixels`` (n, 3) in CIE Lab: L from 0 to 100, a and b around 0."""
    values = pixels / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    ratio = linear @ TO_XYZ.T / WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)
