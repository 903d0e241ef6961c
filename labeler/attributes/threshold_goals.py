"""Where to draw the line: the precision or recall that an owner asks of an attribute's probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import change
from attune.labeler.attributes import attributes
from attune.labeler.records.run_advice import RunAdvice
from attune.labeler.records.schema import Attribute, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.probes.thresholds import Goal

KEY = "threshold"  # in `attribute.settings`


def goal_of(attribute: Attribute) -> Goal | None:
    """As the attribute keeps it; None where the lines stay at one half."""
    goal_settings: Mapping[str, Any] | None = attribute.settings.get(KEY)
    return (
        Goal(str(goal_settings["figure"]), float(goal_settings["value"]), float(goal_settings.get("sure", 0.8)))
        if goal_settings
        else None
    )


@dataclass(frozen=True)
class GoalThresholds:
    """The goal and what the newest run ``run`` made of it: one dict a class (``attune.models.probes.thresholds``)."""

    goal: Goal | None
    run: int | None
    lines: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"goal": asdict(self.goal) if self.goal else None, "run": self.run, "lines": self.lines}


def set_goal(settings: Settings, name: str, goal: Goal | None) -> None:
    """Keep ``goal`` for the attribute ``name`` (None: back to one half); the next round draws the lines.

    Published versions keep theirs. Raises UnknownAttribute.
    """
    with writing(settings) as session:
        attribute = attributes.find(session, name)
        session.refresh(attribute, with_for_update=True)
        other_settings = {key: value for key, value in attribute.settings.items() if key != KEY}
        attribute.settings = other_settings | ({KEY: asdict(goal)} if goal else {})
        change.count(session, attribute.id)


def goal_thresholds(settings: Settings, name: str) -> GoalThresholds:
    """The goal of the attribute ``name`` and the newest run's lines. Raises UnknownAttribute."""
    with reading(settings) as session:
        return read(session, attributes.find(session, name))


def read(session: Session, attribute: Attribute) -> GoalThresholds:
    """As ``goal_thresholds``, within a session."""
    newest = select(Run.number, Run.advice).where(Run.attribute_id == attribute.id).order_by(Run.number.desc()).limit(1)
    row = session.execute(newest).first()
    held = list(RunAdvice.from_dict(row.advice).lines or ()) if row else []
    return GoalThresholds(goal_of(attribute), row.number if row else None, held)
