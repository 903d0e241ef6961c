"""Features as pages show them: what each means, how its values lie, and how often people agree with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from attune.labeler.insights import features
from attune.labeler.insights.known import Known
from attune.labeler.insights.people_asked import hidden_images
from attune.labeler.measured.checked import NOT_YET, Checked, checked
from attune.labeler.measured.spread import kept_spread
from attune.labeler.measured.values import measured
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import PageImage, in_order
from attune.models.errors import UnknownFeature
from attune.models.measured.eye_checks import BANDS, CHECKS
from attune.models.measured.measures import BY_NAME
from attune.models.measured.objects import DRAFT

HEADINGS = {  # in the order of the list
    "attribute": "From your questions", "imported": "From files", "words": "Objects, guessed from words",
    "measured": "Measured from the images",
}  # fmt: skip
SHOWN = 12  # images of an object that suit its words best
DO_NOT_USE = (
    "Do not choose artwork by it here: people agree with it on fewer than half of your images. Only insights whose "
    "figures say that they are corrected allow for that."
)
NO_CHECK = "Calculated from the pixels by a fixed rule."
POINTS = {
    "least": "Lowest", "10 %": "One image in ten is below", "middle": "Middle image",
    "90 %": "Nine images in ten are below", "most": "Highest",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A feature in the list; ``asked`` what people said of it."""

    one: Known
    asked: Checked | None

    @property
    def heading(self) -> str:
        """Where it comes from."""
        return HEADINGS[self._origin]

    @property
    def place(self) -> int:
        """The place of its kind in the list."""
        return list(HEADINGS).index(self._origin)

    @property
    def _origin(self) -> str:
        return "words" if self.one.guessed else self.one.kind

    @property
    def draft(self) -> bool:
        """Whether it is a guess that too few people have checked."""
        return self.one.guessed and (self.asked is None or self.asked.draft)

    @property
    def said(self) -> str:
        """What is known of its errors."""
        if self.one.kind == "attribute":
            return "Experts check a sample of it (audits), and its figures are corrected for the errors that they find."
        if self.asked is not None:
            return self.asked.sentence
        if self.one.kind == "measured" and not self.checkable:
            return NO_CHECK
        return DRAFT if self.one.guessed else NOT_YET

    @property
    def wrong(self) -> bool:
        """Whether people surely disagree more often than not."""
        return self.asked is not None and self.asked.wrong

    @property
    def checkable(self) -> bool:
        """Whether people can judge it by eye."""
        return self.one.guessed or _measured_name(self.one) in CHECKS


@dataclass(frozen=True)
class FeaturePage:
    """One feature. ``spread`` are rows of a value and how many images have it, or of a point of the order and its
    number; ``asked`` what people said of it; ``can_be_asked``: people can judge it by eye; ``draft``: it is a guess
    that too few people have checked; ``unit`` of its numbers."""

    one: Known
    said: str
    spread: Sequence[tuple[str, Any]]
    asked: Checked | None
    can_be_asked: bool
    draft: bool = False
    unit: str = ""

    @property
    def warning(self) -> str:
        """What to do where people mostly disagree; empty otherwise."""
        return DO_NOT_USE if self.asked is not None and self.asked.wrong else ""

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
    found: Mapping[str, Any] = kept_spread(settings, number, one.digest) if number else {}
    rows = [(POINTS.get(name, name), value) for name, value in found.get("rows", ())]
    return FeaturePage(one, row.said, rows, row.asked, row.checkable, row.draft, found.get("unit", ""))


def likeliest_images(settings: Settings, viewer: Viewer, name: str) -> list[PageImage]:
    """The images that show the object ``name`` most likely, without those that wait for an answer of ``viewer``."""
    one, hidden = measured(settings, name), hidden_images(settings, viewer, name)
    order = np.argsort(-one.values, kind="stable").tolist()
    names = list(islice((one.ids[at] for at in order if one.ids[at] not in hidden), SHOWN))
    with reading(settings) as session:
        return in_order(session, names, may_explore(viewer))


def _measured_name(one: Known) -> str:
    """The measured feature that ``one`` is, or is the bands of; empty where it is neither."""
    if one.guessed:
        return one.name
    name = one.name.removesuffix(BANDS)
    return name if one.kind == "measured" and name in BY_NAME else ""


def _asked(settings: Settings, one: Known) -> Checked | None:
    number = _measured_name(one)
    return checked(settings, number) if number in CHECKS or one.guessed else None
