"""The description of the feature catalog: the list of probes, manifests, files and feature values."""

from __future__ import annotations

from typing import Any

from attune.labeler.web.openapi.shared_parts import (
    ABSENT,
    CACHED,
    FIGURE,
    HELD,
    PAGE,
    PIECE,
    SHUT,
    Operation,
    error,
    file_answer,
    in_path,
    in_query,
    json_answer,
    paged,
)
from attune.models.catalog.manifest import ALIAS

_PROBE: dict[str, Any] = {
    "type": "object",
    "required": ["attribute", "question", "classes", "aliases", "versions", "average_precision"],
    "properties": {
        "attribute": {"type": "string"},
        "question": {"type": "string"},
        "classes": {"type": "array", "items": {"type": "string"}},
        "aliases": {"type": "object", "additionalProperties": {"type": "integer"}},
        "versions": {"type": "array", "items": {"type": "integer"}},
        "drafts": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "The `versions` that were published as drafts: a class had no answers.",
        },
        "newest": {"type": ["integer", "null"], "description": "The newest run, published or not."},
        "answers": {"type": "integer"},
        "average_precision": FIGURE,
    },
}
_LIST: dict[str, Any] = {
    "type": "object",
    "required": ["probes", "page", "pages", "total"],
    "properties": {
        "probes": {"type": "array", "items": _PROBE},
        **PAGE,
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
_DRAFT = {"type": "boolean", "description": "True if a class had no answers, else missing."}
_MANIFEST = {
    "type": "object",
    "required": sorted(_MANIFEST_KEYS),
    "properties": _MANIFEST_KEYS | {"draft": _DRAFT},
}

_GATE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "passed": {"type": ["boolean", "null"], "description": "Null if it is unknown or not applicable."},
        "applies": {"type": "boolean"},
        "outcome": {"type": "string", "enum": ["passed", "not passed", "not known", "not applicable"]},
        "value": {"type": ["number", "null"]},
        "bound": {"type": "number"},
        "enforced": {"type": "boolean"},
        "text": {"type": "string"},
        "reason": {"type": "string"},
    },
}

_LINE: dict[str, Any] = {
    "type": "object",
    "required": ["at", "who", "action", "alias", "version", "before", "reason", "gates"],
    "properties": {
        "at": {"type": "string", "format": "date-time"},
        "who": {"type": "string"},
        "action": {"type": "string", "enum": ["promote", "rollback", "retire"]},
        "alias": {"type": ["string", "null"]},
        "version": {"type": "integer"},
        "before": {"type": ["integer", "null"], "description": "The version of the alias before."},
        "reason": {"type": "string"},
        "gates": {"type": "array", "items": _GATE},
    },
}
_HISTORY: dict[str, Any] = {
    "type": "object",
    "required": ["attribute", "history", "page", "pages", "total"],
    "properties": {"attribute": {"type": "string"}, "history": {"type": "array", "items": _LINE}, **PAGE},
}
_THEN: dict[str, Any] = {
    "type": "object",
    "required": ["attribute", "alias", "on", "version", "line"],
    "properties": {
        "attribute": {"type": "string"},
        "alias": {"type": "string"},
        "on": {"type": "string", "format": "date-time"},
        "version": {"type": ["integer", "null"]},
        "line": {"anyOf": [_LINE, {"type": "null"}]},
    },
}

_VERSION = CACHED | SHUT | ABSENT

OPERATIONS: dict[str, dict[str, Operation]] = {
    "/api/v1/probes": {
        "get": {
            "summary": "List the probes",
            "parameters": paged(100),
            "responses": {
                200: json_answer("One page of probes, sorted by name.", _LIST),
                422: error("The page number is not valid."),
            }
            | SHUT,
        }
    },
    "/api/v1/probes/{name}/history": {
        "get": {
            "summary": "Read the history of the aliases",
            "description": "Newest first. With `on`: the version of `alias` on that date.",
            "parameters": [
                in_path("name"),
                in_query("on", "A date (end of the day, UTC) or a time, ISO 8601.", type="string", format="date"),
                in_query(
                    "alias", "The alias, with `on`.", type="string", pattern=f"^{ALIAS.pattern}$", default="champion"
                ),
                *paged(100),
            ],
            "responses": {
                200: json_answer("A page of the history, or the entry for `on`.", {"anyOf": [_HISTORY, _THEN]}),
                404: error("The attribute does not exist."),
                422: error("The page, date or alias is not valid."),
            }
            | SHUT,
        }
    },
    "/api/v1/probes/{name}/{ref}": {
        "get": {
            "summary": "Read a manifest",
            "parameters": [in_path("name"), in_path("ref"), HELD],
            "responses": {200: json_answer("The manifest.", _MANIFEST, of_version=True)} | _VERSION,
        }
    },
    "/api/v1/probes/{name}/{ref}/files/{file}": {
        "get": {
            "summary": "Pull a file of a version",
            "parameters": [in_path("name"), in_path("ref"), in_path("file"), HELD, PIECE],
            "responses": {
                200: {
                    "description": "The file.",
                    "content": file_answer("", "application/octet-stream", "text/markdown")["content"]
                    | {"application/json": {"schema": {"type": "object"}}},  # manifest.json
                },
            }
            | _VERSION,
        }
    },
    "/api/v1/features/{name}/{ref}": {
        "get": {
            "summary": "Pull the feature values",
            "parameters": [in_path("name"), in_path("ref"), HELD, PIECE],
            "responses": {
                200: file_answer("A Parquet file, one row per asset and class.", "application/vnd.apache.parquet")
            }
            | _VERSION,
        }
    },
    "/api/v1/openapi.json": {
        "get": {
            "summary": "Read this description",
            "responses": {200: json_answer("An OpenAPI document.", {"type": "object"})} | SHUT,
        }
    },
}
