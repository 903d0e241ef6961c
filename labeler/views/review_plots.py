"""The curves of a review: precision against recall and reliability of one class, both runs' on the same audits."""

from __future__ import annotations

from dataclasses import dataclass

from attune.labeler.catalog import review_figures
from attune.labeler.catalog.audit_evidence import Evidence, Scored
from attune.models.evaluation.audit_curves import Band
from attune.models.evaluation.metrics import too_few


@dataclass(frozen=True)
class Plots:
    """The two curves of one class, the champion's precision and recall beside; or ``reason`` why there are none."""

    chosen: str
    precision_recall: Band | None = None
    champion: Band | None = None
    reliability: Band | None = None
    reason: str = ""


def plots(evidence: Evidence, class_name: str, mine: Scored | None, theirs: Scored | None, reason: str) -> Plots:
    """The curves of class ``class_name``, or of the first; ``reason`` says why ``mine`` has no scores."""
    classes = evidence.classes
    shown_class = class_name if class_name in classes else classes[0]
    if mine is None:
        return Plots(shown_class, reason=reason)
    column = classes.index(shown_class)
    if why := too_few(review_figures.truth(evidence, column)):
        return Plots(shown_class, reason=f"“{shown_class}” has {why}")
    curves = review_figures.curves(evidence, mine, column)
    other = None if theirs is None else review_figures.curves(evidence, theirs, column)
    return Plots(shown_class, curves[0], other[0] if other else None, curves[1])
