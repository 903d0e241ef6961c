"""The job `grid`: choose the images of an expert's next pages; and the sync of pages that Label Studio holds."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from filelock import FileLock
from sqlalchemy import func, select

from attune.labeler.answers import change, ingest_grids, task_ids, uncounted
from attune.labeler.answers.reading_order import AskedPages, asked_pages_now
from attune.labeler.attributes import attributes
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.label_studio import grid_project, tasks
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.projects import Listed
from attune.labeler.label_studio.task_address import KEY, Address
from attune.labeler.label_studio.task_changes import tasks_of
from attune.labeler.labelling import availability
from attune.labeler.people import experts
from attune.labeler.queues import asking, grids
from attune.labeler.queues.grids import AHEAD, SIZE, NewPage
from attune.labeler.records.schema import Attribute, Grid, GridPage
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.clock import now, parse
from attune.models.errors import LabelStudioRefused, PoolExhausted, UnknownAnnotationShape
from attune.workers.rounds import pages_of_images
from attune.workers.rounds.snapshot import take_snapshot
from attune.workers.sync import membership, project_identity
from attune.workers.sync.answer_totals import Totals
from attune.workers.sync.changed_tasks import ask_since, read_until, record_read_until

log = logging.getLogger("attune.grids")
FAREWELL = timedelta(days=1)  # so long a leaver's last answers may still be on their way
PATIENCE_SECONDS = 300  # for another who makes pages


def run(
    settings: Settings, report: Report = quiet, attribute: str = "", expert: str = "", images: int = 0
) -> dict[str, Any]:
    """Make the expert's next pages unless some wait already; ``{"link", "pages", "exhausted"}``.

    For two classes pages of the first one, for more classes pages of each in turn. ``images``: until pages with so many
    wait; 0: a few where none waits. ``exhausted``: the pool had images for fewer pages. Raises UnknownAttribute,
    UnknownExpert, RecordsError for a stopped queue, EmptyPool, PoolExhausted where no image is left to ask about,
    LabelStudioUnreachable.
    """
    with reading(settings) as session:
        attribute_row, person = attributes.find(session, attribute), experts.find(session, expert)
        asking.check_stopped(session, attribute_row, person.email)
    ls = LabelStudio.connect(settings)
    grid = grids.ensure(settings, ls, attribute_row, person)
    # Asked for twice at once, as by a double click, the second finds the pages of the first.
    with FileLock(settings.workspace / "pages.lock", timeout=PATIENCE_SECONDS):
        asked_at = now()  # before the question is read, so that a page of an older one is never newer than its revision
        with reading(settings) as session:
            attribute_row = attributes.find(session, attribute)
        return _fill(settings, report, ls, attribute_row, grid, images, asked_at)


def _fill(
    settings: Settings,
    report: Report,
    ls: LabelStudio,
    attribute: Attribute,
    grid: Grid,
    images: int,
    asked_at: datetime,
) -> dict[str, Any]:
    with reading(settings) as session:
        open_pages = grids.pages_of_today(session, grid, GridPage.state == "open")
    waiting, two = len(open_pages), len(attribute.classes) == 2
    positions = _positions(attribute, open_pages, images)
    made_pages = 0
    if positions:
        with suppress(LabelStudioRefused):  # the pages of before doubts serve without
            grid_project.configure(ls, grid.project)
        snapshot = take_snapshot(settings, attribute.name)
        for number, (position, rows) in enumerate(pages_of_images.made(settings, snapshot, positions)):
            report(number, len(positions))
            keys = [int(key) for key in snapshot.view.keys[rows]]
            unticked = attribute.classes[1] if two else None
            new = NewPage(attribute.question, attribute.classes[position], unticked, keys, asked_at)
            grids.add(settings, ls, grid, new)
            made_pages += 1
        if not made_pages and not waiting:
            raise PoolExhausted(
                f"No images are left for a page of {attribute.name}: all were asked about. Add images: `attune "
                "assets add PATH`"
            )
    report(len(positions), len(positions))
    return {
        "link": _link(settings, attribute.name, grid),
        "pages": waiting + made_pages,
        "exhausted": made_pages < len(positions),
    }


def _link(settings: Settings, name: str, grid: Grid) -> str:
    """Where the expert answers: the console's own page, or for a Label Studio without our modules the project there."""
    if availability.is_available(settings):
        return f"{settings.web_address}/attributes/{name}/pages"
    return grids.link(settings, grid)


def _positions(attribute: Attribute, waiting: Sequence[GridPage], images: int) -> list[int]:
    """Places of the classes that the pages to be made ask about: always of the one that has the fewest pages."""
    asked = attribute.classes[:1] if len(attribute.classes) == 2 else attribute.classes
    if not images:
        return [] if waiting else [*range(len(asked))] * (AHEAD if len(asked) == 1 else 1)
    count = Counter(page.ticked for page in waiting)
    positions = []
    for _ in range(math.ceil((images - sum(len(page.asset_pks) for page in waiting)) / SIZE)):
        position = min(range(len(asked)), key=lambda place: count[asked[place]])
        count[asked[position]] += 1
        positions.append(position)
    return positions


