"""Which run each viewer is shown: those who manage the newest, an expert one of every twenty answers.

An owner who also labels reads the figures of a question as its experts do.

A figure that moved with every answer told an expert which of the own answers was an audit, and whether the probe agreed
with it: answer, look, correct, look again. Answers on images that experts chose are not among the twenty: with twenty
of one title a figure that follows would tell whether that title is reserved for audits.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from attune.labeler.people.viewer import TOLD_EVERY, Viewer
from attune.labeler.records.schema import Queue, Run
from attune.labeler.records.session import only_reads


def newest(session: Session, attribute_ids: Sequence[int], viewer: Viewer) -> dict[int, int]:
    """Attribute id -> number of the run whose figures and advice ``viewer`` reads; none where there is no run."""
    if viewer.manages:
        last = select(Run.attribute_id, func.max(Run.number)).where(Run.attribute_id.in_(attribute_ids))
        return dict(session.execute(last.group_by(Run.attribute_id)).all())
    return {key: numbers[-1] for key, numbers in to_experts(session, attribute_ids).items()}


def is_told(session: Session, attribute_id: int, run: int) -> bool:
    """Whether ``run`` is the one that experts read of the attribute, or would be the first."""
    return to_experts(session, [attribute_id]).get(attribute_id, [run])[-1] == run


def labelled(session: Session, attribute_ids: Sequence[int], viewer: Viewer) -> set[int]:
    """Of the attributes, those that ``viewer`` labels: a figure there must not answer each of their answers."""
    mine = (Queue.expert_id == viewer.expert_id, Queue.closed_at.is_(None), Queue.attribute_id.in_(attribute_ids))
    return set(session.scalars(select(Queue.attribute_id).where(*mine)))


def measured(session: Session, attribute_ids: Sequence[int], viewer: Viewer) -> dict[int, int]:
    """Attribute id -> number of the run whose figures ``viewer`` reads where nobody asked for a run by its number.

    As `newest`, but to an owner who labels an attribute as to its experts: home and an attribute's tabs are seen
    between two answers. Whoever opens the review of a run reads all of it, audits included.
    """
    own = labelled(session, attribute_ids, viewer) if viewer.manages else set()
    held = {key: numbers[-1] for key, numbers in to_experts(session, list(own)).items()} if own else {}
    return newest(session, attribute_ids, viewer) | held


def to_experts(session: Session, attribute_ids: Sequence[int]) -> dict[int, list[int]]:
    """Attribute id -> numbers of the runs that experts read, oldest first: the first of each twenty answers of a
    revision. Answers that are taken back and given again, or that are on images of the own choice, bring no further
    run.
    """
    ids = tuple(attribute_ids)
    if not only_reads(session):
        return _to_experts(session, ids)
    # One moment of the records, and a page asks six times.
    kept: dict[tuple[int, ...], dict[int, list[int]]] = session.info.setdefault(__name__, {})
    if ids not in kept:
        kept[ids] = _to_experts(session, ids)
    return dict(kept[ids])


def _to_experts(session: Session, attribute_ids: Sequence[int]) -> dict[int, list[int]]:
    asked = Run.answers - Run.chosen
    step = case((asked > 0, asked), else_=0) // TOLD_EVERY
    # In SQL: a question of 40,000 answers has 10,000 runs.
    before = func.max(step).over(partition_by=(Run.attribute_id, Run.revision), order_by=Run.number, rows=(None, -1))
    runs = select(Run.attribute_id, Run.number, step.label("step"), before.label("before"))
    every = runs.where(Run.attribute_id.in_(attribute_ids)).subquery()
    rows = session.execute(
        select(every.c.attribute_id, every.c.number)
        .where(every.c.before.is_(None) | (every.c.step > every.c.before))
        .order_by(every.c.attribute_id, every.c.number)
    )
    visible: dict[int, list[int]] = {}
    for key, number in rows:
        visible.setdefault(key, []).append(number)
    return visible
