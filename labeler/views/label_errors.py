"""Suspected label errors as their page shows them: the picture, who said what, and what may be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from attune.labeler.answers import label_errors
from attune.labeler.attributes import attributes
from attune.labeler.labelling import corrections
from attune.labeler.people.viewer import Viewer, may_compare
from attune.labeler.queues.asking import is_asking
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Pick, Queue, SuspectedAnswer, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import PageImage, picture
from attune.models.labels.answers import SECOND_OPINION, UNSURE

SIZE = 12


@dataclass(frozen=True)
class Suspect:
    """One answer that may be wrong; ``probe`` is the probability of ``expected``, in [0, 1].

    ``right``: how likely the answer is right, in [0, 1]; the list is sorted by it. ``why``: what speaks against it, in
    a sentence. ``disputed``: experts gave different classes, so the image has a thread.

    ``others``: pairs (name, value), none while the viewer may not know them. ``asked``: names of experts who were asked
    for a second opinion and have not answered; ``free``: pairs (email, name) of those who can be. ``own``: the
    viewer's answer, which they can change to ``changes``: other classes, or `corrections.NO_ANSWER` where it was a tick
    on a page whose other images have no answer.
    """

    annotation: int
    right: float
    why: str
    disputed: bool
    picture: PageImage
    given: str
    expert: str
    answered_at: datetime
    expected: str
    probe: float
    others: Sequence[tuple[str, str]]
    asked: Sequence[str]
    free: Sequence[tuple[str, str]]
    own: bool
    changes: Sequence[str]


@dataclass(frozen=True)
class ErrorsPage:
    """All that the page shows."""

    name: str
    question: str
    classes: Sequence[str]
    revision: int
    found: Page[Suspect]


def errors_page(settings: Settings, viewer: Viewer, name: str, page: int = 1) -> ErrorsPage:
    """The suspected answers to ``name`` that ``viewer`` may see, the least likely right first. UnknownAttribute."""
    with reading(settings) as session:
        one = attributes.find(session, name)
        rows = page_of(session, label_errors.listed(session, settings, viewer, one.id), page, SIZE)
        return ErrorsPage(one.name, one.question, one.classes, one.revision, _suspects(session, viewer, one, rows))


def _suspects(session: Session, viewer: Viewer, one: Attribute, rows: Page[SuspectedAnswer]) -> Page[Suspect]:
    ids = [row.annotation_id for row in rows.items]
    given = {kept.id: kept for kept in session.scalars(select(Annotation).where(Annotation.id.in_(ids)))}
    assets = {kept.asset_pk for kept in given.values()}
    others = _others(session, viewer, one.id, list(given.values()))
    asked, free = _asked(session, viewer, one.id, assets)
    choices = corrections.choices(session, ids, one.classes)

    def suspect(row: SuspectedAnswer) -> Suspect:
        answer, said = given[row.annotation_id], others[row.annotation_id]
        own = viewer.expert_id is not None and answer.expert_id == viewer.expert_id
        return Suspect(
            annotation=row.annotation_id,
            right=row.right,
            why=why(row.expected, row.probe, said),
            disputed=any(value not in (row.given, UNSURE) for _, value in said),
            picture=picture(answer.asset),
            given=row.given,
            expert=answer.expert.name,
            answered_at=answer.answered_at,
            expected=row.expected,
            probe=row.probe,
            others=said,
            asked=asked.get(answer.asset_pk, ()),
            free=free.get(answer.asset_pk, ()),
            own=own,
            changes=_changes(one, answer, choices.get(answer.id, ())) if own else (),
        )

    return rows.map(suspect)


def why(expected: str, probe: float, others: Sequence[tuple[str, str]]) -> str:
    """What speaks for ``expected`` instead of the answer: the probe, others by (name, value), or both."""
    people = [name for name, value in others if value == expected]
    who = ["the probe"] if probe > 0.5 or not people else []
    who += people if len(people) <= 2 else [f"{len(people)} other experts"]
    text = f"{', '.join(who[:-1])} and {who[-1]}" if len(who) > 1 else who[0]
    gives = "say" if len(who) > 1 or len(people) > 2 else "says" if probe > 0.5 or people else "leans to"
    return f"{text[:1].upper()}{text[1:]} {gives} “{expected}”."


def _changes(one: Attribute, answer: Annotation, values: Sequence[str]) -> Sequence[str]:
    return [value for value in values if value in {*one.classes, corrections.NO_ANSWER} and value != answer.value]


def _others(
    session: Session, viewer: Viewer, attribute_id: int, rows: Sequence[Annotation]
) -> Mapping[int, Sequence[tuple[str, str]]]:
    """What others said, by annotation; nothing where the viewer may not know it (yet)."""
    keys = sorted({one.asset_pk for one in rows})
    seen = select(Asset.id).where(Asset.id.in_(keys), may_compare(viewer, attribute_id, keys))
    visible = set(session.scalars(seen))
    said = label_errors.others(session, attribute_id, rows)
    return {one.id: said[one.id] if one.asset_pk in visible else () for one in rows}


def free(session: Session, viewer: Viewer, attribute_id: int, asset: int) -> list[str]:
    """E-mail addresses of those whom ``viewer`` may ask for a second opinion on the image of key ``asset``."""
    _, offered = _asked(session, viewer, attribute_id, {asset})
    return [email for email, _ in offered.get(asset, ())]


def _asked(
    session: Session, viewer: Viewer, attribute_id: int, assets: set[int]
) -> tuple[dict[int, list[str]], dict[int, list[tuple[str, str]]]]:
    """By asset: who was asked for a second opinion and is still to answer, and who can be asked; for those who manage.

    Nobody is asked who had the image before, nor the viewer, who reads the others' answers here.
    """
    if not viewer.manages or not assets:
        return {}, {}
    people = session.execute(
        select(Expert.id, Expert.email, Expert.name)
        .join(Queue, Queue.expert_id == Expert.id)
        .where(Queue.attribute_id == attribute_id, is_asking(), Expert.removed_at.is_(None))
        .order_by(Expert.name, Expert.id)
    ).all()
    answers = select(Annotation.asset_pk, Annotation.expert_id).where(
        Annotation.attribute_id == attribute_id, Annotation.asset_pk.in_(assets)
    )
    chosen = select(Pick.asset_pk, Pick.expert_id).where(Pick.attribute_id == attribute_id, Pick.asset_pk.in_(assets))
    tasks = (
        select(Task.asset_pk, Queue.expert_id)
        .join(Queue, Queue.id == Task.queue_id)
        .where(Queue.attribute_id == attribute_id, Task.asset_pk.in_(assets))
    )
    open_again = tasks.where(Task.state == "open", Task.purpose == SECOND_OPINION)
    answered = _pairs(session, answers) | _pairs(session, tasks.where(Task.state == "answered"))
    waiting = _pairs(session, open_again) | _pairs(session, chosen.where(Pick.purpose == SECOND_OPINION))
    had = answered | waiting | _pairs(session, chosen)
    waiting -= answered
    asked = {asset: [name for who, _, name in people if (asset, who) in waiting] for asset in assets}
    free = {
        asset: [(email, name) for who, email, name in people if (asset, who) not in had and who != viewer.expert_id]
        for asset in assets
    }
    return asked, free


def _pairs(session: Session, rows: Select[int, int]) -> set[tuple[int, int]]:
    return {(asset, expert) for asset, expert in session.execute(rows)}
