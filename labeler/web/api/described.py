"""What a route says of itself: the parameters that it reads and the answers that it may give.

A parameter reads its value by the schema that describes it, so that neither can change alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import request

from attune.labeler.web.api.schemas import Schema, schema
from attune.models.catalog.manifest import ALIAS, NAME
from attune.models.errors import DataError

Answer = dict[str, Any]
LARGEST = 10**9 - 1
LARGEST_PAGE = 500
NO_NUL = r"^[^\u0000]*$"
_BINARY = {"type": "string", "format": "binary"}
_PATH = {
    "name": ("An attribute's name.", {"type": "string", "pattern": f"^{NAME.pattern}$", "examples": ["romance"]}),
    "space": ("A learned space's name.", {"type": "string", "pattern": f"^{NAME.pattern}$", "examples": ["taste"]}),
    "title": ("A title_id. Slashes in it are sent as they are.", {"type": "string", "examples": ["title-17"]}),
    "ref": (
        "A version (a whole number) or an alias.",
        {"type": "string", "pattern": f"^([1-9][0-9]*|{ALIAS.pattern})$", "examples": ["champion", "1"]},
    ),
    "run": ("The number of a clustering.", {"type": "string", "pattern": "^[0-9]{1,9}$", "examples": ["3"]}),
    "number": ("The number of a cluster.", {"type": "string", "pattern": "^[0-9]{1,9}$", "examples": ["7"]}),
    "insight": ("The number of an insight.", {"type": "string", "pattern": "^[0-9]{1,9}$", "examples": ["3"]}),
    "file": ("A file's name.", {"type": "string", "examples": ["probe.safetensors", "card.md"]}),
}
_HEADERS = {
    "ETag": {"description": "The content's sha256 in quotes.", "schema": {"type": "string"}},
    "Attune-Version": {"description": "The version number.", "schema": {"type": "integer"}},
    "Cache-Control": {"description": "Immutable for a version, no-cache for an alias.", "schema": {"type": "string"}},
}


@dataclass(frozen=True)
class Query:
    """A parameter after the question mark; the view gets what ``read`` makes of its text (None: it was not sent)."""

    name: str
    about: str
    schema: Schema
    read: Callable[[str | None], Any]

    def describe(self) -> dict[str, Any]:
        """The parameter as OpenAPI has it."""
        about = {"description": self.about} if self.about else {}
        return {"name": self.name, "in": "query", "schema": self.schema} | about

    def value(self) -> Any:
        """What the request says."""
        return self.read(request.args.get(self.name))


def text(name: str, about: str, **more: Any) -> Query:
    """A text; one that was not sent is its ``default``, or empty. No request may hold a NUL character (`web.nul`)."""
    return Query(
        name,
        about,
        {"type": "string", "pattern": NO_NUL} | more,
        lambda sent: more.get("default", "") if sent is None else sent,
    )


def whole(name: str, default: int, about: str = "", most: int = LARGEST) -> Query:
    """A whole number from 1; one above ``most`` is taken as ``most``."""

    def read(sent: str | None) -> int:
        try:
            value = default if sent is None else int(sent)
        except ValueError:
            value = 0
        if not 1 <= value <= LARGEST:
            raise DataError(f"{name}: {sent!r} is not a whole number of at least 1. The default is {default}.")
        return min(value, most)

    return Query(name, about, {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": default}, read)


def flag(name: str, about: str) -> Query:
    """true or false; false where it was not sent."""

    def read(sent: str | None) -> bool:
        if sent not in {None, "true", "false"}:
            raise DataError(f"{name}: {str(sent)[:40]!r} is neither true nor false. The default is false.")
        return sent == "true"

    return Query(name, about, {"type": "boolean", "default": False}, read)


PAGES = (whole("page", 1), whole("size", 100, most=LARGEST_PAGE))


def in_path(name: str) -> dict[str, Any]:
    """A parameter of the path."""
    about, kind = _PATH[name]
    return {"name": name, "in": "path", "required": True, "description": about, "schema": kind}


def in_header(name: str, about: str, example: str) -> dict[str, Any]:
    """A header of the request, optional."""
    return {"name": name, "in": "header", "description": about, "schema": {"type": "string", "examples": [example]}}


def json_answer(about: str, kind: Any, of_version: bool = False) -> Answer:
    """An answer of JSON, of the type ``kind`` or a schema; ``of_version``: with a published version's headers."""
    told = kind if isinstance(kind, dict) else schema(kind)
    found: Answer = {"description": about, "content": {"application/json": {"schema": told}}}
    return found | ({"headers": _HEADERS} if of_version else {})


def error(about: str) -> Answer:
    """An answer that tells what went wrong, as every error of the API does."""
    return json_answer(about, {"$ref": "#/components/schemas/Error"})


def file_answer(about: str, *kinds: str) -> Answer:
    """An answer of bytes, of one of the media types ``kinds``."""
    return {"description": about, "headers": _HEADERS, "content": {kind: {"schema": _BINARY} for kind in kinds}}


HELD = in_header("If-None-Match", "The ETag of your copy. The reply is 304 if it is still current.", '"0123abcd"')
PIECE = in_header("Range", "The requested bytes.", "bytes=0-99")
# What every endpoint may answer, and what one that reads a published version may.
SHUT = {
    400: error("The address holds a NUL character."),
    401: error("No valid API token or session."),
    403: error("The role has no access."),
}
OF_VERSION = {
    206: file_answer("The requested range.", "*/*"),
    304: {"description": "The content did not change since If-None-Match."},
    404: error("The attribute, version, alias or file does not exist."),
    409: error("The files in the catalog were changed. An admin must run `attune probes heal`."),
    410: error("The version is retired."),
    416: error("The range is outside the content."),
    503: error("The storage of the catalog is unavailable."),
}
