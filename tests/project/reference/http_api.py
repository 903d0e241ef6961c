"""The page of the HTTP API, from the OpenAPI description that the console serves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from attune.labeler.web.api import describe
from tests.project.reference.markdown import code, table

INTRODUCTION = """# HTTP API

The console serves the API below `/api/v1`. Show a token with each request: `Authorization: Bearer TOKEN`. An owner
or admin creates one with `attune token create NAME`, or in the console. The session of a person who is
logged in works too.

`/api/v1/openapi.json` is the same description for programs (OpenAPI 3.1). [Pull in a
pipeline](../how-to/pull-in-a-pipeline.md) has examples to copy. Versions never change; aliases move.
"""
CLOSING = """## Errors

An error is a JSON object with these keys. The message says what to do next.

"""


def page() -> str:
    """The whole page."""
    document = describe()
    parts = [INTRODUCTION]
    for path, methods in document["paths"].items():
        parts += [_operation(method.upper(), path, one) for method, one in methods.items()]
    error = document["components"]["schemas"]["Error"]
    return "\n".join([*parts, CLOSING + table(["key", "type", "meaning"], keys(error))])


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [f"## {operation['summary']}\n", f"`{method} {path}`\n"]
    if operation.get("description"):
        parts.append(operation["description"] + "\n")
    if parameters := operation.get("parameters"):
        rows = [
            [code(one["name"]), one["in"], kind(one["schema"]), one.get("description", ""), _default(one["schema"])]
            for one in parameters
        ]
        parts.append(table(["parameter", "in", "type", "meaning", "default"], rows))
    answers = sorted(operation["responses"].items())
    rows = [[status, one["description"], ", ".join(map(code, one.get("content", {})))] for status, one in answers]
    parts.append(table(["status", "meaning", "content"], rows))
    for status, one in answers:
        schema = one.get("content", {}).get("application/json", {}).get("schema", {})
        if status.startswith("2") and (rows := list(keys(schema))):
            parts.append(f"The JSON of {status}:\n\n" + table(["key", "type", "meaning"], rows))
    return "\n".join(parts)


def keys(schema: Mapping[str, Any], before: str = "") -> Iterator[list[str]]:
    """The keys of a JSON object's schema, with those of the objects inside it."""
    for name, one in schema.get("properties", {}).items():
        yield [code(before + name), kind(one), one.get("description", "")]
        inside = one.get("items", one)
        mark = "[]" if "items" in one else ""
        yield from keys(inside, f"{before}{name}{mark}.")


def kind(schema: Mapping[str, Any]) -> str:
    """A schema's type in a few words."""
    if "enum" in schema:
        return ", ".join(code(str(one)) for one in schema["enum"])
    named = schema.get("type", "any")
    text = " or ".join(named) if isinstance(named, list) else str(named)
    if text == "array":
        text = f"list of {kind(schema.get('items', {}))}"
    if "minimum" in schema and "maximum" in schema:
        text += f", {schema['minimum']:,} to {schema['maximum']:,}"
    return text


def _default(schema: Mapping[str, Any]) -> str:
    return code(json.dumps(schema["default"])) if "default" in schema else ""
