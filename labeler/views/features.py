"""Features as pages show them: what each means, how its values lie, and how often people agree with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attune.labeler.insights import features
from attune.labeler.insights.known import Known
from attune.labeler.measured.checked import NOT_YET, Checked, checked
from attune.labeler.measured.spread import spread
from attune.labeler.measured.values import measured
from attune.labeler.settings import Settings
from attune.models.errors import UnknownFeature
from attune.models.measured.eye_checks import BANDS, CHECKS
from attune.models.measured.measures import BY_NAME

MADE = {"imported": "a file", "attribute": "an attribute", "measured": "the images"}


@dataclass(frozen=True)
class Row:
    """A feature in the list; ``asked`` what people said of it."""

    one: Known
    asked: Checked | None

    @property
    def origin(self) -> str:
        """Where it comes from."""
        return MADE[self.one.kind]

    @property
    def said(self) -> str:
        """What is known of its errors."""
        if self.one.kind == "attribute":
            return "Experts check a sample of it (audits), and its figures are corrected for the errors that they find."
        return NOT_YET if self.asked is None else self.asked.sentence


@dataclass(frozen=True)
class FeaturePage:
    """One feature. ``spread`` are rows of a value and how many images have it, or of a point of the order and its
    number; ``asked`` what people said of it; ``can_be_asked``: people can judge it by eye."""

    one: Known
    said: str
    spread: Sequence[tuple[str, Any]]
    asked: Checked | None
    can_be_asked: bool

    @property
    def banded(self) -> str:
        """The feature of the same values in the bands that people answered; empty where it has its own classes."""
        return "" if self.asked is None or self.asked.check.of_classes else self.asked.check.banded


def features_page(settings: Settings) -> list[Row]:
    """All features that can be asked about."""
    return [Row(one, _asked(settings, one)) for one in features.known(settings).values()]


def feature_page(settings: Settings, name: str) -> FeaturePage:
    """One feature that is no attribute. Raises UnknownFeature."""
    one = features.known(settings).get(name)
    if one is None or one.kind == "attribute":
        raise UnknownFeature(
            f"There is no measured or imported feature {name[:80]!r}. To list the features: `attune features list`"
        )
    number = _measured_name(one)
    row = Row(one, _asked(settings, one))
    rows = spread(measured(settings, number))["rows"] if number else []
    return FeaturePage(one, row.said, rows, row.asked, number in CHECKS)


def _measured_name(one: Known) -> str:
    """The measured feature that ``one`` is, or is the bands of; empty where it is neither."""
    name = one.name.removesuffix(BANDS)
    return name if one.kind == "measured" and name in BY_NAME else ""


def _asked(settings: Settings, one: Known) -> Checked | None:
    number = _measured_name(one)
    return checked(settings, number) if number in CHECKS else None
