"""What a feature says of images, in pictures: some of each class, or those with the lowest and the highest numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attune.labeler.insights import few_images
from attune.labeler.insights.known import Known
from attune.labeler.insights.people_asked import hidden_images
from attune.labeler.insights.words import caption, with_class
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
    names = [caption(with_class(one.name, name)) for name in one.classes] or ENDS
    most = SOME if len(one.classes) > 2 else FEW
    found = few_images.shown(settings, one, most, hidden_images(settings, viewer, one.name))
    with reading(settings) as session:
        told = [Kind(text, in_order(session, ids, may_explore(viewer))) for text, ids in zip(names, found, strict=True)]
    return [one for one in told if one.images]
