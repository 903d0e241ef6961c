"""How a cluster's images performed, as an owner reads it: per canvas, with examples and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from attune.labeler.people.viewer import Viewer
from attune.labeler.settings import Settings
from attune.labeler.spaces import cluster_performance
from attune.labeler.spaces.cluster_performance import OnCanvas
from attune.labeler.spaces.performance_words import confounding, figures, sentence
from attune.labeler.views.explore_clusters import pictures_of
from attune.labeler.views.pictures import PageImage
from attune.models.insights.grades import MEANING


@dataclass(frozen=True)
class Example:
    """An image that was taken ``times`` as often as the others of its title."""

    image: PageImage
    times: float


@dataclass(frozen=True)
class Canvas:
    """What is said of one canvas."""

    name: str
    sentence: str
    confounding: str
    figures: str
    meaning: str
    worked: Sequence[Example]
    failed: Sequence[Example]


@dataclass(frozen=True)
class Performance:
    """``imported``: whether there is any performance; ``made``: whether this clustering was compared with it.

    ``stale``: imports changed since; ``flagged`` tests were not shown as planned and are left
    out; ``believed``: so few of them that the others count as random.
    """

    imported: bool
    made: bool = False
    stale: bool = False
    flagged: int = 0
    believed: bool = True
    canvases: Sequence[Canvas] = ()


def performance(
    settings: Settings, session: Session, viewer: Viewer, clustering: int, number: int
) -> Performance | None:
    """What was found of cluster ``number``; None for a viewer who may not read it."""
    if not viewer.manages:
        return None
    digests = cluster_performance.imported(session)
    found = cluster_performance.load(settings, clustering)
    if not digests or found is None:
        return Performance(bool(digests))
    rows = found.of(number)
    keys = [key for one in rows for key, _ in (*one.worked, *one.failed)]
    images = pictures_of(session, viewer, keys)
    stale = cluster_performance.is_stale(settings, clustering, digests)
    return Performance(True, True, stale, found.flagged, found.believed, [_canvas(one, images) for one in rows])


def _canvas(one: OnCanvas, images: Mapping[int, PageImage]) -> Canvas:
    worked, failed = ([Example(images[key], times) for key, times in some if key in images]
                      for some in (one.worked, one.failed))  # fmt: skip
    return Canvas(
        one.canvas, sentence(one), confounding(one), figures(one), MEANING[one.grade].capitalize(), worked, failed
    )
