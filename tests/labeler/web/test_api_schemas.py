"""A typed record becomes the JSON schema of what it is as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from attune.labeler.web.api.schemas import schema


@dataclass(frozen=True)
class Part:
    at: datetime
    of: float | None
    draft: bool = False


class Whole(TypedDict):
    name: Annotated[str, "What it is called.", {"maxLength": 9}]
    parts: tuple[Part, ...]
    best: Part | None
    state: Literal["new", "old"]
    bag: Mapping[str, Any]
    shares: NotRequired[dict[str, float]]


def test_records_inside_records_become_one_schema() -> None:
    part = {
        "type": "object",
        "required": ["at", "of", "draft"],
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "of": {"type": ["number", "null"]},
            "draft": {"type": "boolean"},
        },
    }
    assert schema(Part) == part
    assert schema(Part, optional=("draft",))["required"] == ["at", "of"]
    assert schema(Whole) == {
        "type": "object",
        "required": ["name", "parts", "best", "state", "bag"],
        "properties": {
            "name": {"type": "string", "description": "What it is called.", "maxLength": 9},
            "parts": {"type": "array", "items": part},
            "best": {"anyOf": [part, {"type": "null"}]},
            "state": {"type": "string", "enum": ["new", "old"]},
            "bag": {"type": "object"},
            "shares": {"type": "object", "additionalProperties": {"type": "number"}},
        },
    }


@pytest.mark.parametrize("kind", [bytes, set[str], object])
def test_a_type_that_json_does_not_have_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match="no JSON schema"):
        schema(kind)
