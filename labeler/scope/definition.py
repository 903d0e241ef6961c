"""Decisions about groups become part of the question: one revision, whose examples come with their pictures.

One revision for all that waits, not one for each decision: to everybody who answers at the time a revision means that
their open pages ask an old question. No class changes, so no answer ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.records.schema import Asset, ScopeDecision
from attune.labeler.records.session import reading, writing
from attune.labeler.scope.decisions import ALL, NONE, SKIP
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.text import plural

EXAMPLES = 2  # images of each side of a decision
NOTHING = "No decision waits to be added to the definition. Decide about groups first."


def waiting(session: Session, attribute_id: int) -> list[ScopeDecision]:
    """Decisions of all people that no revision was made of yet, oldest first."""
    mine = (ScopeDecision.attribute_id == attribute_id, ScopeDecision.said != SKIP)
    still = (ScopeDecision.written.is_(None), ScopeDecision.undone_at.is_(None))
    return list(session.scalars(select(ScopeDecision).where(*mine, *still).order_by(ScopeDecision.id)))


def write(settings: Settings, name: str, expected_revision: int) -> int:
    """Make a revision with the examples of all decisions that wait, and return its number.

    An image that a later decision puts on the other side moves there. Raises UnknownAttribute, DataError where
    nothing waits, AlreadyThere where somebody made a revision after ``expected_revision``.
    """
    with reading(settings) as session:
        one = attributes.find(session, name)
        decisions = waiting(session, one.id)
        keys = {int(key) for decision in decisions for key in decision.shown}
        there = select(Asset.id, Asset.asset_id).where(Asset.id.in_(keys), Asset.removed_at.is_(None))
        names = {key: asset_id for key, asset_id in session.execute(there)}  # noqa: C416
        before = revise_attribute.definition_of(one)
    if not decisions:
        raise DataError(NOTHING)
    counts, excluded = list(before.in_scope), list(before.out_of_scope)
    for decision in decisions:
        for one_more, target, other in _examples(decision, names, counts, excluded):
            if one_more in other:
                other.remove(one_more)
            if one_more not in target:
                target.append(one_more)
    after = replace(before, in_scope=counts, out_of_scope=excluded)
    revision = one.revision
    if revise_attribute.changes(one, after):
        people = ", ".join(dict.fromkeys(decision.who for decision in decisions))
        reason = f"Scoping: {plural(len(decisions), 'group')} decided by {people}."
        revision = revise_attribute.revise(settings, after, reason, expected_revision=expected_revision).revision
    with writing(settings) as session:
        done = ScopeDecision.id.in_([decision.id for decision in decisions])
        session.execute(update(ScopeDecision).where(done).values(written=revision))
    return revision


def sides(decision: ScopeDecision) -> tuple[list[int], list[int]]:
    """Keys of the images of a decision that count, and of those that do not."""
    shown, ticked = [int(key) for key in decision.shown], {int(key) for key in decision.ticked}
    if decision.said in (ALL, NONE):
        return (shown, []) if decision.said == ALL else ([], shown)
    return [key for key in shown if key in ticked], [key for key in shown if key not in ticked]


def _examples(
    decision: ScopeDecision, names: dict[int, str], counts: list[str], excluded: list[str]
) -> Sequence[tuple[str, list[str], list[str]]]:
    """What a decision adds: an example, the list that gets it, and the other list."""
    inside, outside = ([names[key] for key in keys if key in names][:EXAMPLES] for keys in sides(decision))
    added = [(one, counts, excluded) for one in inside] + [(one, excluded, counts) for one in outside]
    if decision.note:
        added.append((decision.note, excluded, counts) if decision.said == NONE else (decision.note, counts, excluded))
    return added
