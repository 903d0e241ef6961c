"""What experts say of a measured feature: how often they agree with it, over all images and class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attune.labeler.catalog import audit_evidence
from attune.labeler.catalog.audit_evidence import Evidence
from attune.labeler.catalog.evidence_cache import gather
from attune.labeler.measured import checks, values
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.insights.corrected import LEAST_AUDITS
from attune.models.measured.agreement import LEAST, Agreement, agreement
from attune.models.measured.eye_checks import EyeCheck
from attune.models.measured.objects import DRAFT
from attune.models.text import plural

NOT_YET = "Not checked by people yet."
MOSTLY_RIGHT = 0.5  # of all images: where people surely agree on fewer, the feature is wrong more often than right
ENOUGH = LEAST_AUDITS  # checked images from which an object by text prompts is no draft any more


@dataclass(frozen=True)
class Checked:
    """``check`` is how people check the feature, ``attribute`` the question that asks them; ``found`` how often they
    agree, of the answered images; ``open`` drawn images wait for an answer, ``undecided`` have only unsure or tied
    ones; ``undrawn`` images were in no draw, and no figure is about them. ``problem``: why the answers do not fit any
    more, or empty. ``said``: as many as `decided` counts."""

    check: EyeCheck
    attribute: str
    found: Agreement
    open: int
    undecided: int
    undrawn: int = 0
    problem: str = ""
    said: int = 0

    @property
    def sentence(self) -> str:
        """All of it as one or two sentences."""
        if self.problem:
            return self.problem
        waiting = f" {self.open} more wait for an answer." if self.open else ""
        if self.found.value is None:
            none = DRAFT if self.check.guessed else NOT_YET
            begin = none if not self.found.n else f"People have checked {plural(self.found.n, 'image')} so far."
            return f"{self._still}{begin} {self._missing}{waiting}"
        unsure = f" {plural(self.undecided, 'image')} with unsure or tied answers left out." if self.undecided else ""
        width = f"probably between {_percent(self.found.lo)} and {_percent(self.found.hi)}"
        said = f"{_percent(self.found.value)} of all images, {width} ({self.found.n} checked)"
        return f"{self._still}People agree on {said}.{unsure}{waiting}"

    @property
    def wrong(self) -> bool:
        """Whether people surely agree on fewer than half of all images."""
        return not self.problem and self.found.hi is not None and self.found.hi < MOSTLY_RIGHT

    @property
    def draft(self) -> bool:
        """Whether it is a guess from words that people have not checked enough, so that no insight uses it."""
        return self.check.guessed and self.said < ENOUGH

    @property
    def _still(self) -> str:
        return f"A draft until {ENOUGH} images are checked. " if self.draft and self.found.n else ""

    @property
    def later(self) -> str:
        """What is not known of images that came after the last draw; empty where there are none."""
        if not self.undrawn:
            return ""
        began = "1 image was" if self.undrawn == 1 else f"{self.undrawn:,} images were"
        them = "it" if self.undrawn == 1 else "them"
        return (
            f"{began} not measured yet when images were drawn, so no figure of this check, and no corrected insight, "
            f"is about {them}. Ask for more answers, and later images are drawn, too."
        )

    @property
    def _missing(self) -> str:
        """What a figure of all images takes."""
        if self.found.n < LEAST:
            return f"The first figure comes with {LEAST} answers."
        names = " or ".join(self.check.classes[place] for place in self.found.unknown)
        return f"Of images measured as {names} there is no answer, so there is no figure of all images yet."

    @property
    def rows(self) -> Sequence[tuple[str, str, Sequence[int]]]:
        """A row a measured class: its name, how often people agree there, and how many images they gave each class."""
        told = []
        for name, own, counts in zip(self.check.classes, self.found.by_class, self.found.confusion, strict=True):
            share, low, high = ("no answers", "", "") if own is None else map(_percent, own)
            told.append((name, f"{share}, between {low} and {high}" if low else share, counts))
        return told

    def as_json(self) -> dict[str, Any]:
        """Shares of 0 to 1; ``confusion`` has a row a measured class and a column a class that people said."""
        found = self.found
        return {
            "question": self.attribute, "classes": list(self.check.classes), "answers": found.n, "open": self.open,
            "undecided": self.undecided, "undrawn": self.undrawn, "agreement": found.value,
            "ci": None if found.lo is None else [found.lo, found.hi],
            "by_class": [None if own is None else {"agreement": own[0], "ci": list(own[1:])} for own in found.by_class],
            "confusion": [list(row) for row in found.confusion], "sentence": self.sentence, "draft": self.draft,
        }  # fmt: skip


def checked(settings: Settings, name: str) -> Checked | None:
    """What experts said of the measured feature ``name``; None before anyone asked them.

    Raises DataError for a feature that there is not.
    """
    values.measure_named(settings, name)
    with reading(settings) as session:
        row = checks.find(session, name)
    check = None if row is None else checks.checked_by(row)
    if row is None or check is None:
        return None
    evidence = gather(settings, row.name)
    if tuple(evidence.classes) != check.classes:
        none = np.zeros(0, dtype=np.intp)
        nothing = agreement(none, none, np.zeros(0), np.zeros(0, dtype=np.str_), np.zeros(len(check.classes), np.intp))
        problem = f"The classes of {row.name} were changed, so its answers do not fit {name}. Change them back."
        return Checked(check, row.name, nothing, 0, 0, problem=problem)
    return _checked(settings, check, evidence, decided(settings, name))


def decided(settings: Settings, name: str) -> int:
    """How many images people have checked of the measured feature ``name``, by their answers alone: it reads no values,
    so it takes no longer on a large pool. Raises DataError for a feature that there is not.
    """
    values.measure_named(settings, name)
    with reading(settings) as session:
        row = checks.find(session, name)
        check = None if row is None else checks.checked_by(row)
        fits = row is not None and check is not None and tuple(row.classes) == check.classes
        return audit_evidence.decided(session, row) if row is not None and fits else 0


def _checked(settings: Settings, check: EyeCheck, evidence: Evidence, said: int) -> Checked:
    labels = evidence.labels
    measured = checks.codes(settings, check, labels.asset_ids)
    sure = labels.decided() & (measured >= 0) if len(labels) else np.zeros(0, dtype=bool)
    every = values.measured(settings, check.feature)
    everywhere, could = check.codes(every.values), evidence.design.inclusions(every.ids) > 0
    undrawn = int((everywhere[~could] >= 0).sum()) if could.any() else 0
    everywhere = everywhere[could] if could.any() else everywhere
    images = np.bincount(everywhere[everywhere >= 0], minlength=len(check.classes)).astype(np.intp)
    found = agreement(
        measured[sure], labels.majority()[sure] if len(labels) else measured, evidence.inclusion[sure],
        np.array(labels.title_ids, dtype=np.str_)[sure], images, evidence.seed % 2**32,
    )  # fmt: skip
    waiting = 0
    if evidence.view is not None:
        ids = evidence.view.pool.asset_ids[np.flatnonzero(evidence.view.keys >= 0)].tolist()
        drawn = {id_ for id_, one in zip(ids, evidence.design.drawn(ids), strict=True) if one}
        waiting = len(drawn - set(labels.asset_ids))
    undecided = len(labels) - int(sure.sum())
    return Checked(check, evidence.attribute.name, found, waiting, undecided, undrawn, said=said)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"
