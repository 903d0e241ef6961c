"""JSON schemas of the typed records that the API answers with, so that an answer and its description are one thing.

A note in ``Annotated`` is the description of a field where it is a text, and more of its schema where it is a dict.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

Schema = dict[str, Any]
_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema(kind: Any, optional: Collection[str] = ()) -> Schema:
    """The schema of a type: a TypedDict, a dataclass, or what their fields may be.

    ``optional``: fields of a dataclass that its JSON may lack. Raises TypeError for a type that JSON does not have.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return schema(parts[0]) | _notes(parts[1:])
    if origin is NotRequired:
        return schema(parts[0])
    if is_typeddict(kind) or is_dataclass(kind):
        return _record(kind, optional)
    if origin is Literal:
        return {"type": "string", "enum": list(parts)}
    if origin in (Union, UnionType):
        return _one_of([schema(part) for part in parts if part is not NoneType], NoneType in parts)
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object"} | ({} if parts[1] is Any else {"additionalProperties": schema(parts[1])})
    if origin is not None and issubclass(origin, Sequence):
        return {"type": "array", "items": schema(parts[0])}
    if kind is datetime:
        return {"type": "string", "format": "date-time"}
    if kind in _SIMPLE:
        return {"type": _SIMPLE[kind]}
    raise TypeError(f"{kind} has no JSON schema")


def _record(kind: Any, optional: Collection[str]) -> Schema:
    fields = get_type_hints(kind, include_extras=True)
    given = [name for name, one in fields.items() if get_origin(one) is not NotRequired and name not in optional]
    required = {"required": given} if given and getattr(kind, "__total__", True) else {}
    return {"type": "object"} | required | {"properties": {name: schema(one) for name, one in fields.items()}}


def _one_of(kinds: list[Schema], nullable: bool) -> Schema:
    if nullable and len(kinds) == 1 and set(kinds[0]) == {"type"}:
        return {"type": [kinds[0]["type"], "null"]}
    return {"anyOf": kinds + [{"type": "null"}] * nullable}


def _notes(notes: Sequence[Any]) -> Schema:
    found: Schema = {}
    for note in notes:
        found |= note if isinstance(note, dict) else {"description": note}
    return found
