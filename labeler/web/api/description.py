"""The API's OpenAPI document, made of the routes that `routes.get` has registered."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Annotated, Any, NotRequired, TypedDict

from apispec import APISpec

from attune.labeler.web.api.routes import OPERATIONS, POSTS
from attune.labeler.web.api.schemas import schema


class Error(TypedDict):
    """Every error of the API."""

    error: Annotated[str, "The error's name, for instance UnknownProbe."]
    message: Annotated[str, "What happened, what was expected, and what to do next."]
    request: NotRequired[Annotated[str, "The request's id, as in the log."]]


@lru_cache(maxsize=1)
def describe() -> dict[str, Any]:
    """The OpenAPI document."""
    spec = APISpec(
        title="Attune",
        version=version("attune"),
        openapi_version="3.1.0",
        info={"description": "Pull versions and feature values by name. A version never changes. An alias can move."},
        security=[{"token": []}, {"session": []}],
    )
    spec.components.security_scheme(
        "token", {"type": "http", "scheme": "bearer", "description": "An API token. An admin creates it."}
    )
    spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "attune_session"})
    spec.components.schema("Error", schema(Error))
    for path, operation in OPERATIONS.items():
        spec.path(path, operations={"get": operation})
    for path, operation in POSTS.items():
        spec.path(path, operations={"post": operation})
    found: dict[str, Any] = spec.to_dict()
    return found
