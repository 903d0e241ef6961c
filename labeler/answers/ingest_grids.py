"""One idempotent way in for the answers of pages: each image's becomes an annotation, followed when it changes.

Ticked means the page's class. Unticked means the other class where a question has two and the page was submitted, and
nothing where it has more; an image marked as unsure is an answer of its own. An answer that the same expert gave about
the single image stands: a page adds none to it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from attune.labeler.answers import authors, change, exclusion, reading_order, task_ids, tickless_pages, uncounted
from attune.labeler.answers.annotation_values import UNREADABLE, ReadAnnotation, clean, moment
from attune.labeler.answers.ingest import VIA
from attune.labeler.answers.reading_order import AskedPages
from attune.labeler.attributes import revisions
from attune.labeler.attributes.shown_revision import LONGEST_LOOK
from attune.labeler.label_studio import grid_project as room
from attune.labeler.label_studio.grid_project import Ticks
from attune.labeler.label_studio.task_address import key_of
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Grid, GridAnswer, GridPage, new_key
from attune.models.clock import now
from attune.models.errors import UnknownAnnotationShape
from attune.models.labels.answers import UNSURE

log = logging.getLogger("attune.ingest")
PURPOSE = "seed"


def store(
    session: Session,
    grid: Grid,
    task: int,
    data: Mapping[str, Any],
    annotation: Mapping[str, Any],
    asked: AskedPages,
    by_id: Mapping[int, str] | None = None,
) -> bool:
    """Bring one page's answer into the records; True where it changes what a learner sees.

    ``data`` is the task's, which brings along a page that the records lack. ``asked`` is when Label Studio was
    asked, ``by_id`` the addresses of its users. Raises UnknownAnnotationShape.
    """
    change.one_writer(session, grid.attribute_id)
    page = _page(session, grid, task, data)
    identity, at = _identity(annotation)
    if page.label_studio_id != identity and _is_of_before(session, page, identity, asked):
        return False
    if identity == page.label_studio_id and not asked.shows_later(page, at):
        return False
    expert = authors.expert_of(session, *_author(annotation, by_id))
    if expert is None:
        _leave_out(session, grid, page, task, annotation, uncounted.UNKNOWN_AUTHOR, by_id)
        return False
    if identity != page.label_studio_id and page.updated_at is not None and at <= page.updated_at:
        return False
    ticks, reason = _read(session, page, expert, annotation, at)
    if reason:
        _leave_out(session, grid, page, task, annotation, reason, by_id)
        return False
    uncounted.remove_counted(session, grid.project, identity)
    page.state, page.label_studio_id, page.updated_at = "answered", identity, at
    # A page asks to the end what it asked when it was made. One that the records lacked is as old as the look at least.
    values = _values(session, grid, page, ticks, min(page.created_at, _opened(annotation, at)))
    tickless_pages.follow(session, grid.attribute_id, page, ticks, annotation.get("lead_time"))
    changed = [
        _record_value(session, grid, page, key, values.get(key), expert.id, annotation, at) for key in page.asset_pks
    ]
    if any(changed):
        change.count(session, grid.attribute_id)
    return any(changed)


def _read(
    session: Session, page: GridPage, expert: Expert, annotation: Mapping[str, Any], at: datetime
) -> tuple[Ticks | None, str]:
    """What a page's answer says (None: it was skipped), and why it does not count, or an empty string."""
    if authors.answered_after_the_end(session, expert, at):
        return None, uncounted.AFTER_END
    try:
        return room.read_ticks(annotation, page.asset_pks), ""
    except UnknownAnnotationShape:
        return None, UNREADABLE


def _is_of_before(session: Session, page: GridPage, identity: int, asked: AskedPages) -> bool:
    """Whether the annotation ``identity`` may be one that was deleted since Label Studio was ``asked``, of a page that
    has another one now, or none.

    Where the page had another one then, and has none now, that one was deleted and this is an answer of since.
    """
    known, _ = asked.known.get(page.id, (None, None))
    if known == identity or page.label_studio_id is not None:
        return known == identity
    mine = select(Annotation.id).join(GridAnswer, GridAnswer.annotation_id == Annotation.id)
    news = reading_order.is_newer_than(asked, but="" if known is None else "deleted")
    return session.scalar(mine.where(GridAnswer.page_id == page.id, news).limit(1)) is not None


