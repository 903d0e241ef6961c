"""The page of the Python API: what the package ``attune`` exports, with signatures and docstrings."""

from __future__ import annotations

import inspect

import attune
from tests.project.reference.markdown import code, first_line, prose, table

INTRODUCTION = """# Python API

`import attune` gives the names on this page. They are loaded when they are first used, so the import is quick and
needs no torch. What this page does not list can change in any release.
"""
NOTHING = "This version exports no names. Pipelines use [the HTTP API](http-api.md) and the commands.\n"


def page() -> str:
    """The whole page."""
    names = sorted(getattr(attune, "__all__", ()))
    if not names:
        return INTRODUCTION + "\n" + NOTHING
    rows = [[f"[`{name}`](#{name.lower()})", first_line(inspect.getdoc(getattr(attune, name)))] for name in names]
    return "\n".join([INTRODUCTION, table(["name", "what it is"], rows), *map(_described, names)])


def _described(name: str) -> str:
    thing = getattr(attune, name)
    parts = [f"## {name}\n"]
    if callable(thing) and not (inspect.isclass(thing) and issubclass(thing, Exception)):
        parts.append(f"```python\nattune.{name}{signature(thing)}\n```\n")
    parts.append(prose(inspect.getdoc(thing) if callable(thing) or inspect.ismodule(thing) else repr(thing)) + "\n")
    if inspect.isclass(thing):
        rows = [
            [code(key + (signature(one) if callable(one) else "")), first_line(inspect.getdoc(one))]
            for key, one in sorted(vars(thing).items())
            if not key.startswith("_") and (inspect.isfunction(one) or isinstance(one, property))
        ]
        if rows:
            parts.append(table(["member", "what it does"], rows))
    return "\n".join(parts)


def signature(thing: object) -> str:
    """A signature as it is written in the source."""
    try:
        return str(inspect.signature(thing)).replace("'", "")  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(...)"