def sync(
    settings: Settings,
    ls: LabelStudio,
    attribute_id: int | None,
    whole: bool,
    counts: dict[str, int],
    failed: dict[str, str],
    by_id: Mapping[int, str],
    there: Mapping[int, Listed],
) -> set[int]:
    """Import what changed on pages since the last sync (of one attribute, or of all).

    ``there`` are Label Studio's projects, ``by_id`` the addresses of its users. Adds to
    ``counts`` and ``failed``, and returns the ids of the attributes whose answers changed.
    """
    with reading(settings) as session:
        waiting = [
            open_grid
            for open_grid in grids.current(session, FAREWELL)
            if attribute_id in {None, open_grid.attribute_id}
        ]
        here = {open_grid.id for open_grid in grids.current(session)}
    checked = project_identity.check(settings, ls, waiting, there)
    failed |= checked.failed
    membership.correct_members(settings, ls, [grid for grid in waiting if grid.id in checked.tasks])
    changed: set[int] = set()
    for grid in waiting:
        if grid.id not in checked.tasks:
            continue
        try:
            totals = Totals(settings, ls, grid, there.get(grid.project))
            if whole or checked.tasks[grid.id] < _recorded(settings, grid):
                changed |= _compare(settings, ls, grid, counts)
            changed |= sync_pages(settings, ls, grid, counts, by_id, whole)
            differ = not whole and totals.differ()
            if differ:
                changed |= _compare(settings, ls, grid, counts)
                changed |= sync_pages(settings, ls, grid, counts, by_id, whole=True)
            if whole or differ:
                totals.note()
            if grid.id in here:
                grids.renew(settings, ls, grid)
        except LabelStudioRefused as error:
            log.error("the pages of project %d could not be read: %s", grid.project, error)
            failed[str(grid.project)] = str(error)
    return changed


def _recorded(settings: Settings, grid: Grid) -> int:
    """How many pages the records know of in the project."""
    with reading(settings) as session:
        mine = (GridPage.grid_id == grid.id, GridPage.label_studio_task.is_not(None))
        return int(session.scalar(select(func.count()).select_from(GridPage).where(*mine)) or 0)


def _compare(settings: Settings, ls: LabelStudio, grid: Grid, counts: dict[str, int]) -> set[int]:
    """Take back what stood on pages that someone deleted in Label Studio; the ids of the attributes touched."""
    with reading(settings) as session:
        before = set(session.scalars(select(GridPage.id).where(GridPage.grid_id == grid.id)))
    there = tasks_of(ls, grid.project)
    touched: set[int] = set()
    with writing(settings) as session:
        change.one_writer(session, grid.attribute_id)
        for page in session.scalars(select(GridPage).where(GridPage.grid_id == grid.id)).all():
            where = task_ids.page_address(page)
            if page.id in before and where is not None and not _is_there(page, where, there):
                task_ids.clear_id(page)
                if page.label_studio_id is not None:
                    touched |= ingest_grids.delete(session, grid, [page.label_studio_id])
                else:
                    change.count(session, grid.attribute_id)  # its images may be asked about again
    counts["deleted"] += len(touched)
    return touched


def _is_there(page: GridPage, where: Address, there: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether Label Studio's tasks, by number, still have a page. A row without images only counts a task of no page of
    ours, which may have the key of one that was copied.
    """
    if not page.asset_pks:
        return where.task in there
    return where.is_at(there.get(where.task, {KEY: "gone"}))


def sync_pages(
    settings: Settings,
    ls: LabelStudio,
    grid: Grid,
    counts: dict[str, int],
    by_id: Mapping[int, str],
    whole: bool = False,
) -> set[int]:
    """Import what changed on one expert's pages since they were read last; as ``sync`` for one project."""
    began, asked = read_until(settings, grid), asked_pages_now(settings, grid)
    newest, before = began, counts["changed"] + counts["deleted"]
    since = None if whole else ask_since(began, asked.at)
    filters = [] if since is None else [tasks.changed_after(since)]
    for row in tasks.listed(ls, grid.project, filters, whole=True):
        with writing(settings) as session:
            _record_page_answers(session, grid, row, asked, counts, by_id)
        newest = max(newest or parse(row["updated_at"]), parse(row["updated_at"]))
    record_read_until(settings, grid, began, newest, asked.at)
    return {grid.attribute_id} if counts["changed"] + counts["deleted"] > before else set()


def _record_page_answers(
    session: Any,
    grid: Grid,
    row: dict[str, Any],
    asked: AskedPages,
    counts: dict[str, int],
    by_id: Mapping[int, str],
) -> None:
    """One page's task: its answers, oldest first, and what is gone."""
    change.one_writer(session, grid.attribute_id)
    data, answered = row.get("data") or {}, bool(row.get("annotations"))
    ingest_grids.note_unknown(session, grid, int(row["id"]), data, answered)
    annotations = sorted(row.get("annotations") or (), key=lambda row_annotation: str(row_annotation.get("updated_at")))
    for annotation in annotations:
        try:
            counts["changed"] += ingest_grids.store(session, grid, int(row["id"]), data, annotation, asked, by_id)
        except UnknownAnnotationShape as error:
            log.warning("left out: %s", error)
            counts["left_out"] += 1
    present = {int(row_annotation["id"]) for row_annotation in annotations}
    uncounted.remove_absent(session, grid.project, int(row["id"]), list(present))
    counts["left_out"] += uncounted.on_task(session, grid.project, int(row["id"]))
    mine = (GridPage.grid_id == grid.id, GridPage.label_studio_task == int(row["id"]))
    page = session.scalar(select(GridPage).where(*mine))
    # An answer that came after Label Studio was asked is newer than what it told.
    if page is not None and asked.knew(page) and page.label_studio_id not in present:
        counts["deleted"] += len(ingest_grids.delete(session, grid, [page.label_studio_id or 0]))
