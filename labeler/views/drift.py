"""Drift, as the champion's records keep it: what was seen on new assets, in numbers, in words, and ready to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.records.schema import Alias, Asset, Attribute, Version
from attune.labeler.records.session import reading
from attune.labeler.records.version_scores import Alarm, VersionScores
from attune.labeler.settings import Settings
from attune.models.catalog.manifest import CHAMPION
from attune.models.clock import iso, parse
from attune.models.evaluation.score_drift import MOST, RULE
from attune.models.text import plural

State = Literal["unpublished", "waiting", "few", "steady", "moved", "drifted"]
AUDITS = 60  # audit answers that a fresh audit requests


@dataclass(frozen=True)
class Moved:
    """One class: its figures as ``attune.models.evaluation.score_drift.Shift`` has them, and the shares to draw."""

    name: str
    psi: float
    psi_lo: float
    psi_hi: float
    psi_by_chance: float
    ks: float
    ks_lo: float
    ks_hi: float
    p_value: float
    alarmed: bool
    edges: Sequence[float]
    before: Sequence[float]
    after: Sequence[float]


@dataclass(frozen=True)
class Drift:
    """What is known of an attribute's drift.

    ``state`` is unpublished, waiting (nothing was compared yet), few, steady, moved (by more than the rule's bound in
    figures that raised no alarm: they were asked for by hand, or may be chance) or drifted; ``added`` counts the assets
    since publication, ``n`` those that the newest comparison saw, of ``titles`` titles.
    """

    name: str
    state: State
    version: int | None = None
    published_on: int = 0
    added: int = 0
    n: int = 0
    titles: int = 0
    looks: int = 0
    at: datetime | None = None
    alarm_at: datetime | None = None
    shifts: Sequence[Moved] = ()

    @property
    def sentence(self) -> str:
        """The result in a sentence or two."""
        if self.state == "unpublished":
            return "No version is published yet. Drift appears after a promotion."
        if self.state == "drifted":
            names = " and ".join(shift.name for shift in self.shifts if shift.alarmed)
            where = f" in class {names}" if names else ""
            return (
                f"Drift{where}: the scores of new images differ from those at the publication of version "
                f"{self.version}. Audit the current pool."
            )
        if self.state == "moved":
            return (
                f"The scores of {self._looked_at} differ much from those at the publication of version "
                f"{self.version}. This can be chance, so Attune raises no alarm yet. The next scheduled check decides."
            )
        if self.state == "steady":
            return f"No drift measured on {self._looked_at} since version {self.version}."
        return (
            f"{plural(self.added, 'new image')} since version {self.version} was scored. Attune measures drift after "
            f"{RULE.least_assets} new images of {RULE.least_titles} titles."
        )

    @property
    def _looked_at(self) -> str:
        """The new images of the newest comparison, and how many of them were compared."""
        return f"{self.n} new images" + (f" ({MOST} of them, drawn evenly)" if self.n > MOST else "")

    @property
    def audits(self) -> int:
        """How many audit answers a fresh audit requests."""
        return AUDITS

    @property
    def audit_command(self) -> str:
        """The command that opens a fresh audit batch."""
        return f"attune audit {self.name} --size {AUDITS}"


def drift(settings: Settings, name: str) -> Drift:
    """What is known of the drift of ``name``'s champion. Raises UnknownAttribute."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        row = champion(session, one)
        added = _added(session, row) if row else 0
    return read(name, row, added)


def champion(session: Session, attribute: Attribute) -> Version | None:
    """The version that the champion points at."""
    return session.scalar(
        select(Version)
        .join(Alias, (Alias.attribute_id == Version.attribute_id) & (Alias.version == Version.version))
        .where(Version.attribute_id == attribute.id, Alias.alias == CHAMPION)
    )


def read(name: str, row: Version | None, added: int = 0) -> Drift:
    """A version's drift as its records keep it."""
    if row is None:
        return Drift(name, "unpublished")
    scores = VersionScores.from_dict(row.scores)
    record, published_on = scores.drift, scores.baseline.published_on if scores.baseline else 0
    if record is None:
        return Drift(name, "waiting", row.version, published_on, added)
    alarm = record.alarm
    far = any(shift["psi"] - shift["psi_by_chance"] > RULE.psi for shift in record.shifts)
    state: State = "drifted" if alarm else "few" if not record.enough else "moved" if far else "steady"
    return Drift(
        name, state, row.version, published_on, max(added, record.n), record.n, record.titles, record.looks,
        parse(record.at), parse(alarm.at) if alarm else None,
        [_moved(shift, alarm) for shift in record.shifts],
    )  # fmt: skip


def _moved(shift: Mapping[str, Any], alarm: Alarm | None) -> Moved:
    histogram = shift["histogram"]
    figures = {key: shift[key] for key in (
        "name", "psi", "psi_lo", "psi_hi", "psi_by_chance", "ks", "ks_lo", "ks_hi", "p_value")}  # fmt: skip
    return Moved(
        **figures, alarmed=bool(alarm and shift["name"] in alarm.classes),
        edges=histogram["edges"], before=histogram["before"], after=histogram["after"],
    )  # fmt: skip


def _added(session: Session, row: Version) -> int:
    first = VersionScores.from_dict(row.scores).baseline
    since = Asset.id > first.last_key if first else Asset.added_at > (row.scored_at or row.created_at)
    return session.scalar(select(func.count(Asset.id)).where(since, Asset.removed_at.is_(None))) or 0


class DriftFacts(TypedDict):
    """A drift as JSON; ``rule`` holds the bounds of the alarm, ``classes`` what `Moved` holds."""

    attribute: str
    state: State
    version: int | None
    published_on: Annotated[int, "Assets that the version was compared with, at publication."]
    added: Annotated[int, "New assets since publication."]
    n: Annotated[int, "New assets in the newest measurement."]
    titles: int
    looks: Annotated[int, "Measurements that could raise an alarm."]
    at: Annotated[str | None, "When it was measured, ISO 8601."]
    alarm_at: Annotated[str | None, "When the alarm was raised, ISO 8601."]
    sentence: str
    rule: dict[str, Any]
    classes: list[dict[str, Any]]


def to_dict(drift_facts: Drift) -> DriftFacts:
    """As JSON."""
    return {
        "attribute": drift_facts.name,
        "state": drift_facts.state,
        "version": drift_facts.version,
        "published_on": drift_facts.published_on,
        "added": drift_facts.added,
        "n": drift_facts.n,
        "titles": drift_facts.titles,
        "looks": drift_facts.looks,
        "at": iso(drift_facts.at) if drift_facts.at else None,
        "alarm_at": iso(drift_facts.alarm_at) if drift_facts.alarm_at else None,
        "sentence": drift_facts.sentence,
        "rule": vars(RULE),
        "classes": [vars(shift) | {"edges": list(shift.edges)} for shift in drift_facts.shifts],
    }
