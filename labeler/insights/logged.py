"""Rows of a program that noted each image's chance: their weights, and whether what was shown fits the log."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from attune.models.insights.propensity import Overlap
from attune.models.insights.row_parts import Parts


@dataclass(frozen=True, eq=False)
class Logged:
    """``outcomes`` with weights, of ``overlap``. ``tested`` titles on canvases were compared with the log, ``flagged``
    were not shown as it says and are left out; ``believed``: so few of them failed beyond chance."""

    outcomes: Parts
    overlap: Overlap
    tested: int
    flagged: int
    believed: bool

    @property
    def enough(self) -> bool:
        """Whether the rows may answer questions, with grade B."""
        return self.believed and self.overlap.enough

    def as_json(self) -> dict[str, Any]:
        """For figures."""
        told = {"enough": self.enough, "tested": self.tested, "flagged": self.flagged, "believed": self.believed}
        return asdict(self.overlap) | told
