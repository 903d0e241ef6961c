"""How much an insight may say: A randomised, B logged propensity, C within titles, D across titles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Grade = Literal["A", "B", "C", "D"]
MEANING: dict[Grade, str] = {
    "A": "randomised: images were shown at random, and the sample ratio check passed",
    "B": "served with logged propensities: each impression's chance is known, as whoever imported it declares",
    "C": "within titles, not randomised or not checked: something else may explain it",
    "D": "across titles, predictive: goes with, never better",
}


@dataclass(frozen=True)
class Evidence:
    """What the rows of an insight are: all of them must be ``randomised``, or have a ``propensity``.

    ``ratio_passed``: no cell ``failed`` the sample ratio check, corrected for their number. ``within``: images are
    compared within titles. ``audited``: the errors of what says which image has the feature are known, or it has none.
    """

    randomised: bool = False
    ratio_passed: bool = False
    propensity: bool = False
    within: bool = True
    audited: bool = True


def grade(evidence: Evidence) -> Grade:
    """The best grade that ``evidence`` allows."""
    if not evidence.within:
        return "D"
    if not evidence.audited:
        return "C"  # errors that follow performance would look like an effect, however random the rows
    if evidence.randomised and evidence.ratio_passed:
        return "A"
    return "B" if evidence.propensity and not evidence.randomised else "C"


def lowest(grades: Iterable[Grade]) -> Grade:
    """The grade of what rests on all of ``grades``: a grade can only fall."""
    return max(grades)
