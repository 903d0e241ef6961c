"""The table of measured features, and how one image gets its row: the same for an import of ten images or a million."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from attune.models.errors import EncoderError
from attune.models.files.atomic import digest_json
from attune.models.measured import composition, faces, light, texture
from attune.models.measured.face_detector import FaceDetector
from attune.models.vectors.products import FloatArray

MADE_BY = 1  # raised where the same image is measured otherwise
FACES_EDGE, LIGHT_EDGE = 720, 256  # pixels of the longer side that an image is shrunk to
MISSING = np.nan

SAID = {
    "main_colour": "The colour that most of the image has, measured from its pixels.",
    "faces": "How many faces a detector finds in the image. It recognises nobody.",
}

Group = Literal["light", "texture", "composition", "faces", "objects"]
OBJECTS: Literal["objects"] = "objects"  # what text prompts name (``models.measured.objects``): not in MEASURES
ONE_IN_TEN = "Attune says yes of the one image in ten that suits them best, even if none or many more show it."
OBJECT_CLASSES, OBJECT_FROM = ("yes", "no"), 0.5  # yes from this probability on


@dataclass(frozen=True)
class Measure:
    """One measured feature: its name, the unit of its number, and what more of it means, in plain words.

    ``classes``: of a feature that is a class as well as a number (or instead of one).
    """

    name: str
    group: Group
    unit: str
    more: str
    classes: tuple[str, ...] = ()

    @property
    def detected(self) -> bool:
        """Whether a detector says it, which errs; the others are what they are defined to be."""
        return self.group in ("faces", OBJECTS)

    @property
    def means(self) -> str:
        """What it means, as a sentence."""
        if self.name in SAID:
            return SAID[self.name]
        if self.group == OBJECTS:
            return f"Yes: the image suits the words {self.more}. {ONE_IN_TEN}"
        return f"Measured from the image. A higher number means: {self.more}."

    def codes(self, values: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """The place of each value's class among ``classes`` (n,), -1 where there is no value."""
        numbers = np.asarray(values, dtype=np.float64)
        known = ~np.isnan(numbers)
        if self.group == OBJECTS:
            return np.where(known, np.where(numbers >= OBJECT_FROM, 0, 1), -1)
        return np.where(known, np.minimum(np.where(known, numbers, 0), len(self.classes) - 1), -1).astype(np.intp)


MEASURES = (
    Measure("brightness", "light", "L* of 0 to 100", "lighter"),
    Measure("contrast", "light", "standard deviation of L*", "more difference between light and dark"),
    Measure("saturation", "light", "mean chroma of CIE Lab", "stronger colours"),
    Measure("warmth", "light", "-1 (sky blue) to 1 (orange)", "warmer colours"),
    Measure("colourfulness", "light", "Hasler and Süsstrunk's M3", "more colours, and stronger ones"),
    Measure("main_colour", "light", "class", "", light.COLOURS),
    Measure("edges", "texture", "share of the area", "more outlines"),
    Measure("detail", "texture", "mean Laplacian of 0 to 255", "finer grain"),
    Measure("entropy", "texture", "bits of 32 greys", "more different greys"),
    Measure("thirds", "composition", "share of the sides", "what draws the eye is farther from the thirds"),
    Measure("central", "composition", "share of saliency", "what draws the eye is in the middle"),
    Measure("empty_space", "composition", "share of the area", "more quiet area"),
    Measure("balance", "composition", "0 to 1", "left and right weigh the same"),
    Measure("symmetry", "composition", "-1 to 1", "the image is like its mirror image"),
    Measure("faces", "faces", "faces", "more faces", ("0", "1", "2", f"{faces.MOST}+")),
    Measure("face_share", "faces", "share of the area", "the largest face is larger"),
    Measure("face_across", "faces", "0 (left) to 1 (right)", "the largest face is further right"),
    Measure("face_down", "faces", "0 (top) to 1 (bottom)", "the largest face is further down"),
)
NAMES = tuple(one.name for one in MEASURES)
BY_NAME: Mapping[str, Measure] = {one.name: one for one in MEASURES}


@dataclass(frozen=True)
class Measurer:
    """Measures images: an `attune.models.encoders.embedding.Embedder`, so that a job reads ahead and names bad images.

    Raises EncoderError where the weights of the faces' detector are not installed.
    """

    smallest_face: int = 20

    @cached_property
    def detector(self) -> FaceDetector:
        """The detector of faces, loaded once."""
        return FaceDetector(self.smallest_face)

    def digest(self) -> str:
        """sha256 of what decides the values: the measures' names, the sizes, the code's number and the weights."""
        return digest_json(
            {
                "measures": list(NAMES),
                "made_by": MADE_BY,
                "pixels": [FACES_EDGE, LIGHT_EDGE, composition.EDGE],
                "smallest_face": self.smallest_face,
                "faces": self.detector.digest(),
            }
        )

    def prepare(self, image: Image.Image) -> FloatArray:
        """The row (m,) of an RGB image, in the order of NAMES. May run in a thread."""
        values = measure(image, self.detector)
        return np.array([values[name] for name in NAMES], np.float32)

    def encode_prepared(self, tensors: Sequence[FloatArray]) -> FloatArray:
        """The rows (n, m) of measured images."""
        return np.stack(tensors) if len(tensors) else np.empty((0, len(NAMES)), np.float32)


def measurer_of(digest: str) -> Measurer:
    """The measurer of this machine, which must have this digest.

    Raises EncoderError where it has another, so that values of two versions never mix.
    """
    measurer = Measurer()
    if measurer.digest() != digest:
        raise EncoderError(
            f"A machine of the Ray cluster measures by another version ({measurer.digest()[:12]}) than this one "
            f"({digest[:12]}), so their values do not mix. Install the same Attune version on all machines. Or leave "
            "Ray out: `--engine workers`"
        )
    return measurer


def measure(image: Image.Image, detector: FaceDetector) -> dict[str, float]:
    """Every measure of an RGB ``image`` by name, NaN where it has none. ``main_colour``: the place in its classes."""
    large = shrunk(image, FACES_EDGE)
    small = shrunk(large, LIGHT_EDGE)
    pixels = np.asarray(small)
    grey = np.asarray(small.convert("L"), np.float64)
    tiny = np.asarray(shrunk(small, composition.EDGE).convert("L"), np.float64)
    boxes, _ = detector.find(large)
    return {
        **light.measures(pixels),
        "main_colour": float(light.COLOURS.index(light.main_colour(pixels))),
        **texture.measures(grey),
        **composition.measures(tiny),
        **faces.measures(boxes, large.width, large.height),
    }


def shrunk(image: Image.Image, edge: int) -> Image.Image:
    """``image`` with its longer side at most ``edge`` pixels, sides of at least 8; never enlarged but to that."""
    scale = min(1.0, edge / max(image.size))
    size = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    return image if size == image.size else image.resize(size, Image.Resampling.BOX)
