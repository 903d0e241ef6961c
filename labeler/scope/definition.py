"""Decisions about groups become part of the question: one revision, whose examples come with their pictures.

One revision for all that waits, not one for each decision: to everybody who answers at the time a revision means that
their open pages ask an old question. No class changes, so no answer ends.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes, revise_attribute
from attune.labeler.attributes.attributes import Definition
from attune.labeler.records.schema import Asset, Attribute, ScopeDecision
from attune.labeler.records.session import reading, writing
from attune.labeler.scope.stored import NONE, sides, waiting
from attune.labeler.settings import Settings
from attune.models.errors import AlreadyThere, DataError
from attune.models.text import plural

EXAMPLES = 2  # images of each side of a decision
NOTHING = "No decision waits to be added to the definition. Decide about groups first."
NONE_CHOSEN = "No decision is ticked. Tick those that the definition should get, then add them."
MOVED = (
    "The question or its decisions changed after you opened this page. Nothing was added. Look at what waits now, then "
    "add it."
)


def write(settings: Settings, name: str, expected_revision: int, chosen: Collection[int] | None = None) -> int:
    """Make a revision with the examples of the decisions that wait, and return its number; ``chosen``: of these alone.

    An image that a later decision puts on the other side moves there. Raises UnknownAttribute, DataError where
    nothing waits, AlreadyThere where somebody made a revision after ``expected_revision``, or where a chosen decision
    waits no more: then nothing changed.
    """
    with reading(settings) as session:
        one = attributes.find(session, name)
        everything = waiting(session, one)
        decisions = [row for row in everything if chosen is None or row.id in chosen]
        before = revise_attribute.definition_of(one)
        after = _with_examples(session, before, decisions)
    if one.revision != expected_revision:
        raise AlreadyThere(MOVED)
    if not everything:
        raise DataError(NOTHING)
    if not decisions and not chosen:
        raise DataError(NONE_CHOSEN)
    keys = [row.id for row in decisions]
    if chosen is not None and set(chosen) != set(keys):
        raise AlreadyThere(MOVED)
    if not revise_attribute.changes(one, after):
        with writing(settings) as session:
            _mark(session, keys, one.revision)
        return one.revision
    people = ", ".join(dict.fromkeys(decision.who for decision in decisions))
    reason = f"Scoping: {plural(len(decisions), 'group')} decided by {people}."

    def marked(session: Session, attribute: Attribute) -> None:
        _mark(session, keys, attribute.revision)

    made = revise_attribute.revise(settings, after, reason, expected_revision=expected_revision, within=marked)
    return made.revision


def _with_examples(session: Session, before: Definition, decisions: Sequence[ScopeDecision]) -> Definition:
    keys = {int(key) for decision in decisions for key in decision.shown}
    there = select(Asset.id, Asset.asset_id).where(Asset.id.in_(keys), Asset.removed_at.is_(None))
    names = {key: asset_id for key, asset_id in session.execute(there)}  # noqa: C416
    counts, excluded = list(before.in_scope), list(before.out_of_scope)
    for decision in decisions:
        for one_more, target, other in _examples(decision, names, counts, excluded, len(before.classes) == 2):
            if one_more in other:
                other.remove(one_more)
            if one_more not in target:
                target.append(one_more)
    return replace(before, in_scope=counts, out_of_scope=excluded)


def _mark(session: Session, keys: Sequence[int], revision: int) -> None:
    """Note that ``revision`` has the decisions. Raises AlreadyThere where one was taken back in the meantime."""
    still = (ScopeDecision.written.is_(None), ScopeDecision.undone_at.is_(None))
    done = update(ScopeDecision).where(ScopeDecision.id.in_(keys), *still).values(written=revision)
    marked = session.scalars(done.returning(ScopeDecision.id)).all()
    if len(marked) != len(keys):
        raise AlreadyThere(MOVED)


def _examples(
    decision: ScopeDecision, names: dict[int, str], counts: list[str], excluded: list[str], two_classes: bool
) -> Sequence[tuple[str, list[str], list[str]]]:
    """What a decision adds: an example, the list that gets it, and the other list.

    Of more than two classes only what counts: the other images may well be of the second or third class.
    """
    inside, outside = ([names[key] for key in keys if key in names][:EXAMPLES] for keys in sides(decision))
    outside = outside if two_classes else []
    added = [(one, counts, excluded) for one in inside] + [(one, excluded, counts) for one in outside]
    if decision.note:
        added.append((decision.note, excluded, counts) if decision.said == NONE else (decision.note, counts, excluded))
    return added
