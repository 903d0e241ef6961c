"""The search of the pool, as the API answers it."""

from __future__ import annotations

from typing import Any

from attune.labeler.web.openapi.shared_parts import SHUT, Operation, error, in_query, json_answer

_FOUND: dict[str, Any] = {
    "type": "object",
    "required": ["state", "assets"],
    "properties": {
        "state": {"type": "string", "description": "done; queued or running while the workers are at it."},
        "assets": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["asset_id", "similarity"],
                "properties": {"asset_id": {"type": "string"}, "similarity": {"type": ["number", "null"]}},
            },
        },
    },
}

OPERATIONS: dict[str, dict[str, Operation]] = {
    "/api/v1/search": {
        "get": {
            "summary": "Search the pool by a text or an example",
            "description": "For experts, owners and administrators: pipelines pull scores instead.",
            "parameters": [
                in_query("q", "What the images show; without it and like, by id.", type="string", maxLength=300),
                in_query("like", "The asset_id of an example; wins over q.", type="string"),
                in_query("title", "What the title or the asset_id contains.", type="string"),
                in_query("column", "A column of the manifest …", type="string"),
                in_query("value", "… and what it must be.", type="string"),
                in_query("top", "At most 600 come.", type="integer", minimum=1, maximum=999_999_999, default=50),
            ],
            "responses": {
                200: json_answer("The images, most alike first.", _FOUND),
                202: json_answer("The workers are at it: ask again.", _FOUND),
                404: error("No such asset."),
                409: error("The search did not work, and why."),
                422: error("A text that is too long, or no whole number."),
                503: error("Redis does not answer."),
            }
            | SHUT,
        }
    },
}
