"""What a run carries along: rows, features and their values, as comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from attune.labeler.insights import answer as answering
from attune.labeler.insights import audited, features
from attune.labeler.insights.answer import Asked
from attune.labeler.insights.evidence import Rows
from attune.labeler.insights.known import Known
from attune.labeler.records.schema import InsightCompanion
from attune.labeler.settings import Settings
from attune.models.errors import NotEnoughLabels
from attune.models.insights.corrected import LEAST_AUDITS
from attune.models.insights.halves import discovery_half

Bools = npt.NDArray[np.bool_]


@dataclass
class Work:
    """``values`` are those of one feature at a time: they can be many. ``companions``: what else is asked of each
    question."""

    settings: Settings
    rows: Rows
    known: Mapping[str, Known]
    companions: Mapping[int, list[InsightCompanion]] = field(default_factory=dict)
    values: dict[str, npt.NDArray[np.object_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.half: Bools = discovery_half(self.rows.title_ids)

    @cached_property
    def drafts(self) -> frozenset[str]:
        """Guesses that too few people have checked; found once, as that reads their answers."""
        return audited.drafts(self.settings, self.known)

    def of(self, name: str) -> npt.NDArray[np.object_]:
        """The values of a feature (assets,)."""
        if name not in self.values:
            self.values = {name: features.values(self.settings, self.known[name], self.rows.asset_ids)}
        return self.values[name]

    def over(self, rows: Rows) -> Work:
        """The same work over other rows."""
        other = copy(self)  # with what is known of the features
        other.rows, other.values, other.half = rows, {}, discovery_half(rows.title_ids)
        return other

    def canvas(self, name: str) -> int | None:
        """The number of a canvas; None where it has no rows, or none is named."""
        found = np.flatnonzero(self.rows.canvases == name) if name else np.zeros(0)
        return int(found[0]) if len(found) else None

    def asked(self, feature: Known, contrast: str) -> Asked:
        """What is compared; of an attribute, or a measured feature that people check, with the audits that correct it.

        Raises NotEnoughLabels.
        """
        if feature.classes and features.pair(feature, contrast) is None:
            raise NotEnoughLabels(f"{feature.name} does not have the classes {contrast} any more.")
        if feature.name in self.drafts:
            raise NotEnoughLabels(audited.why_draft(self.settings, feature))
        asked, pair = answering.compared(feature, self.of(feature.name), contrast), features.pair(feature, contrast)
        if pair is None or not feature.audited_by:
            return asked
        if not feature.only_corrected:
            return self._checked(feature, pair, asked)
        if not audited.can_be(feature):
            raise NotEnoughLabels(
                f"{feature.name} has {len(feature.classes)} classes. The errors of an attribute can be corrected up to "
                f"{audited.MOST_CLASSES}, and without that no figure is right."
            )
        found = audited.properties(self.settings, feature, pair, self.rows.asset_ids)
        return replace(asked, properties=found, audited=True)

    def _checked(self, feature: Known, pair: tuple[str, str], asked: Asked) -> Asked:
        """Its figure stands uncorrected, with a grade that says so, until people have answered enough to know it wrong.

        From then on it is an attribute's: while it cannot be corrected there is none. Raises NotEnoughLabels.
        """
        checked = audited.decided(self.settings, feature) >= LEAST_AUDITS
        try:
            found = audited.properties(self.settings, feature, pair, self.rows.asset_ids)
        except NotEnoughLabels as error:
            if checked:
                raise
            return replace(asked, audited=False, hindered=str(error))
        return replace(asked, properties=found, audited=False, checked=checked)
