"""An attribute's own bounds of the gates, and which of them bind."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from attune.labeler.attributes import attributes
from attune.labeler.catalog.gates import RULES, Rule
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.errors import DataError


@dataclass(frozen=True)
class Bound:
    """A gate as an attribute has set it; ``by`` and ``at`` (ISO 8601) are None where it is the default."""

    name: str
    rule: Rule
    bound: float
    enforced: bool
    by: str | None = None
    at: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "text": self.rule.text,
            "bound": self.bound,
            "default": self.rule.bound,
            "enforced": self.enforced,
            "by": self.by,
            "at": self.at,
        }


def bounds(settings: Settings, attribute: str) -> list[Bound]:
    """Every gate as ``attribute`` has it. Raises UnknownAttribute."""
    with reading(settings) as session:
        return _bounds(attributes.find(session, attribute).settings.get("gates") or {})


def _bounds(stored: Mapping[str, Mapping[str, Any]]) -> list[Bound]:
    bounds_list = []
    for name, rule in RULES.items():
        own = stored.get(name) or {}
        value, binding = float(own.get("bound", rule.bound)), bool(own.get("enforced", False))
        bounds_list.append(Bound(name, rule, value, binding, own.get("by"), own.get("at")))
    return bounds_list


def change(
    settings: Settings, attribute: str, who: str, values: Mapping[str, str | float], enforced: Mapping[str, bool]
) -> list[Bound]:
    """Set the bounds in ``values`` and whether those in ``enforced`` bind; the rest stays, and so does what is equal.

    Raises DataError naming the gate and its field, and changes nothing then; UnknownAttribute.
    """
    checked = {check_gate_name(name): check(check_gate_name(name), value) for name, value in values.items()}
    binding = {check_gate_name(name): value for name, value in enforced.items()}
    with writing(settings) as session:
        row = attributes.find(session, attribute)
        session.refresh(row, with_for_update=True)
        stored: dict[str, Any] = dict(row.settings.get("gates") or {})
        for before in _bounds(stored):
            change_requested = checked.get(before.name, before.bound), binding.get(before.name, before.enforced)
            if change_requested != (before.bound, before.enforced):
                stored[before.name] = {
                    "bound": change_requested[0],
                    "enforced": change_requested[1],
                    "by": who,
                    "at": iso(now()),
                }
        row.settings = {**row.settings, "gates": stored}
        return _bounds(stored)


def check_gate_name(name: str) -> str:
    """``name`` where it is a gate's. Raises DataError with near names."""
    if name in RULES:
        return name
    near = get_close_matches(name, RULES, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"The gates are {', '.join(RULES)}."
    raise DataError(f"gate: {name[:60]!r} does not exist. {hint}")


def check(name: str, value: str | float) -> float:
    """The bound as a number in the gate's range. Raises DataError naming the gate."""
    rule = RULES[name]
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not rule.least <= number <= rule.most:
        raise DataError(
            f"{name}: {value!r} is not a possible bound. Expected a number from {rule.least:g} to {rule.most:g} "
            f"({rule.text})."
        )
    return number


def pairs(texts: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts by name. Raises DataError for one without a value."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value.strip():
            raise DataError(f"--set: {text[:60]!r} has no value. Write it as audit_lower_bound=0.6.")
        values[name.strip()] = value.strip()
    return values
