"""An insight as JSON: the same for the command line and the API."""

from __future__ import annotations

from typing import Any

from attune.labeler.insights.insights import Told
from attune.labeler.insights.people_asked import blind
from attune.labeler.insights.what_to_do import what_to_do
from attune.labeler.insights.words import words
from attune.models.clock import iso

FIGURES = ("estimate", "se", "ci", "p", "q", "titles", "assets", "impressions", "takes", "share_other_way", "tau")


def as_json(one: Told, whole: bool = False, hidden: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Estimates are log rate ratios. ``canvas`` is null for all canvases together; a figure that is not there is null.

    ``whole``: with all evidence, less the examples that show one of the ``hidden`` images.
    """
    figures, question, said = one.figures, one.question, words(one)
    told: dict[str, Any] = {
        "id": one.row.id, "feature": question.feature, "contrast": question.contrast, "canvas": question.canvas or None
    } | {name: figures.get(name) for name in FIGURES}  # fmt: skip
    told["means"] = one.means
    told |= {
        "grade": one.newest.grade or None, "corrected": figures.get("corrected"),
        "uncorrected": figures.get("uncorrected"), "shrunk": figures.get("shrunk"), "naive": figures.get("naive"),
        "any_time": figures.get("any_time"), "largest_q": one.largest_q, "enough": one.enough,
        "sentence": said.sentence, "why": figures["why"], "caution": said.caution, "unchecked": said.unchecked,
        "grade_reason": said.reason, "what_to_do": what_to_do(one).text,
        "state": one.row.state,
        "version": one.newest.version, "published_version": one.row.published, "stale": bool(one.moved),
        "exploratory": one.seen, "moved": list(one.moved), "digest": one.newest.digest, "titles_asked": question.titles,
        "simulated": bool(figures.get("simulated")),
        "origin": question.origin, "asked_by": question.asked_by, "asked_at": iso(question.asked_at),
        "made_at": iso(one.newest.made_at), "inputs": one.newest.inputs["of"],
    }  # fmt: skip
    other = one.published
    told["published"] = None if other is None else as_json(Told(one.row, question, other))
    if whole:
        more = (
            "canvases",
            "halves",
            "examples",
            "ratio",
            "e_value",
            "robustness_value",
            "unit",
            "rate",
            "random",
            "within",
        )
        told |= {name: figures.get(name) for name in more}
        if told["examples"]:
            told["examples"] = {way: blind(pairs, hidden) for way, pairs in told["examples"].items()}
        told |= {name: figures.get(name) or [] for name in ("depends", "holding")}
    return told