def note_unknown(session: Session, grid: Grid, task: int, data: Mapping[str, Any], answered: bool = False) -> None:
    """Know a task that the records lack, or the number of tasks would not tell of a page deleted there: one that
    somebody made in Label Studio, also as a copy, or a page of ours whose maker was killed, or has not told of it yet
    (`grids.add`).

    A copy that is ``answered`` is left to `store`.
    """
    here = (GridPage.grid_id == grid.id) & (GridPage.label_studio_task == task)
    if session.scalar(select(GridPage.id).where(here).limit(1)) is not None:
        return
    same = session.scalar(select(GridPage).where(GridPage.key == key_of(data)))
    if same is not None:
        if same.label_studio_task not in {None, task} and not answered:
            _add_page(session, grid, task, {}, [], new_key()).state = "retired"
        return
    try:
        with session.begin_nested():
            page = _page(session, grid, task, data)
    except (UnknownAnnotationShape, SQLAlchemyError, OverflowError):  # of no shape of ours, down to its numbers
        page = _add_page(session, grid, task, {}, [], new_key())
    page.state = "retired"


def _identity(annotation: Mapping[str, Any]) -> tuple[int, datetime]:
    try:
        return int(annotation["id"]), moment(annotation["updated_at"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownAnnotationShape(
            f"The answer of a page of images has no usable {error}. Expected id and updated_at."
        ) from error


def _author(annotation: Mapping[str, Any], by_id: Mapping[int, str] | None) -> tuple[int | None, str]:
    """User id and address (empty where no one asked for it)."""
    who = annotation.get("completed_by")
    number = who.get("id") if isinstance(who, Mapping) else who
    return number, by_id.get(number, "") if by_id is not None and isinstance(number, int) else ""


def _leave_out(
    session: Session,
    grid: Grid,
    page: GridPage,
    task: int,
    annotation: Mapping[str, Any],
    reason: str,
    by_id: Mapping[int, str] | None,
) -> None:
    """Note an answer that is not counted; a page without another is retired: Label Studio shows it to no one more."""
    identity, at = _identity(annotation)
    user, address = _author(annotation, by_id)
    about = ReadAnnotation(
        identity, task, "a page of images", clean(annotation.get("result"))[:200], user, at, at, None, author=address
    )
    log.warning("page answer %d left out: %s", identity, reason)
    uncounted.record_uncounted(session, grid.attribute_id, grid.expert_id, grid.project, about, reason)
    page.state = page.state if page.label_studio_id else "retired"


def _page(session: Session, grid: Grid, task: int, data: Mapping[str, Any]) -> GridPage:
    """The page that was answered: by its key, and for one of before keys by its address and its images."""
    key = key_of(data)
    mine = select(GridPage).where(GridPage.grid_id == grid.id)
    page = session.scalar(mine.where(GridPage.key == key)) if key else None
    if page is None:  # of before keys, or with the key of a page that someone copied
        page = session.scalar(mine.where(GridPage.label_studio_task == task))
        if page is not None and key and session.scalar(select(GridPage.id).where(GridPage.key == key)) is None:
            page = None
    if page is not None and (page.key == key or not data or set(room.keys_of(data)) >= set(page.asset_pks)):
        task_ids.claim(session, page, task)
        return page
    key_in_use = bool(key) and session.scalar(select(GridPage.id).where(GridPage.key == key)) is not None
    keys = [member_key for member_key in room.keys_of(data) if session.get(Asset, member_key) is not None]
    return _add_page(session, grid, task, data, keys, new_key() if key_in_use or not key else key)


def _add_page(
    session: Session, grid: Grid, task: int, data: Mapping[str, Any], assets: Sequence[int], key: str
) -> GridPage:
    page = GridPage(grid_id=grid.id, ticked=str(data.get("ticked", "")), state="open", key=key)
    page.unticked, page.asset_pks = data.get("unticked"), list(assets)
    page.signed_until = page.created_at = now()
    task_ids.claim(session, page, task)
    session.add(page)
    session.flush()
    return page


def _opened(annotation: Mapping[str, Any], at: datetime) -> datetime:
    """When the page was opened, by the time that Label Studio counted on it."""
    seconds = annotation.get("lead_time")
    usable = isinstance(seconds, int | float) and 0 <= seconds <= LONGEST_LOOK
    return at - timedelta(seconds=seconds) if usable and seconds is not None else at


def _values(session: Session, grid: Grid, page: GridPage, ticks: Ticks | None, at: datetime) -> dict[int, str]:
    """Asset key -> class or unsure, as the attribute reads it today; nothing for a page that was skipped."""
    if ticks is None:
        return {}
    today = {
        name: revisions.value_now(session, grid.attribute_id, name, at)
        for name in (page.ticked, page.unticked, UNSURE)
        if name
    }
    values = {}
    for key in page.asset_pks:
        said = UNSURE if key in ticks.unsure else page.ticked if key in ticks.ticked else page.unticked
        value = today.get(said) if said and key not in ticks.left else None
        if value is not None:
            values[key] = value
    return values


def _record_value(
    session: Session,
    grid: Grid,
    page: GridPage,
    key: int,
    value: str | None,
    expert: int,
    annotation: Mapping[str, Any],
    at: datetime,
) -> bool:
    """One image of the page: made, changed, taken back or left; whether that changes anything."""
    mine = select(Annotation).join(GridAnswer, GridAnswer.annotation_id == Annotation.id)
    existing = session.scalar(mine.where(GridAnswer.page_id == page.id, Annotation.asset_pk == key))
    if value is not None and _was_gone(session, key, at):
        return False  # its place on the page was empty: neither a tick nor none says anything
    if existing is None:
        if value is None or _has_single_answer(session, grid.attribute_id, key, expert):
            return False
        _create_annotation(session, grid, page, key, value, expert, annotation, at)
        return True
    if value is None and existing.deleted_at is None:
        existing.deleted_at, existing.updated_at = now(), at
        change.remember(session, existing, "deleted", VIA)
        return True
    if exclusion.is_excluded(session, existing):
        if value is None:
            exclusion.withdraw(session, existing, VIA)
        else:
            exclusion.correct(session, existing, value, at, VIA)
        return False
    if value is None or (existing.value == value and existing.deleted_at is None):
        return False
    existing.value, existing.deleted_at, existing.updated_at = value, None, at
    existing.revision = session.get_one(Attribute, grid.attribute_id).revision
    change.remember(session, existing, "changed", VIA)
    return True


def _was_gone(session: Session, key: int, at: datetime) -> bool:
    """Whether an image was out of the pool at a moment."""
    removed = session.scalar(select(Asset.removed_at).where(Asset.id == key))
    return removed is not None and removed <= at


def _has_single_answer(session: Session, attribute_id: int, key: int, expert: int) -> bool:
    existing = select(Annotation.id).where(
        Annotation.attribute_id == attribute_id,
        Annotation.asset_pk == key,
        Annotation.expert_id == expert,
        Annotation.deleted_at.is_(None),
    )
    return session.scalar(existing.limit(1)) is not None


def _create_annotation(
    session: Session,
    grid: Grid,
    page: GridPage,
    key: int,
    value: str,
    expert: int,
    annotation: Mapping[str, Any],
    at: datetime,
) -> None:
    seconds = annotation.get("lead_time")
    row = Annotation(
        attribute_id=grid.attribute_id,
        revision=session.get_one(Attribute, grid.attribute_id).revision,
        asset_pk=key,
        expert_id=expert,
        value=value,
        purpose=PURPOSE,
        # The page's time is all images' together.
        lead_seconds=float(seconds) / len(page.asset_pks) if isinstance(seconds, int | float) else None,
        answered_at=moment(annotation.get("created_at") or at),
        updated_at=at,
        received_at=now(),
    )
    session.add(row)
    session.flush()
    session.add(GridAnswer(annotation_id=row.id, page_id=page.id))
    change.remember(session, row, "created", VIA)
    exclusion.set_late_aside(session, row, VIA)


def delete(session: Session, grid: Grid, label_studio_ids: Sequence[int]) -> set[int]:
    """Take back the answers of the grid's pages whose annotation was deleted; the ids of the attributes touched.

    The page is open again, as Label Studio serves it again.
    """
    touched: set[int] = set()
    mine = (GridPage.grid_id == grid.id, GridPage.label_studio_id.in_(label_studio_ids))
    for page in session.scalars(select(GridPage).where(*mine)).all():
        page.state = "open" if page.label_studio_task is not None else "retired"
        page.label_studio_id, page.updated_at = None, None
        rows = select(Annotation).join(GridAnswer, GridAnswer.annotation_id == Annotation.id)
        for row in session.scalars(rows.where(GridAnswer.page_id == page.id)).all():
            if exclusion.is_excluded(session, row):
                exclusion.withdraw(session, row, VIA)
            elif row.deleted_at is None:
                row.deleted_at = now()
                change.remember(session, row, "deleted", VIA)
                touched.add(grid.attribute_id)
    change.count(session, *touched)
    return touched
