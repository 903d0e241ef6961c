"""Is each project in Label Studio the queue that the records take it for? A project's id is an address, too.

A Label Studio that was begun again, or restored from an old copy, counts its projects from 1 again: without this check
another queue's answers would be read as this one's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from attune.labeler.label_studio import projects
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.projects import Listed
from attune.labeler.label_studio.task_address import KEY
from attune.labeler.label_studio.tasks import listed
from attune.labeler.queues import grids, queues
from attune.labeler.records.schema import Asset, Attribute, Expert, Grid, GridPage, Queue, Stray, Task
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import load as load_secrets

log = logging.getLogger("attune.sync")
LOOKED_AT = 200  # tasks of a project whose mark is another
SEVERAL = 3


@dataclass
class Checked:
    """Rows whose project may be read (key of the row -> tasks that it holds), why others may not, and which moved."""

    tasks: dict[int, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)


def has_mark(settings: Settings, ls: LabelStudio, row: Queue | Grid) -> bool:
    """Whether the row's project is there and has its mark; one request. `check` finds out more where it has not."""
    here = projects.list_projects(ls, only=row.project).get(row.project)
    return here is not None and _marks(settings, [row])[row.id] in here.marks


def check(settings: Settings, ls: LabelStudio, rows: list[Queue] | list[Grid], there: Mapping[int, Listed]) -> Checked:
    """Compare the projects of queues, or of pages, with their marks in Label Studio, where ``there`` is what it lists.

    One that moved (its mark is on another project) is found again; one whose mark someone deleted, or was made with
    secrets that are lost, gets it back where its tasks are ours. Raises LabelStudioUnreachable.
    """
    result = Checked()
    if not rows:
        return result
    by_mark = {mark: number for number, entry in there.items() for mark in entry.marks}
    moved: dict[int, int] = {}
    refused: set[int] = set()
    marks = _marks(settings, rows)
    for row in rows:
        mark = marks[row.id]
        here = there.get(row.project)
        if here is not None and mark in here.marks:
            continue
        if mark in by_mark:
            log.warning("project %d is project %d in Label Studio now", row.project, by_mark[mark])
            moved[row.id] = by_mark[mark]
        elif here is not None and _has_own_task(settings, ls, row, marked=bool(here.marks)):
            log.warning("project %d had lost its mark", row.project)
            projects.stamp(ls, row.project, mark, here.description)
        else:
            refused.add(row.id)
            result.failed[str(row.project)] = _sentence(settings, row, here is not None)
            log.error("%s", result.failed[str(row.project)])
    _move(settings, rows, moved)
    result.moved = set(moved)
    result.tasks = {row.id: there[row.project].tasks for row in rows if row.id not in refused}
    return result


def _move(settings: Settings, rows: list[Queue] | list[Grid], moved: Mapping[int, int]) -> None:
    """Record where projects are now. One whose number is another's gives it up, as two queues may have changed places:
    its own is then a number that no project has.
    """
    if not moved:
        return
    table = Queue if isinstance(rows[0], Queue) else Grid
    with writing(settings) as session:
        is_used = (table.id.in_(moved)) | (table.project.in_(moved.values()))
        session.execute(update(table).where(is_used).values(project=-table.id))
        for row in rows:
            if row.id in moved:  # what is noted of its uncounted answers goes along
                session.execute(update(Stray).where(Stray.project == row.project).values(project=-moved[row.id]))
        for key, number in moved.items():
            session.execute(update(table).where(table.id == key).values(project=number))
            session.execute(update(Stray).where(Stray.project == -number).values(project=number))
    for row in rows:
        row.project = moved.get(row.id, row.project)


def _marks(settings: Settings, rows: Sequence[Queue | Grid]) -> dict[int, str]:
    """The mark of each row's project, by the row's key."""
    secret = load_secrets(settings.secrets).webhook_secret
    numbers: dict[int, str] = {}
    with reading(settings) as session:
        for row in rows:
            attribute, expert = session.get_one(Attribute, row.attribute_id), session.get_one(Expert, row.expert_id)
            room = queues if isinstance(row, Queue) else grids
            numbers[row.id] = room.mark(secret, attribute, expert)
    return numbers


def _has_own_task(settings: Settings, ls: LabelStudio, row: Queue | Grid, marked: bool) -> bool:
    """Whether one of the project's tasks has a key of this queue's. ``marked`` means that it
    has a mark, which may be of secrets that were lost: then several tasks of before keys must all be the queue's by
    image and number. Without any mark, as someone edited it away, one will do, and so will an empty project.
    """
    tasks = list(islice(listed(ls, row.project), LOOKED_AT))
    with reading(settings) as session:
        ours = [bool(task["data"].get(KEY)) for task in tasks if _is_ours(session, row, task)]
    # By their image and number alone one may agree by chance, and several do not.
    return any(ours) or (len(ours) >= SEVERAL and len(ours) == len(tasks)) or (not marked and (not tasks or bool(ours)))


def _is_ours(session: Session, row: Queue | Grid, task: Mapping[str, object]) -> bool:
    data = task["data"]
    assert isinstance(data, Mapping)
    key = str(data.get(KEY) or "")
    if isinstance(row, Grid):
        pages = select(GridPage).where(GridPage.grid_id == row.id)
        page = session.scalar(pages.where(GridPage.key == key if key else GridPage.label_studio_task == task["id"]))
        return page is not None and (bool(key) or bool(page.asset_pks))  # one made by hand is nobody's proof
    mine = select(Task.id).join(Asset, Asset.id == Task.asset_pk).where(Task.queue_id == row.id)
    which = (
        Task.key == key if key else (Asset.asset_id == data.get("asset_id")) & (Task.label_studio_task == task["id"])
    )
    return session.scalar(mine.where(which)) is not None


def _sentence(settings: Settings, row: Queue | Grid, there: bool) -> str:
    with reading(settings) as session:
        name = session.get_one(Attribute, row.attribute_id).name
        email = session.get_one(Expert, row.expert_id).email
    what = f"the {'queue' if isinstance(row, Queue) else 'pages'} of {email} for {name}"
    if there:
        return (
            f"Project {row.project} in Label Studio is not {what}: its attune-… mark and its tasks are different. "
            "Attune does not read it. If Label Studio's database was replaced, restore the old one, then "
            "run: `attune sync --all`"
        )
    return (
        f"Label Studio no longer has the project of {what}. Attune keeps the answers. Restore Label Studio's "
        "database, then run: `attune sync --all`"
    )
