"""How an endpoint of the API is written: its path, parameters and answers stand above the function that answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from attune.labeler.web.api.described import SHUT, Answer, Query, in_path
from attune.labeler.web.api.schemas import schema

View = Callable[..., ResponseReturnValue]
PREFIX = "/api/v1"
PART = re.compile(r"<(?:path:)?(\w+)>")  # of a path: ids of titles may have slashes
blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
OPERATIONS: dict[str, dict[str, Any]] = {}  # path -> what OpenAPI says of its GET
POSTS: dict[str, dict[str, Any]] = {}  # path -> what OpenAPI says of its POST


def get(
    path: str,
    summary: str,
    answers: Mapping[int, Answer],
    *,
    query: Sequence[Query] = (),
    headers: Sequence[dict[str, Any]] = (),
    about: str = "",
) -> Callable[[View], View]:
    """Register a view, and describe it; the view gets the path's parts and what each of ``query`` reads, by name.

    What every route may answer (`SHUT`) is left out of ``answers``.
    """

    def register(view: View) -> View:
        @wraps(view)
        def answer(**parts: str) -> ResponseReturnValue:
            return view(**parts, **{one.name: one.value() for one in query})

        blueprint.get(path)(answer)
        places = [in_path(name) for name in PART.findall(path)]
        parameters = [*places, *(one.describe() for one in query), *headers]
        OPERATIONS[PREFIX + PART.sub(r"{\1}", path)] = (
            {"summary": summary, "tags": [view.__module__.rpartition(".")[2]]}
            | ({"description": about} if about else {})
            | ({"parameters": parameters} if parameters else {})
            | {"responses": {str(status): told for status, told in (dict(answers) | SHUT).items()}}
        )
        return view

    return register


def post(path: str, summary: str, answers: Mapping[int, Answer], body: Any, about: str) -> Callable[[View], View]:
    """Register a view that gets a JSON document of the type ``body``, and describe it."""

    def register(view: View) -> View:
        blueprint.post(path)(view)
        POSTS[PREFIX + path] = {
            "summary": summary,
            "tags": [view.__module__.rpartition(".")[2]],
            "description": about,
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema(body)}}},
            "responses": {str(status): told for status, told in (dict(answers) | SHUT).items()},
        }
        return view

    return register


@blueprint.before_request
def one_range_or_all() -> None:
    """Take a Range only as RFC 9110 (14.2) lets us: of a GET, in bytes, one; whatever else is asked gets the whole."""
    asked = request.range
    if request.method != "GET" or asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        request.environ.pop("HTTP_RANGE", None)
