"""To take a decision back: first the decision, so that no revision is made of it meanwhile, then its answers.

A process may be killed between the two. So the decision says that its undo is not done, and the scheduler finishes it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid5

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.attributes import attributes
from attune.labeler.labelling import own_queue, take_chosen
from attune.labeler.labelling.take_answers import STORED
from attune.labeler.labelling.take_chosen import Chosen
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Attribute, ScopeDecision
from attune.labeler.records.session import reading, writing
from attune.labeler.scope.decisions import PARTS
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.errors import AccessError, LabelStudioError, ServiceDown, UnknownAttribute

PATIENCE = timedelta(minutes=2)  # with an undo that may still be at work


def undo(settings: Settings, viewer: Viewer, name: str, decision: int) -> bool:
    """Take back a decision of the viewer's that no revision was made of, and its answers, also while the queue is
    stopped; False where nothing was taken back.

    Raises UnknownAttribute, AccessError, LabelStudioUnreachable, LabelStudioRefused.
    """
    with reading(settings) as session:
        one = attributes.find(session, name)
        has_queue = _has_queue(session, viewer, one)
    mine = (ScopeDecision.attribute_id == one.id, ScopeDecision.who == viewer.name, ScopeDecision.id == decision)
    still = (ScopeDecision.undone_at.is_(None), ScopeDecision.written.is_(None))
    with writing(settings) as session:  # first, so that no revision is made of it while its answers go
        row = session.scalars(select(ScopeDecision).where(*mine, *still).with_for_update()).one_or_none()
        if row is None:
            return False
        row.undone_at = row.undoing_at = now()
    done = False
    try:
        done = _answers_taken_back(settings, viewer, one, row) if has_queue else not row.answers
    finally:
        _finish(settings, decision, done)
    return done


def finish_undos(settings: Settings) -> int:
    """Finish what an undo began and did not end, as when its process was killed; how many decisions are whole again.

    Their answers are taken back, too; where that is refused, the decision holds again. Label Studio is asked again
    later where it does not answer.
    """
    late = (ScopeDecision.undoing_at.is_not(None), ScopeDecision.undoing_at < now() - PATIENCE)
    with reading(settings) as session:
        rows = session.scalars(select(ScopeDecision).where(*late).order_by(ScopeDecision.id)).all()
    finished = 0
    for row in rows:
        with suppress(LabelStudioError, ServiceDown):
            _finish(settings, row.id, _taken_back_later(settings, row))
            finished += 1
    return finished


def _taken_back_later(settings: Settings, row: ScopeDecision) -> bool:
    viewer = Viewer("expert", row.who, row.expert_id)
    with reading(settings) as session:
        one = session.get_one(Attribute, row.attribute_id)
    try:
        return _answers_taken_back(settings, viewer, one, row)
    except (AccessError, UnknownAttribute):  # without a queue, or the question is retired
        return not row.answers


def _finish(settings: Settings, decision: int, done: bool) -> None:
    """End an undo: the answers are gone, or else the decision holds again."""
    ended: dict[str, None] = {"undoing_at": None} if done else {"undoing_at": None, "undone_at": None}
    with writing(settings) as session:
        session.execute(update(ScopeDecision).where(ScopeDecision.id == decision).values(ended))


def _has_queue(session: Session, viewer: Viewer, one: Attribute) -> bool:
    """Whether answers of the viewer's can be here. Raises AccessError for who has no queue and does not manage."""
    try:
        own_queue.find(session, viewer, one.name)
    except AccessError:
        if viewer.manages:
            return False
        raise
    return True


def _answers_taken_back(settings: Settings, viewer: Viewer, one: Attribute, row: ScopeDecision) -> bool:
    once = UUID(row.once)
    batches = [Chosen(uuid5(once, f"undo {part}"), uuid5(once, part), undo=True) for part in PARTS]
    done = take_chosen.take(settings, viewer, one.name, one.revision, batches)
    return all(outcome.state == STORED for outcome in done.values())
