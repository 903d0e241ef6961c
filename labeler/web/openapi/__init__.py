"""The API's OpenAPI description; a test compares it with the routes, so that neither runs ahead of the other.

Each module of ``ROOMS`` describes a part of the API: its ``OPERATIONS`` are path -> method -> operation.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any

from apispec import APISpec

from attune.labeler.web.openapi import catalog, labels, search
from attune.labeler.web.openapi.shared_parts import ERROR

ROOMS = (catalog, labels, search)


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
    spec.components.schema("Error", ERROR)
    for room in ROOMS:
        for path, methods in room.OPERATIONS.items():
            spec.path(path, operations={method: _operation(room, told) for method, told in methods.items()})
    found: dict[str, Any] = spec.to_dict()
    return found


def _operation(room: Any, told: dict[str, Any]) -> dict[str, Any]:
    responses = {str(status): answer for status, answer in told["responses"].items()}
    return told | {"responses": responses, "tags": [room.__name__.rpartition(".")[2]]}
