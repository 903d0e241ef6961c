"""What a route's text says, read once for every app of this process: each test makes an app of its own, and werkzeug
reads 200 routes, then writes, compiles and reads again two functions for each, most of the time that an app takes."""

from __future__ import annotations

from typing import Any, NamedTuple

from werkzeug.routing import Rule


class Read(NamedTuple):
    """What `Rule.compile` leaves in a rule; nothing changes it later. A converter does not look at its map again."""

    parts: Any
    trace: Any
    converters: Any
    arguments: frozenset[str]
    build: Any
    build_unknown: Any


def share() -> None:
    """From now on, a route is read once; a builder takes the rule that it is called for as an argument."""
    read: dict[Any, Read] = {}
    compile_rule = Rule.compile

    def kept(rule: Rule) -> None:
        assert rule.map is not None
        domain = rule.host if rule.map.host_matching else rule.subdomain
        kinds = frozenset(rule.map.converters.items())
        key = (rule.rule, domain, rule.merge_slashes, repr(rule.defaults), kinds)
        if key in read:
            _take(rule, read[key])
            return
        compile_rule(rule)
        read[key] = Read(
            rule._parts,
            rule._trace,
            rule._converters,
            frozenset(rule.arguments),
            rule._build.__func__,  # type: ignore[attr-defined]
            rule._build_unknown.__func__,  # type: ignore[attr-defined]
        )

    Rule.compile = kept  # type: ignore[method-assign]


def _take(rule: Rule, one: Read) -> None:
    rule._parts, rule._trace, rule._converters = one.parts, one.trace, one.converters
    rule.arguments |= one.arguments
    rule._build = one.build.__get__(rule, None)
    rule._build_unknown = one.build_unknown.__get__(rule, None)
