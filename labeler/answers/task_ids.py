"""Label Studio's task ids in the records: one row an id, given up as soon as Label Studio has another task there."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.label_studio.task_address import Address
from attune.labeler.records.schema import GridPage, Task

log = logging.getLogger("attune.addresses")
AT_ONCE = 500  # conditions in one question to the database


def task_address(task: Task, asset_id: str) -> Address | None:
    """Where a question stands in Label Studio, and what must be found there; None once it is gone."""
    return address_of(task.label_studio_task, task.key, asset_id)


def address_of(number: int | None, key: str, asset_id: str) -> Address | None:
    """The same from a task's columns: its ``number`` in Label Studio, and its key."""
    return None if number is None else Address(number, key, asset_id)


def page_address(page: GridPage) -> Address | None:
    """Where a page of images stands in Label Studio; None once it is gone."""
    return None if page.label_studio_task is None else Address(page.label_studio_task, page.key)


def claim(session: Session, row: Task | GridPage, label_studio_task: int) -> None:
    """Record that ``row`` is the task ``label_studio_task``: the row that had this id is gone from Label Studio."""
    if row.label_studio_task == label_studio_task:
        return
    with session.no_autoflush:  # a new row must not reach the database before the id is free
        vacate(session, label_studio_task)
    row.label_studio_task = label_studio_task


def vacate(session: Session, label_studio_task: int) -> None:
    """Take an id away from the question or page that the records have there; an open one is retired."""
    tasks = session.scalars(select(Task).where(Task.label_studio_task == label_studio_task)).all()
    pages = session.scalars(select(GridPage).where(GridPage.label_studio_task == label_studio_task)).all()
    rows: list[Task | GridPage] = [*tasks, *pages]
    for row in rows:
        log.warning("id %d of Label Studio belongs to another task now; %r left it", label_studio_task, row.key)
        clear_id(row)
    session.flush()


def clear_deleted(session: Session, places: Iterable[Address], ids: Collection[int]) -> None:
    """Those of the questions at ``places`` whose id is among ``ids`` were deleted in Label Studio."""
    deleted = set(ids)
    where = {one.key: one.task for one in places if one.task in deleted}
    keys = list(where)
    for start in range(0, len(keys), AT_ONCE):
        for row in session.scalars(select(Task).where(Task.key.in_(keys[start : start + AT_ONCE]))):
            if row.label_studio_task == where[row.key]:  # else it was asked again in the meantime, at another id
                clear_id(row)


def clear_id(row: Task | GridPage) -> None:
    """A question or page is gone from Label Studio: its id may be another's any moment."""
    row.label_studio_task = None
    if row.state == "open":
        row.state = "retired"
