"""What people decided about groups of images at the edge of a question, as the API answers owners and admins."""

from __future__ import annotations

from typing import Annotated, TypedDict

from flask import Response, jsonify

from attune.labeler.attributes import attributes
from attune.labeler.people.viewer import may_explore, waiting
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import reading
from attune.labeler.scope.listed import DecisionFacts, listed
from attune.labeler.web import auth
from attune.labeler.web.api.described import PAGES, error, json_answer
from attune.labeler.web.api.routes import get
from attune.models.catalog.manifest import check_name


class ScopeDecisions(TypedDict):
    """A page of the decisions about a question, the oldest first."""

    name: str
    question_revision: Annotated[int, "The revision of the question now."]
    decisions: list[DecisionFacts]
    page: int
    pages: int
    total: int


@get(
    "/scope/<name>",
    "List decisions about what counts",
    {
        200: json_answer("A page of the decisions about groups of similar images.", ScopeDecisions),
        404: error("The attribute does not exist."),
        422: error("A page, a size or the name is not valid."),
    },
    query=PAGES,
    about="For owners and admins, because every decision names a person. An image that waits in your own queue is left "
    "out of the decisions: nobody reads what others say of it before answering. To decide, open the question's page.",
)
def scope_decisions(name: str, page: int, size: int) -> Response:
    """The decisions that hold, without skips."""
    viewer = auth.viewer()
    with reading(auth.settings()) as session:
        one = attributes.find(session, check_name(name))
        found = listed(session, one, may_explore(viewer), Asset.id.not_in(waiting(viewer)))
    pages = -(-len(found) // size) or 1
    page = min(page, pages)
    return jsonify(
        ScopeDecisions(
            name=one.name, question_revision=one.revision, decisions=found[(page - 1) * size : page * size],
            page=page, pages=pages, total=len(found),
        )
    )  # fmt: skip
