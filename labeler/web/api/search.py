"""The search of the pool, as the API answers it."""

from __future__ import annotations

from typing import Annotated, TypedDict

from flask import jsonify
from flask.typing import ResponseReturnValue

from attune.labeler.explore import search as searching
from attune.labeler.explore.search import Query
from attune.labeler.people.viewer import check_filter
from attune.labeler.records.session import reading
from attune.labeler.views.explore import name_columns
from attune.labeler.web import auth
from attune.labeler.web.api.described import error, json_answer, text, whole
from attune.labeler.web.api.routes import get
from attune.models.errors import JobError

SEARCH_SECONDS = 10.0


class Hit(TypedDict):
    """An image and how similar it is, a cosine; None where nothing was compared."""

    asset_id: str
    similarity: float | None


class Hits(TypedDict):
    """How far the search is, and what it found."""

    state: Annotated[str, "queued, running or done."]
    assets: list[Hit]


@get(
    "/search",
    "Search the pool by a text or an example",
    {
        200: json_answer("The images, most similar first.", Hits),
        202: json_answer("Not ready yet. Send the request again.", Hits),
        404: error("The asset does not exist."),
        409: error("The search failed. The message has the reason."),
        422: error("The text is too long, or a number is not valid."),
        503: error("Redis is unavailable."),
    },
    query=(
        text(
            "q",
            "What the images show. Without q and like: all images by id.",
            maxLength=searching.LONGEST_TEXT,
        ),
        text("like", "The asset_id of an example. Used instead of q."),
        text("title", "Text in the title or the asset_id; for owners and admins, also in the name of the title."),
        text("column", "A column of the asset table. Only for owners and admins."),
        text("value", "The value that the column must have."),
        whole("top", 50, f"How many images, at most {searching.TOP}.", most=searching.TOP),
    ),
    about="For experts, owners and admins. Pipelines use feature values.",
)
def search(q: str, like: str, title: str, column: str, value: str, top: int) -> ResponseReturnValue:
    """Images of the pool most like an asset or a text; 202 while the workers have not found them yet."""
    check_filter(auth.viewer(), column.strip())
    like, settings = like.strip(), auth.settings()
    with reading(settings) as session:
        film_names = name_columns(session, auth.viewer(), title.strip())
    query = Query(
        text="" if like else q.strip(), like=like, title=title.strip(), column=column.strip(), value=value.strip(),
        name_columns=film_names,
    )  # fmt: skip
    if not query.ranks:
        names = searching.filtered_ids(settings, query, top)
        return jsonify(Hits(state="done", assets=[{"asset_id": name, "similarity": None} for name in names]))
    result = searching.wait_for_result(settings, searching.start(settings, query), SEARCH_SECONDS)
    if result is None or result.waits:
        waiting = jsonify(Hits(state=result.state if result else "queued", assets=[]))
        waiting.headers["Retry-After"] = "2"
        return waiting, 202
    if result.state != "done":
        raise JobError(f"The search failed: {result.error or 'the worker stopped.'} Send the request again.")
    rows: list[Hit] = [{"asset_id": name, "similarity": cosine} for name, cosine in result.hits[:top]]
    return jsonify(Hits(state=result.state, assets=rows))
