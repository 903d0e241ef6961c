"""Decisions about groups as the records hold them, and the group that a person is offered next."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.answers import exclusion
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.people.viewer import waiting as waits_for
from attune.labeler.records.schema import Annotation, Asset, Attribute, ScopeDecision
from attune.labeler.scope import groups
from attune.models.scope.group_settings import GroupSettings

ALL, NONE, TICKED, SKIP = "all", "none", "ticked", "skip"
SMALLEST = GroupSettings().smallest  # images that are still a group once some of it were answered


def decided(session: Session, attribute_id: int) -> list[ScopeDecision]:
    """All decisions that hold, skips too, the newest first."""
    mine = (ScopeDecision.attribute_id == attribute_id, ScopeDecision.undone_at.is_(None))
    return list(session.scalars(select(ScopeDecision).where(*mine).order_by(ScopeDecision.id.desc())))


def waiting(session: Session, attribute: Attribute) -> list[ScopeDecision]:
    """Decisions of all people about the question as it is now that no revision was made of yet, oldest first.

    Not those about an earlier revision: what counts may be another class since.
    """
    rows = decided(session, attribute.id)[::-1]
    return [row for row in rows if is_waiting(row, attribute)]


def is_waiting(row: ScopeDecision, attribute: Attribute) -> bool:
    """Whether the decision ``row``, which holds, may become part of the definition."""
    return row.said != SKIP and row.written is None and row.revision == attribute.revision


def sides(decision: ScopeDecision) -> tuple[list[int], list[int]]:
    """Keys of the images of a decision that count, and of those that do not; of a skip neither."""
    shown, ticked = [int(key) for key in decision.shown], {int(key) for key in decision.ticked}
    if decision.said == SKIP:
        return [], []
    if decision.said in (ALL, NONE):
        return (shown, []) if decision.said == ALL else ([], shown)
    return [key for key in shown if key in ticked], [key for key in shown if key not in ticked]


def offered(session: Session, viewer: Viewer, attribute: Attribute, rows: Sequence[ScopeDecision]) -> list[Asset]:
    """The images of the first group that nobody decided and the viewer did not skip; ``rows`` as `decided`.

    Less what the viewer answered or will be asked: what is left out of it is in the viewer's own queue, whatever it
    waits as, so it tells nothing. A skip hides the group from whoever skipped it alone.
    """
    kept = groups.load(session, attribute)
    done = {int(key) for row in rows if row.said != SKIP or row.who == viewer.name for key in row.shown}
    for keys in kept.groups if kept else ():
        if done & set(keys):
            continue
        answered = select(Annotation.asset_pk).where(
            Annotation.attribute_id == attribute.id,
            Annotation.expert_id == (viewer.expert_id or 0),
            exclusion.kept_in_label_studio(),
        )
        free = (may_explore(viewer), Asset.id.not_in(answered), Asset.id.not_in(waits_for(viewer)))
        there = {row.id: row for row in session.scalars(select(Asset).where(Asset.id.in_(keys), *free))}
        if len(there) >= SMALLEST:
            return [there[key] for key in keys if key in there]
    return []
