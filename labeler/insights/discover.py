"""Discovery: one half of the titles raises questions, which the other half, that it never saw, will answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from attune.labeler.insights.answer import Asked, Bools, answer, compared
from attune.labeler.insights.evidence import Rows
from attune.labeler.insights.features import PER_SD
from attune.labeler.insights.known import Known
from attune.models.errors import NotEnoughLabels
from attune.models.insights.within_title import Effect

SCREEN = 0.05  # p on the discovery half that makes it a question: a few too many cost little, the other half decides
MOST = 50  # questions of one run
APART = 1.96  # standard errors between a canvas and all, that make the canvas a question of its own
MOST_CLASSES = 8  # of a feature whose pairs of classes are tried


@dataclass(frozen=True)
class Candidate:
    """A question that discovery would ask, with its ``p`` on the discovery half."""

    feature: str
    contrast: str
    canvas: str
    p: float


def contrasts(feature: Known) -> list[str]:
    """What can be asked of a feature."""
    if not feature.classes:
        return [PER_SD]
    pairs = itertools.combinations(feature.classes[:MOST_CLASSES], 2)
    return [f"{first}:{second}" for first, second in pairs]


def screen(rows: Rows, feature: Known, values: np.ndarray, half: Bools) -> tuple[list[Candidate], int]:  # type: ignore[type-arg]
    """What the discovery ``half`` (titles,) of the titles finds of a feature, and how much it was asked."""
    found: list[Candidate] = []
    count = 0
    for chosen in contrasts(feature):
        try:
            asked = compared(feature, values, chosen)
        except NotEnoughLabels:
            continue
        whole = answer(rows, asked, half)
        count += 1
        if whole.effect is None or not whole.within:
            continue
        if whole.effect.p < SCREEN:
            found.append(Candidate(feature.name, chosen, "", whole.effect.p))
        for canvas, p in _canvases(rows, asked, half, whole.effect):
            count += 1
            if p is not None:
                found.append(Candidate(feature.name, chosen, canvas, p))
    return found, count


def _canvases(rows: Rows, asked: Asked, half: Bools, whole: Effect) -> Iterator[tuple[str, float | None]]:
    """Each canvas that can be asked, with its p where it is an effect of its own, and not that of all once more."""
    if len(rows.canvases) < 2:
        return
    for number, name in enumerate(rows.canvases):
        one = answer(rows, asked, half, number)
        if one.effect is None or not one.within:
            continue
        apart = abs(one.effect.estimate - whole.estimate) / np.hypot(one.effect.se, whole.se)
        yield str(name), one.effect.p if one.effect.p < SCREEN and apart > APART else None


def chosen(found: Sequence[Candidate]) -> list[Candidate]:
    """The surest, at most ``MOST``."""
    return sorted(found, key=lambda one: (one.p, one.feature, one.contrast, one.canvas))[:MOST]
