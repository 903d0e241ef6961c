"""An attribute's labels, as the API gives them out."""

from __future__ import annotations

from labeler.web.openapi.parts import SHUT, Operation, error, in_path, in_query

_BINARY = {"type": "string", "format": "binary"}

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
}
