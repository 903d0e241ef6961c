"""What owners read of an attribute beside its probes: its labels, and whether its champion has drifted."""

from __future__ import annotations

from attune.labeler.web.openapi.shared_parts import PAGE, SHUT, Operation, error, in_path, in_query, json_answer

_BINARY = {"type": "string", "format": "binary"}
_DRIFT = {
    "type": "object",
    "required": ["attribute", "state", "version", "added", "n", "titles", "looks", "sentence", "rule", "classes"],
    "properties": {
        "attribute": {"type": "string"},
        "state": {"enum": ["unpublished", "waiting", "few", "steady", "moved", "drifted"]},
        "version": {"type": ["integer", "null"]},
        "added": {"type": "integer", "description": "Assets since publication."},
        "n": {"type": "integer", "description": "Assets that the newest comparison saw."},
        "titles": {"type": "integer"},
        "looks": {"type": "integer", "description": "Looks that could have raised an alarm."},
        "sentence": {"type": "string"},
        "rule": {"type": "object"},
        "classes": {"type": "array", "items": {"type": "object"}},
    },
}
_NOTICE = {
    "type": "object",
    "required": ["id", "kind", "title", "text", "link", "at", "unread"],
    "properties": {
        "id": {"type": "integer"},
        "kind": {"type": "string"},
        "title": {"type": "string"},
        "text": {"type": "string"},
        "link": {"type": "string", "description": "A path of the console."},
        "at": {"type": "string", "format": "date-time"},
        "unread": {"type": "boolean"},
        "undelivered": {"type": "string", "description": "Why it could not be sent beside the console."},
    },
}
_NOTICES = {
    "type": "object",
    "required": ["notices", *PAGE],
    "properties": {"notices": {"type": "array", "items": _NOTICE}} | PAGE,
}

OPERATIONS: dict[str, dict[str, Operation]] = {
    "/api/v1/labels/{name}": {
        "get": {
            "summary": "Export an attribute's labels",
            "description": "For owners and administrators: every row names an expert.",
            "parameters": [
                in_path("name"),
                in_query("format", "Label Studio's own JSON is label-studio.", type="string", default="csv")
                | {"schema": {"enum": ["csv", "parquet", "json", "label-studio"], "default": "csv"}},
                in_query("agreed", "One row an image, with the agreed label.", type="boolean", default=False),
            ],
            "responses": {
                200: {
                    "description": "One row an answer, or an image; a list of tasks for Label Studio.",
                    "headers": {"Attune-Rows": {"description": "How many rows.", "schema": {"type": "integer"}}},
                    "content": {
                        "text/csv": {"schema": {"type": "string"}},
                        "application/vnd.apache.parquet": {"schema": _BINARY},
                        "application/json": {"schema": {"type": ["object", "array"]}},
                    },
                },
                404: error("No such attribute."),
                422: error("No such format, or a name that can be none."),
            }
            | SHUT,
        }
    },
    "/api/v1/drift/{name}": {
        "get": {
            "summary": "Read the champion's drift",
            "description": "For owners and administrators: the scores of newer assets against those at publication.",
            "parameters": [in_path("name")],
            "responses": {
                200: json_answer("State, figures with intervals, and the rule of the alarm.", _DRIFT),
                404: error("No such attribute."),
                422: error("A name that can be none."),
            }
            | SHUT,
        }
    },
    "/api/v1/notices": {
        "get": {
            "summary": "List the notices",
            "description": "What happened that the asker should know; experts see what concerns themselves alone.",
            "parameters": [in_query("page", type="integer", minimum=1, maximum=10**9 - 1, default=1)],
            "responses": {200: json_answer("One page of the notices, newest first.", _NOTICES), 422: error("No page.")}
            | SHUT,
        }
    },
}
