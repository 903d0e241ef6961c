"""One's own answer, opened alone to be corrected: what it says, what it may say instead, and the change.

An answer from a page of images is corrected on its page: everything else that was said there stays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.labelling import next_pages, own_queue, take_answers, take_pages
from attune.labeler.labelling.next_pages import TICK, Page
from attune.labeler.labelling.next_questions import Question
from attune.labeler.labelling.take_answers import GONE, REVISED, Answer
from attune.labeler.labelling.take_pages import PageAnswer
from attune.labeler.people.viewer import Viewer, may_see
from attune.labeler.queues import grids
from attune.labeler.records.schema import Annotation, Asset, Attribute, GridAnswer, GridPage, Task
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError
from attune.models.labels.answers import SKIP, UNSURE

NO_ANSWER = ""  # a tick that is taken away where no tick means nothing


@dataclass(frozen=True)
class Correction:
    """An answer that its expert may change: it says ``value``, and may say one of ``values`` instead.

    ``question.key`` is its task's, or its page's; then ``page`` and ``place`` say where it stands.
    """

    question: Question
    value: str
    values: Sequence[str]
    page: Page | None = None
    place: int = 0


def correctable(session: Session, annotations: Collection[int]) -> set[int]:
    """Those of ``annotations`` that their experts can change: of a task, or of a page that asks what is asked today."""
    tasks = select(Annotation.id).join(Task, Task.id == Annotation.task_id)
    found = set(session.scalars(tasks.where(Annotation.id.in_(annotations), Task.label_studio_task.is_not(None))))
    rows = (
        select(Annotation.id, Annotation.attribute_id, GridPage.created_at)
        .join(GridAnswer, GridAnswer.annotation_id == Annotation.id)
        .join(GridPage, GridPage.id == GridAnswer.page_id)
        .where(Annotation.id.in_(annotations), GridPage.label_studio_task.is_not(None))
    )
    of_pages = session.execute(rows).all()
    begun = {attribute: grids.begun(session, attribute) for attribute in {row[1] for row in of_pages}}
    return found | {key for key, attribute, at in of_pages if (since := begun[attribute]) is None or at >= since}


def choices(session: Session, annotations: Collection[int], classes: Sequence[str]) -> dict[int, Sequence[str]]:
    """What each of ``annotations`` that can be changed may say: of a task all, of a page what the page asks.

    ``classes`` are the question's.
    """
    changeable = correctable(session, annotations)
    of_pages = select(GridAnswer.annotation_id, GridPage).join(GridPage, GridPage.id == GridAnswer.page_id)
    pages = dict(session.execute(of_pages.where(GridAnswer.annotation_id.in_(changeable))).all())
    return {key: _of_page(pages[key]) if key in pages else _of_task(classes) for key in changeable}


def _of_task(classes: Sequence[str]) -> Sequence[str]:
    return [*classes, UNSURE, SKIP]


def _of_page(page: GridPage) -> Sequence[str]:
    return [page.ticked, NO_ANSWER if page.unticked is None else page.unticked, UNSURE]


def find(session: Session, viewer: Viewer, name: str, annotation: int) -> Correction | None:
    """The viewer's own answer to ``name``; None where it is somebody else's, deleted, or cannot be changed any more.

    Raises UnknownAttribute; AccessError where the viewer's queue is closed.
    """
    rows = select(Annotation, Asset).join(Asset, Asset.id == Annotation.asset_pk)
    own = (Annotation.id == annotation, Annotation.expert_id == (viewer.expert_id or 0))
    row = session.execute(
        rows.join(Attribute, Attribute.id == Annotation.attribute_id).where(
            *own, Attribute.name == name, Annotation.deleted_at.is_(None), may_see(viewer)
        )
    ).one_or_none()
    if row is None or annotation not in correctable(session, [annotation]):
        return None
    kept, asset = row
    one, _, _ = own_queue.find(session, viewer, name)
    task = session.get(Task, kept.task_id) if kept.task_id is not None else None
    if task is not None:
        question = Question(task.key, asset.asset_id, asset.width, asset.height)
        return Correction(question, kept.value, _of_task(one.classes))
    return _on_page(session, kept, asset)


def _on_page(session: Session, kept: Annotation, asset: Asset) -> Correction | None:
    mine = select(GridPage).join(GridAnswer, GridAnswer.page_id == GridPage.id)
    page = session.scalar(mine.where(GridAnswer.annotation_id == kept.id))
    shown = next_pages.answered(session, page) if page is not None else None
    if page is None or shown is None:
        return None
    question = Question(page.key, asset.asset_id, asset.width, asset.height)
    return Correction(question, kept.value, _of_page(page), shown, [int(key) for key in page.asset_pks].index(asset.id))


def change(settings: Settings, viewer: Viewer, name: str, annotation: int, revision: int, value: str, once: str) -> str:
    """Let the viewer's answer say ``value``; what became of it, as `take_answers` says. Idempotent by ``once``.

    ``revision`` is that of the question that was on the screen. Raises UnknownAttribute, AccessError, DataError for a
    value that it may not say, LabelStudioError: then nothing was changed.
    """
    with reading(settings) as session:
        found = find(session, viewer, name, annotation)
        if found is None:
            return GONE
        one, _, _ = own_queue.find(session, viewer, name)
        if one.revision != revision:
            return REVISED
    if value not in found.values:
        offered = ", ".join(filter(None, found.values))
        raise DataError(f"{value[:80]!r} is not an answer to {name}. Expected one of {offered}. Load the page again.")
    if found.page is None:
        given = Answer(once, found.question.key, value, 0.0)
        return take_answers.take(settings, viewer, name, revision, [given])[once]
    return take_pages.take(settings, viewer, name, revision, [_changed(found.page, found.place, value, once)])[once]


def _changed(page: Page, place: int, value: str, once: str) -> PageAnswer:
    """The page's answer as it is, but for the image at ``place``."""
    marks = {number: mark for number, mark in page.marks.items() if number != place}
    if value in {page.ticked, UNSURE}:
        marks[place] = UNSURE if value == UNSURE else TICK
    ticked, unsure = (frozenset(number for number, mark in marks.items() if mark == kind) for kind in (TICK, UNSURE))
    return PageAnswer(once, page.key, ticked, unsure, frozenset(page.left) - {place}, 0.0)
