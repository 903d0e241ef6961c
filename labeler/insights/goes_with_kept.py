"""What goes with takes, as it was learned last, for the page and the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.insights import audited, evidence, features
from attune.labeler.insights.goes_with import METHOD, goes_with, once
from attune.labeler.insights.people_asked import PeopleAsked, hidden_of, waiting_images
from attune.labeler.people import owner_rights
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import GoesWithRun
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import iso, now
from attune.models.errors import UnknownInsight


def learn(
    settings: Settings, step: Callable[[int, int], None], seed: int = 0, who: str = "", asked_by: int | None = None
) -> GoesWithRun:
    """Learn and keep it. Raises as `goes_with`, and AccessError where ``asked_by`` is no longer an owner's login."""
    told = goes_with(settings, seed, step).as_json()
    row = GoesWithRun(seed=seed, figures=told, made_by=who, made_at=now())
    with writing(settings) as session:
        owner_rights.check_owner(session, asked_by)
        session.add(row)
        session.flush()
        session.expunge(row)
    return row


def last(session: Session) -> GoesWithRun | None:
    """What was learned last."""
    return session.scalar(select(GoesWithRun).order_by(GoesWithRun.id.desc()).limit(1))


def moved(settings: Settings, row: GoesWithRun) -> list[str]:
    """What has changed since it was learned, in words."""
    known = features.known(settings)
    values = {name: one.values for name, one in known.items()}
    before = row.figures["values"]
    changed = sorted(name for name in before.keys() & values.keys() if before[name] != values[name])
    told = ["the performance"] if list(evidence.digests(settings)) != row.figures["performance"] else []
    told += changed
    if before.keys() - values.keys():
        told.append("features that are gone")
    if once(audited.without_guesses(known)).keys() - before.keys():
        told.append("new features")
    if row.figures.get("method") != METHOD:
        told.append("Attune's method")
    return told


def as_json(settings: Settings, viewer: Viewer) -> dict[str, Any]:
    """The newest, for the API, without what it says of images that wait for an answer of ``viewer``.

    Raises UnknownInsight where nothing was learned.
    """
    known = features.known(settings)
    with reading(settings) as session:
        row, asked, waits = last(session), PeopleAsked.of(session, known), waiting_images(session, viewer)
    if row is None:
        raise UnknownInsight(
            "Nobody has learned yet what goes with takes. An owner can ask for it in the console: Insights, What goes "
            "with takes."
        )
    told = [
        one | {"examples": [name for name in one["examples"] if name not in hidden_of(asked, waits, one["feature"])]}
        for one in row.figures["features"]
    ]
    first = {"method": 1} | row.figures  # rows from before it was kept
    return first | {"features": told, "made_at": iso(row.made_at), "stale": bool(moved(settings, row))}
