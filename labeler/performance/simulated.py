"""Whether performance is made up, as the file of each import said."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from attune.labeler.performance.imports import active
from attune.labeler.records.schema import PerformanceImport


def any_simulated(imports: Iterable[PerformanceImport]) -> bool:
    """Whether any of ``imports`` was made by ``attune insights simulate`` or by the demo."""
    return any("simulated" in one.options for one in imports)


def is_simulated(session: Session) -> bool:
    """Whether any performance that counts is made up."""
    return any_simulated(active(session))
