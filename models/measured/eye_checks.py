"""What people can say of an image by eye beside a measured feature: a question whose classes are bands of its values.

The cuts are round numbers that a sentence can say, fixed before anybody answered. A feature that is not here (entropy,
fine grain) is what it is defined to be, and nobody can judge it by looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.models.measured.measures import BY_NAME

BANDS = "-bands"  # behind the name of a number, for its bands as a feature of classes
SURE = 0.9  # of the class that was measured, before any answer: calibration by the answers replaces it


@dataclass(frozen=True)
class EyeCheck:
    """The ``question`` about ``feature`` with its ``classes``, lowest values first; class i ends below ``cuts``[i].
    ``definition`` says where each begins, in words. ``guessed``: an object by text prompts, a draft until people have
    checked it; of its two classes, yes and no, the first has the higher values."""

    feature: str
    question: str
    classes: tuple[str, ...]
    cuts: tuple[float, ...]
    definition: str
    guessed: bool = False

    @property
    def of_classes(self) -> bool:
        """Whether the feature has these classes itself; else it is a number, and they are its bands."""
        return self.guessed or bool(BY_NAME[self.feature].classes)

    @property
    def banded(self) -> str:
        """The feature that has the classes: itself, or its bands."""
        return self.feature if self.of_classes else f"{self.feature}{BANDS}"

    def codes(self, values: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """The place of each value's class (n,), -1 where there is no value."""
        numbers = np.asarray(values, dtype=np.float64)
        found = np.digitize(numbers, self.cuts).astype(np.intp)
        found = len(self.cuts) - found if self.guessed else found
        return np.where(np.isfinite(numbers), found, -1)


_FACES = BY_NAME["faces"].classes
CHECKS: Mapping[str, EyeCheck] = {
    one.feature: one
    for one in (
        EyeCheck(
            "faces", "How many faces does this image show?", _FACES, (1, 2, 3),
            "Count each face that you can see, of people and of drawn or masked figures, also small and turned ones. "
            "A head from behind is no face.",
        ),
        EyeCheck(
            "face_share", "How much of the image does the largest face cover?",
            ("under a twentieth", "a twentieth to a fifth", "over a fifth"), (0.05, 0.2),
            "From chin to forehead. An image without a face counts as under a twentieth.",
        ),
        EyeCheck(
            "face_across", "Where is the middle of the largest face, from left to right?",
            ("left third", "middle third", "right third"), (1 / 3, 2 / 3),
            "As you see the image. If there is no face, answer unsure.",
        ),
        EyeCheck(
            "face_down", "Where is the middle of the largest face, from top to bottom?",
            ("top third", "in between", "bottom third"), (1 / 3, 2 / 3),
            "If there is no face, answer unsure.",
        ),
        EyeCheck(
            "brightness", "How light is the image as a whole?", ("dark", "medium", "light"), (35, 65),
            "At first sight, as a whole. Medium is as light as a middle grey. The measurement says dark below 35 and "
            "light from 65 on, of 0 (black) to 100 (white).",
        ),
        EyeCheck(
            "saturation", "How strong are the colours of the image as a whole?", ("pale", "medium", "strong"), (15, 35),
            "At first sight, as a whole. Black, white and grey count as pale. The measurement says pale below 15 and "
            "strong from 35 on, of 0 (grey) to about 130.",
        ),
        EyeCheck(
            "warmth", "Are the colours of the image cold or warm, as a whole?", ("cold", "neither", "warm"),
            (-0.25, 0.25),
            "At first sight, as a whole. Blue is cold, orange and red are warm. Grey is neither. The measurement says "
            "cold below -0.25 and warm from 0.25 on, of -1 (blue) to 1 (orange).",
        ),
        EyeCheck(
            "empty_space", "How much of the image is quiet, with nothing that draws the eye?",
            ("under a half", "a half to three quarters", "over three quarters"), (0.5, 0.75),
            "Plain sky, walls and blurred backgrounds are quiet.",
        ),
    )
}  # fmt: skip
BY_BANDED: Mapping[str, EyeCheck] = {one.banded: one for one in CHECKS.values()}


def chances(codes: npt.NDArray[np.intp], classes: int) -> npt.NDArray[np.float64]:
    """What the measured classes ``codes`` (n,) say as probabilities (n, classes); NaN where there is no value."""
    found = np.full((len(codes), classes), (1 - SURE) / (classes - 1))
    known = np.flatnonzero(codes >= 0)
    found[known, codes[known]] = SURE
    found[codes < 0] = np.nan
    return found


def given_away(name: str) -> frozenset[str]:
    """The measured features that the feature ``name``, or its bands, tells something of: itself; of one about faces
    every one of them, since the same detector finds them all."""
    feature = BY_BANDED[name].feature if name in BY_BANDED else name
    group = BY_NAME[feature].group if feature in BY_NAME else ""
    return frozenset(
        [feature, *(one.feature for one in CHECKS.values() if group == BY_NAME[one.feature].group == "faces")]
    )
