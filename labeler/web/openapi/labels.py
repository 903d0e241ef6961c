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
        "added": {"type": "integer", "description": "New assets since publication."},
        "n": {"type": "integer", "description": "New assets in the newest measurement."},
        "titles": {"type": "integer"},
        "looks": {"type": "integer", "description": "Measurements that could raise an alarm."},
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
        "link": {"type": "string", "description": "A path in the console."},
        "at": {"type": "string", "format": "date-time"},
        "unread": {"type": "boolean"},
        "undelivered": {"type": "string", "description": "Why the email or webhook failed."},
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
            "description": "For owners and admins, because every row names an expert.",
            "parameters": [
                in_path("name"),
                in_query(
                    "format", "The file format. label-studio is the JSON of Label Studio.", type="string", default="csv"
                )
                | {"schema": {"enum": ["csv", "parquet", "json", "label-studio"], "default": "csv"}},
                in_query("agreed", "Labels (one row per image) instead of answers.", type="boolean", default=False),
            ],
            "responses": {
                200: {
                    "description": "One row per answer or image, or a list of tasks for Label Studio.",
                    "headers": {"Attune-Rows": {"description": "The number of rows.", "schema": {"type": "integer"}}},
                    "content": {
                        "text/csv": {"schema": {"type": "string"}},
                        "application/vnd.apache.parquet": {"schema": _BINARY},
                        "application/json": {"schema": {"type": ["object", "array"]}},
                    },
                },
                404: error("The attribute does not exist."),
                422: error("The format or the name is not valid."),
            }
            | SHUT,
        }
    },
    "/api/v1/drift/{name}": {
        "get": {
            "summary": "Read the champion's drift",
            "description": "For owners and admins: the scores of new assets, compared with those at publication.",
            "parameters": [in_path("name")],
            "responses": {
                200: json_answer("State, values with intervals, and the rule of the alarm.", _DRIFT),
                404: error("The attribute does not exist."),
                422: error("The name is not valid."),
            }
            | SHUT,
        }
    },
    "/api/v1/notices": {
        "get": {
            "summary": "List the notices",
            "description": "Owners see all notices. Experts see only their own.",
            "parameters": [in_query("page", type="integer", minimum=1, maximum=10**9 - 1, default=1)],
            "responses": {
                200: json_answer("One page of the notices, newest first.", _NOTICES),
                422: error("The page number is not valid."),
            }
            | SHUT,
        }
    },
}
