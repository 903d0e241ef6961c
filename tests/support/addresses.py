"""What builds an address from a route, shared by every app of this process: each test makes an app of its own, and
werkzeug writes, compiles and reads again two functions for each of 170 routes, half of the time that an app takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


def share() -> None:
    """From now on, a builder is made once for each route: it takes the rule that it is called for as an argument."""
    made: dict[Any, Builder] = {}
    compile_builder = Rule._compile_builder

    def kept(rule: Rule, append_unknown: bool = True) -> Builder:
        converters = tuple((name, type(one)) for name, one in rule._converters.items())
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), converters, append_unknown)
        if key not in made:
            made[key] = compile_builder(rule, append_unknown)
        return made[key]

    Rule._compile_builder = kept  # type: ignore[method-assign]
