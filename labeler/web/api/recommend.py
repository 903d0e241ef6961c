"""Recommendations, as the API answers them: the history comes with the request and goes with it."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from attune.labeler.recommend import histories
from attune.labeler.recommend.recommending import ForViewer, recommend
from attune.labeler.records.session import reading
from attune.labeler.web import auth
from attune.labeler.web.api.described import error, json_answer
from attune.labeler.web.api.routes import post
from attune.models.errors import DataError
from attune.models.recommend import history_rows

MOST = 100
MOST_USERS = 100


class WatchedTitle(TypedDict):
    """A title that was watched. Without a user all rows are of one viewer."""

    id: Annotated[str, "A title_id or an asset_id."]
    user: NotRequired[str]
    rating: NotRequired[Annotated[float | None, "A like from 3.5 on. Without one, the row is a like."]]
    timestamp: NotRequired[Annotated[float | None, "Seconds."]]


class Wanted(TypedDict):
    """A request for recommendations."""

    history: list[WatchedTitle]
    top: NotRequired[Annotated[int, {"minimum": 1, "maximum": MOST, "default": 10}]]
    new_only: NotRequired[Annotated[bool, "Leave out titles that five kept viewers liked, and those of the history."]]


class Answered(TypedDict):
    """Titles for each viewer."""

    space: Annotated[str, "taste, or final where no taste space is in use."]
    viewers: list[ForViewer]
    left_out: Annotated[dict[str, int], "How many rows were left out, by reason."]


@post(
    "/recommend",
    "Recommend titles",
    {
        200: json_answer("Titles for each viewer, best first.", Answered),
        409: error("The pool is empty."),
        413: error("The history is too large."),
        422: error("The request is not valid, or no row of the history can be used."),
    },
    Wanted,
    f"For owners, admins and pipelines. The history is not kept. At most {MOST_USERS} users.",
)
def recommended() -> ResponseReturnValue:
    """Titles for the viewers of the history in the request."""
    sent = request.get_json(silent=True)
    wanted: dict[str, Any] = sent if isinstance(sent, dict) else {}
    rows = wanted.get("history")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError('The request is not valid. Expected JSON such as {"history": [{"id": "title-1"}]}.')
    top, new_only = wanted.get("top", 10), wanted.get("new_only", False)
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= MOST or not isinstance(new_only, bool):
        raise DataError(f"top must be a whole number from 1 to {MOST}, and new_only true or false.")
    settings = auth.settings()
    with reading(settings) as session:
        titles = histories.titles_by_id(session)
    read = history_rows.of_cells([("", _cells(row)) for row in rows], titles)
    users = len(read.by_user())
    if not 1 <= users <= MOST_USERS:
        why = ", ".join(f"{count} with {reason}" for reason, count in read.left_out.items()) or "it has no rows"
        raise DataError(
            f"The history has {users} users with a row that can be used ({why}). Expected 1 to {MOST_USERS}, and as id "
            "a title_id or asset_id of the pool."
        )
    found = recommend(settings, read, top, new_only)
    return jsonify(Answered(space=found.space, viewers=found.viewers, left_out=dict(read.left_out)))


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    """A row as a table has it; one without a user is of the one viewer."""
    return {"user": history_rows.ONE} | {name: value for name, value in row.items() if value is not None}
