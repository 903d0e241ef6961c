"""Features, as the API answers them: what each means, and how often people agree with it."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from flask import Response, jsonify

from attune.labeler.views.features import features_page
from attune.labeler.web import auth
from attune.labeler.web.api.described import json_answer
from attune.labeler.web.api.routes import get

FOR = "For owners and admins. Experts must not read what was measured of images that they check."


class FeatureOut(TypedDict):
    """A feature that insights compare images by."""

    feature: str
    kind: Annotated[str, "imported, attribute or measured."]
    version: int
    classes: Annotated[list[str], "None of a number."]
    means: Annotated[str, "What it means, in a sentence; empty where nobody said so."]
    audited_by: Annotated[str | None, "The question that asks people about it; null where nobody was asked."]
    draft: Annotated[bool, "A guess from words that too few people have checked: no insight uses it."]
    checked: Annotated[
        dict[str, Any] | None,
        "Of a measured feature: answers, agreement (a share of all images) with its ci, by_class, and confusion: a row "
        "a measured class, a column a class that people said.",
    ]
    said: Annotated[str, "What is known of its errors, as a sentence."]


class Features(TypedDict):
    """All features, by name."""

    features: list[FeatureOut]


@get("/insights/features", "List the features", {200: json_answer("The features.", Features)}, about=FOR)
def list_features() -> Response:
    """The features that can be asked about."""
    return jsonify({
        "features": [
            {"feature": row.one.name, "kind": row.one.kind, "version": row.one.version,
             "classes": list(row.one.classes), "means": row.one.means, "audited_by": row.one.audited_by or None,
             "draft": row.draft, "checked": row.asked.as_json() if row.asked else None, "said": row.said}
            for row in features_page(auth.settings())
        ]
    })  # fmt: skip
