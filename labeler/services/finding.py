"""What a check of `attune doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True)
class Finding:
    """What one check found: its name, state, the facts, what to do where it is not well, and for --json each case."""

    name: str
    state: State
    found: str
    todo: str = ""
    cases: tuple[dict[str, object], ...] = ()
