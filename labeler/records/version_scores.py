"""What is known of a version's scores of the pool: ``versions.scores``, typed.

Rows of older versions lack parts, and still load: what is missing has its default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Split:
    """A pool that is scored by several jobs: the ``name`` that they share, and the files of those ``waiting``."""

    name: str | None = None
    waiting: Sequence[str] = ()


@dataclass(frozen=True)
class Baseline:
    """The distribution of the scores at publication, over the assets with keys up to ``last_key``: by class the JSON of
    a ``models.evaluation.score_drift.Sketch`` and ``n``, how many assets it is made of."""

    at: str
    last_key: int
    classes: Mapping[str, Mapping[str, Any]]

    @property
    def published_on(self) -> int:
        """How many assets the version was published on; 0 where there were none."""
        return next((int(one["n"]) for one in self.classes.values()), 0)


@dataclass(frozen=True)
class Alarm:
    """The first look at which the scores of ``classes`` had moved: on ``n`` assets, at the p-value ``level``."""

    at: str
    classes: Sequence[str]
    look: int = 0
    n: int = 0
    level: float = 0.0


@dataclass(frozen=True)
class DriftRecord:
    """How far the scores of ``n`` new assets have moved, at the moment ``at`` (ISO 8601).

    ``shifts``: by class the JSON of a ``models.evaluation.score_drift.Shift`` with its histogram, none before there
    are ``enough`` assets. ``looks`` of the schedule so far; ``looked_at``: assets at the last one that compared;
    ``seen``: assets at the last one.
    """

    attribute: str = ""
    version: int = 0
    at: str = ""
    published_on: int = 0
    n: int = 0
    titles: int = 0
    rule: Mapping[str, Any] = field(default_factory=dict)
    enough: bool = False
    shifts: Sequence[Mapping[str, Any]] = ()
    looks: int = 0
    looked_at: int = 0
    alarm: Alarm | None = None
    seen: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"shifts": [dict(one) for one in self.shifts]}


@dataclass(frozen=True)
class VersionScores:
    """Of each part of the pool that is scored the file's digest (``parts``) and its count (``assets``), by file name;
    ``scored_until``: the key of the newest asset that was looked at, None in rows older than that."""

    parts: Mapping[str, str] = field(default_factory=dict)
    assets: Mapping[str, int] = field(default_factory=dict)
    split: Split | None = None
    scored_until: int | None = None
    baseline: Baseline | None = None
    drift: DriftRecord | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> VersionScores:
        """What ``versions.scores`` holds; None and unknown keys are fine."""
        data = data or {}
        drift = data.get("drift")
        if drift and drift.get("alarm"):
            drift = {**drift, "alarm": Alarm(**_known(Alarm, drift["alarm"]))}
        return cls(
            parts=data.get("parts") or {},
            assets=data.get("assets") or {},
            split=Split(**_known(Split, data["split"])) if data.get("split") else None,
            scored_until=data.get("scored_until"),
            baseline=Baseline(**_known(Baseline, data["baseline"])) if data.get("baseline") else None,
            drift=DriftRecord(**_known(DriftRecord, drift)) if drift else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON that ``versions.scores`` holds; what is not known yet is left out."""
        found = asdict(self) | {"drift": self.drift.to_dict() if self.drift else None}
        if self.split:
            found["split"]["waiting"] = list(self.split.waiting)
        return {key: value for key, value in found.items() if value is not None and value != {}}


def _known(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {one.name: data[one.name] for one in fields(kind) if one.name in data}
