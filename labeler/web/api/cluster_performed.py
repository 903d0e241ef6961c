"""How a cluster performed, as the API answers it with the cluster."""

from __future__ import annotations

from typing import Annotated, TypedDict

from attune.labeler.settings import Settings
from attune.labeler.spaces import cluster_performance
from attune.labeler.spaces.performance_words import confounding, sentence


class PerformedOut(TypedDict):
    """How a cluster's images did on a canvas, beside other images of the same titles."""

    canvas: str
    estimate: Annotated[float | None, "Log rate ratio; null where it cannot be told."]
    shrunk: Annotated[float | None, "The same, drawn towards 0: the largest of many is also lucky."]
    lo: Annotated[float | None, "Of the estimate, 95 %, errors by title."]
    hi: float | None
    q: Annotated[float | None, "False discovery rate over all clusters and canvases."]
    grade: Annotated[str, "A: shown at random; C: within titles, so something else may explain it."]
    titles: Annotated[int, "Titles that have images in the cluster and others."]
    titles_in: Annotated[int, "Titles that have images in the cluster."]
    sentence: str


def performed(settings: Settings, run: int, number: int) -> list[PerformedOut]:
    """One entry for each canvas; none where nothing was compared yet."""
    found = cluster_performance.load(settings, run)
    return [
        PerformedOut(
            canvas=row.canvas, estimate=row.estimate, shrunk=row.shrunk, lo=row.lo, hi=row.hi, q=row.q,
            grade=row.grade, titles=row.titles, titles_in=row.titles_in,
            sentence=f"{sentence(row)} {confounding(row)}",
        )
        for row in (found.of(number) if found else ())
    ]  # fmt: skip
