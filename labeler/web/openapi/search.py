"""The search of the pool, as the API answers it."""

from __future__ import annotations

from typing import Any

from attune.labeler.web.openapi.shared_parts import SHUT, Operation, error, in_query, json_answer

_FOUND: dict[str, Any] = {
    "type": "object",
    "required": ["state", "assets"],
    "properties": {
        "state": {"type": "string", "description": "queued, running or done."},
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
            "description": "For experts, owners and admins. Pipelines use feature values.",
            "parameters": [
                in_query(
                    "q", "What the images show. Without q and like: all images by id.", type="string", maxLength=300
                ),
                in_query("like", "The asset_id of an example. Used instead of q.", type="string"),
                in_query("title", "Text in the title or the asset_id.", type="string"),
                in_query("column", "A column of the asset table.", type="string"),
                in_query("value", "The value that the column must have.", type="string"),
                in_query(
                    "top", "How many images, at most 600.", type="integer", minimum=1, maximum=999_999_999, default=50
                ),
            ],
            "responses": {
                200: json_answer("The images, most similar first.", _FOUND),
                202: json_answer("Not ready yet. Send the request again.", _FOUND),
                404: error("The asset does not exist."),
                409: error("The search failed. The message has the reason."),
                422: error("The text is too long, or a number is not valid."),
                503: error("Redis is unavailable."),
            }
            | SHUT,
        }
    },
}
