"""Which features experts are asked about: who still has to answer must not read what a feature says of the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from attune.labeler.insights.known import Known
from attune.labeler.measured import checks
from attune.models.measured.eye_checks import given_away


@dataclass(frozen=True)
class PeopleAsked:
    """``known``: all features; ``checked``: the measured ones that a question checks."""

    known: Mapping[str, Known]
    checked: frozenset[str]

    @classmethod
    def of(cls, session: Session, known: Mapping[str, Known]) -> PeopleAsked:
        """As it is now."""
        return cls(known, checks.asked(session))

    def about(self, name: str) -> bool:
        """Whether experts answer what the feature ``name`` says, as a number, in bands, or by another feature of the
        same measurement. Of a feature that is gone nobody knows, so it counts as asked."""
        one = self.known.get(name)
        if one is None or one.audited_by:
            return True
        return one.kind == "measured" and bool(given_away(name) & self.checked)
