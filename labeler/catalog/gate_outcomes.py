"""What came of a gate, as a promotion keeps it: passed, not passed, not known, or not applicable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

Outcome = Literal["passed", "not passed", "not known", "not applicable"]
PASSED: Outcome = "passed"
MISSED: Outcome = "not passed"
UNKNOWN: Outcome = "not known"
ABSENT: Outcome = "not applicable"


class GateRow(TypedDict):
    """A gate as JSON."""

    name: str
    passed: Annotated[bool | None, "Null if it is unknown or not applicable."]
    applies: bool
    outcome: Outcome
    value: float | None
    bound: float
    enforced: bool
    text: str
    reason: str


@dataclass(frozen=True)
class Gate:
    """One gate's outcome. ``passed`` is None where the value is not known, and where the gate does not apply because
    there is nothing that it could judge; ``reason`` says why."""

    name: str
    passed: bool | None
    value: float | None
    bound: float
    enforced: bool
    text: str
    reason: str = ""
    applies: bool = True

    @property
    def outcome(self) -> Outcome:
        """One of the four words."""
        if not self.applies:
            return ABSENT
        return UNKNOWN if self.passed is None else PASSED if self.passed else MISSED

    @property
    def stops(self) -> bool:
        """Whether it stops a promotion: it is enforced, applies and was not passed."""
        return self.enforced and self.applies and not self.passed

    def to_dict(self) -> GateRow:
        """As JSON."""
        return {
            "name": self.name,
            "passed": self.passed,
            "applies": self.applies,
            "outcome": self.outcome,
            "value": self.value,
            "bound": self.bound,
            "enforced": self.enforced,
            "text": self.text,
            "reason": self.reason,
        }


def read(held: Mapping[str, Any]) -> Gate:
    """The gate that a line of the history keeps.

    Lines of earlier versions say ``passed`` without a value where there was no champion to be worse than: nothing was
    judged there.
    """
    value, passed = held.get("value"), held.get("passed")
    applies = bool(held.get("applies", not (passed and value is None)))
    return Gate(
        str(held.get("name", "")),
        passed if applies else None,
        value,
        float(held.get("bound") or 0.0),
        bool(held.get("enforced", False)),
        str(held.get("text", "")),
        str(held.get("reason", "")),
        applies,
    )
