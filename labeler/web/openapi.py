"""The read API's OpenAPI description; a test compares it with the routes, so that neither runs ahead of the other."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any

from apispec import APISpec

_NAME = "An attribute's name, for instance romance."
_REF = "A version (a whole number) or an alias (champion, challenger)."
_ERROR = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "description": "The error's name, for instance UnknownProbe."},
        "message": {"type": "string", "description": "What happened, what was expected, and what to do next."},
        "request": {"type": "string", "description": "The request's id, as in the log."},
    },
}
_TOLD = {"$ref": "#/components/schemas/Error"}
_FIGURE = {
    "type": "object",
    "properties": {
        "value": {"type": ["number", "null"]},
        "lo": {"type": ["number", "null"]},
        "hi": {"type": ["number", "null"]},
        "n": {"type": ["integer", "null"]},
        "reason": {"type": ["string", "null"]},
    },
}
_PROBE = {
    "type": "object",
    "required": ["attribute", "question", "classes", "aliases", "versions", "average_precision"],
    "properties": {
        "attribute": {"type": "string"},
        "question": {"type": "string"},
        "classes": {"type": "array", "items": {"type": "string"}},
        "aliases": {"type": "object", "additionalProperties": {"type": "integer"}},
        "versions": {"type": "array", "items": {"type": "integer"}},
        "newest": {"type": ["integer", "null"], "description": "The newest run, published or not."},
        "answers": {"type": "integer"},
        "average_precision": _FIGURE,
    },
}
_LIST = {
    "type": "object",
    "required": ["probes", "page", "pages", "total"],
    "properties": {
        "probes": {"type": "array", "items": _PROBE},
        "page": {"type": "integer"},
        "pages": {"type": "integer"},
        "total": {"type": "integer"},
    },
}
_MANIFEST_KEYS = {
    "format_version": {"type": "integer"},
    "attribute": {"type": "string"},
    "revision": {"type": "integer"},
    "question": {"type": "string"},
    "definition": {"type": "string"},
    "classes": {"type": "array", "items": {"type": "string"}},
    "version": {"type": "integer"},
    "encoder": {"type": "object"},
    "thresholds": {"type": "object", "additionalProperties": {"type": "number"}},
    "metrics": {"type": "object", "additionalProperties": {"type": "object"}},
    "labels": {"type": "object"},
    "data_digest": {"type": "string"},
    "files": {"type": "object", "additionalProperties": {"type": "object", "required": ["sha256", "bytes"]}},
    "created_at": {"type": "string", "format": "date-time"},
    "code_version": {"type": "string"},
}
_MANIFEST = {"type": "object", "required": sorted(_MANIFEST_KEYS), "properties": _MANIFEST_KEYS}
_BINARY = {"type": "string", "format": "binary"}
_HEADERS = {
    "ETag": {"description": "The content's sha256 in quotes.", "schema": {"type": "string"}},
    "Attune-Version": {"description": "The version that was meant.", "schema": {"type": "integer"}},
    "Cache-Control": {"description": "For ever for a version, no-cache for an alias.", "schema": {"type": "string"}},
}


def _json(description: str, schema: dict[str, Any], headers: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"description": description, "content": {"application/json": {"schema": schema}}}
    return found | ({"headers": headers} if headers else {})


def _file(description: str, *kinds: str) -> dict[str, Any]:
    return {"description": description, "headers": _HEADERS, "content": {kind: {"schema": _BINARY} for kind in kinds}}


def _path(*names: str) -> list[dict[str, Any]]:
    about = {"name": _NAME, "ref": _REF, "file": "A file's name, for instance probe.safetensors."}
    return [
        {"name": name, "in": "path", "required": True, "description": about[name], "schema": {"type": "string"}}
        for name in names
    ]


def _query(name: str, default: int) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 1, "default": default}}


_SHUT = {
    401: _json("No live token, no session.", _TOLD),
    403: _json("The role may not read.", _TOLD),
}
_ABSENT = {
    404: _json("No such attribute, version, alias or file.", _TOLD),
    409: _json("The catalog's files were altered: an administrator must heal them.", _TOLD),
    410: _json("The version was retired.", _TOLD),
    503: _json("The catalog's storage does not answer.", _TOLD),
}
_SAME = {304: {"description": "The content still has the ETag of If-None-Match."}}
_RANGE = {
    206: _file("The part that Range asks for.", "*/*"),
    416: _json("The Range lies outside the content.", _TOLD),
}

PROBES: dict[str, Any] = {
    "summary": "List the probes",
    "parameters": [_query("page", 1), _query("size", 100)],
    "responses": {200: _json("One page of the probes, by name.", _LIST), 422: _json("No such page.", _TOLD)} | _SHUT,
}
MANIFEST: dict[str, Any] = {
    "summary": "Read a manifest",
    "parameters": _path("name", "ref"),
    "responses": {200: _json("The manifest.", _MANIFEST, _HEADERS)} | _SAME | _RANGE | _SHUT | _ABSENT,
}
FILE: dict[str, Any] = {
    "summary": "Fetch a file of a version",
    "parameters": _path("name", "ref", "file"),
    "responses": {
        200: _file("The file.", "application/octet-stream", "text/markdown", "application/json"),
    }
    | _SAME
    | _RANGE
    | _SHUT
    | _ABSENT,
}
FEATURES: dict[str, Any] = {
    "summary": "Fetch the feature values",
    "parameters": _path("name", "ref"),
    "responses": {200: _file("Parquet, one row per asset and class.", "application/vnd.apache.parquet")}
    | _SAME
    | _RANGE
    | _SHUT
    | _ABSENT,
}
DESCRIPTION: dict[str, Any] = {
    "summary": "Read this description",
    "responses": {200: _json("An OpenAPI document.", {"type": "object"})} | _SHUT,
}


OPERATIONS: dict[str, dict[str, Any]] = {
    "/api/v1/probes": PROBES,
    "/api/v1/probes/{name}/{ref}": MANIFEST,
    "/api/v1/probes/{name}/{ref}/files/{file}": FILE,
    "/api/v1/features/{name}/{ref}": FEATURES,
    "/api/v1/openapi.json": DESCRIPTION,
}


@lru_cache(maxsize=1)
def describe() -> dict[str, Any]:
    """The OpenAPI document."""
    spec = APISpec(
        title="Attune's feature catalog",
        version=version("attune"),
        openapi_version="3.1.0",
        info={"description": "Pull probes and their feature values by name. Versions never change; aliases move."},
        security=[{"token": []}, {"session": []}],
    )
    spec.components.security_scheme(
        "token", {"type": "http", "scheme": "bearer", "description": "A token that an owner or admin issued."}
    )
    spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "attune_session"})
    spec.components.schema("Error", _ERROR)
    for path, operation in OPERATIONS.items():
        responses = {str(status): told for status, told in operation["responses"].items()}
        spec.path(path, operations={"get": operation | {"responses": responses, "tags": ["catalog"]}})
    found: dict[str, Any] = spec.to_dict()
    return found
