"""What a feature says of images, in pictures: some of each class, or those with the lowest and the highest numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attune.labeler.insights import features
from attune.labeler.insights.known import Known
from attune.labeler.insights.people_asked import hidden_images
from attune.labeler.insights.words import caption, with_class
from attune.labeler.measured import values
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import PageImage, in_order

FEW, SOME = 6, 3  # images of each of two kinds, and of more
ENDS = ("The lowest numbers", "The highest numbers")


@dataclass(frozen=True)
class Kind:
    """Images of which the feature says the same: ``text`` names it."""

    text: str
    images: Sequence[PageImage]


def kinds(settings: Settings, viewer: Viewer, one: Known) -> list[Kind]:
    """Images of each class, drawn by chance and always the same; of a number those at both ends. Never an image that
    waits for an answer of ``viewer`` to what the feature says."""
    hidden = hidden_images(settings, viewer, one.name)
    ids = np.array(sorted(set(values.pool(settings)) - hidden), dtype=object)
    found = features.values(settings, one, ids)
    chosen = _of_classes(one, ids, found) if one.classes else _ends(ids, found.astype(np.float64))
    with reading(settings) as session:
        told = [Kind(text, in_order(session, names, may_explore(viewer))) for text, names in chosen]
    return [one for one in told if one.images]


def _of_classes(
    one: Known, ids: npt.NDArray[np.object_], found: npt.NDArray[np.object_]
) -> list[tuple[str, list[str]]]:  # fmt: skip
    most, rng = FEW if len(one.classes) == 2 else SOME, np.random.default_rng(0)
    mine = {name: ids[found == name] for name in one.classes}
    drawn = {caption(with_class(one.name, name)): rng.permutation(here)[:most] for name, here in mine.items()}
    return [(text, here.tolist()) for text, here in drawn.items()]


def _ends(ids: npt.NDArray[np.object_], found: npt.NDArray[np.float64]) -> list[tuple[str, list[str]]]:
    known = np.flatnonzero(np.isfinite(found))
    order = ids[known[np.argsort(found[known], kind="stable")]]
    most = min(FEW, len(order) // 2)
    return [(ENDS[0], order[:most].tolist()), (ENDS[1], order[::-1][:most].tolist())]
