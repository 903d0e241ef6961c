"""Is each project in Label Studio the queue that the records take it for? A project's id is an address, too.

A Label Studio that was begun anew, or restored from an old copy, counts its projects from 1 again: without this check
another queue's answers would be read as this one's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from labeler import grids, queues
from labeler.label_studio import projects
from labeler.label_studio.address import KEY
from labeler.label_studio.client import LabelStudio
from labeler.label_studio.tasks import listed
from labeler.records.schema import Asset, Attribute, Expert, Grid, GridPage, Queue, Task
from labeler.records.session import reading, writing
from labeler.secrets import load as load_secrets
from labeler.settings import Settings

log = logging.getLogger("attune.sync")


@dataclass
class Checked:
    """Projects that may be read (id -> tasks that they hold), and why the others may not."""

    tasks: dict[int, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def check(settings: Settings, ls: LabelStudio, rows: list[Queue] | list[Grid]) -> Checked:
    """Compare the projects of queues, or of pages, with their marks in Label Studio.

    One that moved (its mark is on another project) is found again; one whose mark somebody deleted, or was made with
    secrets that are lost, gets it back where its tasks are ours. Raises LabelStudioUnreachable.
    """
    found = Checked()
    if not rows:
        return found
    there = projects.every(ls)
    by_mark = {mark: number for number, one in there.items() for mark in one.marks}
    moved: dict[int, int] = {}
    for row in rows:
        mark = _mark(settings, row)
        here = there.get(row.project)
        if here is not None and mark in here.marks:
            continue
        if mark in by_mark:
            log.warning("project %d is project %d in Label Studio now", row.project, by_mark[mark])
            moved[row.id] = by_mark[mark]
        elif here is not None and _holds_ours(settings, ls, row, marked=bool(here.marks)):
            log.warning("project %d had lost its mark", row.project)
            projects.stamp(ls, row.project, mark, here.description)
        else:
            found.failed[str(row.project)] = _sentence(settings, row, here is not None)
            log.error("%s", found.failed[str(row.project)])
    _move(settings, rows, moved)
    found.tasks = {row.project: there[row.project].tasks for row in rows if str(row.project) not in found.failed}
    return found


def _move(settings: Settings, rows: list[Queue] | list[Grid], moved: Mapping[int, int]) -> None:
    """Record where projects are now. One whose number is another's gives it up, as two queues may have changed places:
    its own is then a number that no project has.
    """
    if not moved:
        return
    table = Queue if isinstance(rows[0], Queue) else Grid
    with writing(settings) as session:
        taken = (table.id.in_(moved)) | (table.project.in_(moved.values()))
        session.execute(update(table).where(taken).values(project=-table.id))
        for key, number in moved.items():
            session.execute(update(table).where(table.id == key).values(project=number))
    for row in rows:
        row.project = moved.get(row.id, row.project)


def _mark(settings: Settings, row: Queue | Grid) -> str:
    secret = load_secrets(settings.secrets).webhook_secret
    with reading(settings) as session:
        attribute, expert = session.get_one(Attribute, row.attribute_id), session.get_one(Expert, row.expert_id)
    return queues.mark(secret, attribute, expert) if isinstance(row, Queue) else grids.mark(secret, attribute, expert)


def _holds_ours(settings: Settings, ls: LabelStudio, row: Queue | Grid, marked: bool) -> bool:
    """Whether one of the project's tasks has a key of this queue's. Without any mark of ours, as somebody edited it
    away, an empty project will do, or a task without a key that shows an image of the queue; ``marked`` means that it
    has a mark, which may be of secrets that were lost.
    """
    seen = False
    for task in listed(ls, row.project):
        seen = True
        with reading(settings) as session:
            if (task["data"].get(KEY) or not marked) and _is_ours(session, row, task):
                return True
    return not seen and not marked


def _is_ours(session: Session, row: Queue | Grid, task: Mapping[str, object]) -> bool:
    data = task["data"]
    assert isinstance(data, Mapping)
    key = str(data.get(KEY) or "")
    if isinstance(row, Grid):
        pages = select(GridPage.id).where(GridPage.grid_id == row.id)
        return (
            session.scalar(pages.where(GridPage.key == key if key else GridPage.label_studio_task == task["id"]))
            is not None
        )
    mine = select(Task.id).join(Asset, Asset.id == Task.asset_pk).where(Task.queue_id == row.id)
    which = (
        Task.key == key if key else (Asset.asset_id == data.get("asset_id")) & (Task.label_studio_task == task["id"])
    )
    return session.scalar(mine.where(which)) is not None


def _sentence(settings: Settings, row: Queue | Grid, there: bool) -> str:
    with reading(settings) as session:
        name = session.get_one(Attribute, row.attribute_id).name
        email = session.get_one(Expert, row.expert_id).email
    what = f"the {'queue' if isinstance(row, Queue) else 'pages'} of {email} about {name}"
    if there:
        return (
            f"Project {row.project} in Label Studio is not {what}: it has another mark. Nothing is read from it. "
            "Was Label Studio's database exchanged? Put the old one back, and run: attune sync --all"
        )
    return (
        f"Project {row.project} in Label Studio, {what}, is gone. The answers are kept here. Put Label Studio's "
        "database back, and run: attune sync --all"
    )
