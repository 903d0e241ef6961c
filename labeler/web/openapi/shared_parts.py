"""What the descriptions of the API's endpoints are put together from: parameters, answers, and the errors of all."""

from __future__ import annotations

from typing import Any

from attune.models.catalog.manifest import NAME

Operation = dict[str, Any]
ERROR = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "description": "The error's name, for instance UnknownProbe."},
        "message": {"type": "string", "description": "What happened, what was expected, and what to do next."},
        "request": {"type": "string", "description": "The request's id, as in the log."},
    },
}
FIGURE = {
    "type": "object",
    "properties": {
        "value": {"type": ["number", "null"]},
        "lo": {"type": ["number", "null"]},
        "hi": {"type": ["number", "null"]},
        "n": {"type": ["integer", "null"]},
        "reason": {"type": ["string", "null"]},
    },
}
PAGE = {"page": {"type": "integer"}, "pages": {"type": "integer"}, "total": {"type": "integer"}}
_BINARY = {"type": "string", "format": "binary"}
_PATH = {
    "name": ("An attribute's name.", {"type": "string", "pattern": f"^{NAME.pattern}$", "examples": ["romance"]}),
    "ref": ("A version (a whole number) or an alias.", {"type": "string", "examples": ["champion", "1"]}),
    "file": ("A file's name.", {"type": "string", "examples": ["probe.safetensors", "card.md"]}),
}
_HEADERS = {
    "ETag": {"description": "The content's sha256 in quotes.", "schema": {"type": "string"}},
    "Attune-Version": {"description": "The version number.", "schema": {"type": "integer"}},
    "Cache-Control": {"description": "Immutable for a version, no-cache for an alias.", "schema": {"type": "string"}},
}


def json_answer(description: str, schema: dict[str, Any], of_version: bool = False) -> dict[str, Any]:
    """An answer of JSON; ``of_version`` where it carries the headers of a published version."""
    found: dict[str, Any] = {"description": description, "content": {"application/json": {"schema": schema}}}
    return found | ({"headers": _HEADERS} if of_version else {})


def error(description: str) -> dict[str, Any]:
    """An answer that tells what went wrong, as every error of the API does."""
    return json_answer(description, {"$ref": "#/components/schemas/Error"})


def file_answer(description: str, *kinds: str) -> dict[str, Any]:
    """An answer of bytes, of one of the media types ``kinds``."""
    return {"description": description, "headers": _HEADERS, "content": {kind: {"schema": _BINARY} for kind in kinds}}


def in_path(name: str, about: str = "", **schema: Any) -> dict[str, Any]:
    """A parameter of the path; ``name``, ``ref`` and ``file`` are known, another brings its description and schema."""
    known, kind = _PATH.get(name, ("", {"type": "string"}))
    return {"name": name, "in": "path", "required": True, "description": about or known, "schema": kind | schema}


def in_query(name: str, about: str = "", **schema: Any) -> dict[str, Any]:
    """A parameter after the question mark, optional unless the schema has no ``default`` and the endpoint says so."""
    found = {"name": name, "in": "query", "schema": schema}
    return found | ({"description": about} if about else {})


def paged(size: int) -> list[dict[str, Any]]:
    """The parameters of a list: which page, and how many rows on one (``size`` unless told)."""
    kind: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 10**9 - 1}
    return [in_query(name, **kind, default=default) for name, default in {"page": 1, "size": size}.items()]


def in_header(name: str, about: str, *examples: str) -> dict[str, Any]:
    """A header of the request, optional."""
    return {
        "name": name,
        "in": "header",
        "description": about,
        "schema": {"type": "string", "examples": list(examples)},
    }


HELD = in_header("If-None-Match", "The ETag of your copy. The reply is 304 if it is still current.", '"0123abcd"')
PIECE = in_header("Range", "The requested bytes.", "bytes=0-99")
# What any endpoint that is not open to all may answer, and what one that reads a published version may.
SHUT = {401: error("No valid API token or session."), 403: error("The role has no access.")}
ABSENT = {
    404: error("The attribute, version, alias or file does not exist."),
    409: error("The files in the catalog were changed. An admin must run `attune probes heal`."),
    410: error("The version is retired."),
    503: error("The storage of the catalog is unavailable."),
}
CACHED = {
    206: file_answer("The requested range.", "*/*"),
    304: {"description": "The content did not change since If-None-Match."},
    416: error("The range is outside the content."),
}
