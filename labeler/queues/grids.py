"""Pages of images that an expert answers at once: the project beside the queue, its pages, and their addresses."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from filelock import FileLock
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from attune.labeler.answers import change, hints, task_ids, uncounted
from attune.labeler.assets.media import media_url
from attune.labeler.attributes import attributes
from attune.labeler.label_studio import grid_project as room
from attune.labeler.label_studio import members, projects
from attune.labeler.label_studio import queue_tasks as label_studio_queue
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.task_address import Address
from attune.labeler.people import end_access
from attune.labeler.records.schema import Asset, Attribute, AttributeRevision, Expert, Grid, GridPage, Queue, new_key
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import load as load_secrets
from attune.models.clock import now
from attune.models.errors import LabelStudioRefused

SIZE = 12  # images on one page; the console shows one, two or four pages together
AHEAD = 4  # pages made at a time for a question with two classes; with more classes one of each
RENEW = timedelta(days=2)  # an address that ends sooner is signed again
STALE = timedelta(days=7)  # a page that no one answered for so long gives its images back
PATIENCE_SECONDS = 60


def find_grid(session: Session, attribute_id: int, expert_id: int) -> Grid | None:
    """The expert's project for pages on an attribute, if there is one."""
    return session.scalar(select(Grid).where(Grid.attribute_id == attribute_id, Grid.expert_id == expert_id))


def open_pages(session: Session, grid_id: int) -> list[GridPage]:
    """Pages that wait for an answer, oldest first."""
    waiting = select(GridPage).where(GridPage.grid_id == grid_id, GridPage.state == "open")
    return list(session.scalars(waiting.order_by(GridPage.id)))


def begun(session: Session, attribute_id: int) -> datetime | None:
    """When the attribute began to ask what it asks today, None where it never asked anything else.

    A page that was made before asks another question.
    """
    newest = (AttributeRevision.revision == Attribute.revision, Attribute.revision > 1)
    mine = (AttributeRevision.attribute_id == attribute_id, *newest)
    rows = select(AttributeRevision.created_at).join(Attribute, Attribute.id == AttributeRevision.attribute_id)
    return session.scalar(rows.where(*mine))


def pages_of_today(session: Session, grid: Grid, *which: ColumnElement[bool]) -> list[GridPage]:
    """Pages in Label Studio that ask what the attribute asks today, oldest first; ``which`` of them, else all."""
    since = begun(session, grid.attribute_id)
    rows = select(GridPage).where(GridPage.grid_id == grid.id, GridPage.label_studio_task.is_not(None), *which)
    if since is not None:
        rows = rows.where(GridPage.created_at >= since)
    return list(session.scalars(rows.order_by(GridPage.id)))


def offered(session: Session, attribute_id: int) -> set[int]:
    """Keys of the assets that stand on open pages of an attribute: no one is asked about them in the meantime.

    A leaver's pages wait for no one, nor do those of a stopped queue.
    """
    rows = select(GridPage.asset_pks).join(Grid, Grid.id == GridPage.grid_id).join(Expert, Expert.id == Grid.expert_id)
    stopped = select(Queue.expert_id).where(Queue.attribute_id == attribute_id, Queue.stopped_at.is_not(None))
    there = (Expert.removed_at.is_(None), Grid.closed_at.is_(None), Grid.expert_id.not_in(stopped))
    mine = (Grid.attribute_id == attribute_id, GridPage.state == "open", *there)
    return {int(key) for keys in session.scalars(rows.where(*mine)) for key in keys}


def current(session: Session, farewell: timedelta = timedelta(0)) -> list[Grid]:
    """The open projects of experts who are here, and those closed no longer ago than ``farewell``, oldest first."""
    since = now() - farewell
    here = or_(Expert.removed_at.is_(None), Expert.removed_at > since)
    # Who left and came back for another question has this project closed still.
    wanted = select(Grid).join(Expert, Expert.id == Grid.expert_id).where(here)
    return list(session.scalars(wanted.where(or_(Grid.closed_at.is_(None), Grid.closed_at > since)).order_by(Grid.id)))


def ensure(settings: Settings, ls: LabelStudio, attribute: Attribute, expert: Expert) -> Grid:
    """The expert's project for pages, made when first needed; one maker a workspace at a time."""
    with FileLock(settings.workspace / "grids.lock", timeout=PATIENCE_SECONDS):
        with reading(settings) as session:
            grid = find_grid(session, attribute.id, expert.id)
        if grid is not None:
            return grid
        secrets = load_secrets(settings.secrets)
        title, label = f"{attribute.name} · {expert.name} · pages", mark(secrets.webhook_secret, attribute, expert)
        orphan = projects.find(ls, title, label)
        if orphan is not None:  # a killed maker's
            projects.delete(ls, Project(orphan, 0, None))
        address = hints.address(settings, hints.PAGES, attribute.id, expert.id)
        project = room.create(
            ls, title, attributes.instruction(attribute, pages=True), address, secrets.hint_secret, label
        )
        with writing(settings) as session:
            session.execute(update(Grid).where(Grid.project == project.id).values(project=-Grid.id))
            row = Grid(attribute_id=attribute.id, expert_id=expert.id, project=project.id, view=project.view)
            row.webhook, row.created_at = project.webhook, now()
            session.add(row)
        with reading(settings) as session:
            members.set_members(ls, {project.id: [expert.email] if end_access.may_enter(session, expert.email) else []})
        return row


def mark(secret: str, attribute: Attribute, expert: Expert) -> str:
    """What the project for an expert's pages is known by in Label Studio, as `queues.mark`."""
    key = f"grid:{attribute.id}:{expert.id}:{attribute.created_at.isoformat()}"
    return f"attune-{hmac.digest(secret.encode(), key.encode(), 'sha256').hex()[:32]}"


@dataclass(frozen=True)
class NewPage:
    """A page of the assets ``keys``, in that order; ``question`` was read at ``asked_at``, ``key`` is what the page is
    known by."""

    question: str
    ticked: str
    unticked: str | None
    keys: Sequence[int]
    asked_at: datetime
    key: str = field(default_factory=new_key)


def add(settings: Settings, ls: LabelStudio, grid: Grid, new: NewPage) -> GridPage:
    """Put a page before the expert.

    Killed in between, Label Studio has a page that the records lack: a sync notes it as retired, as it may ask what the
    question was before, and its answer brings it along.
    """
    until, data = _signed(settings, new.question, new.ticked, new.unticked, new.keys)
    task = room.add(ls, grid.project, data, new.key)
    with writing(settings) as session:
        change.one_writer(session, grid.attribute_id)
        page = session.scalar(select(GridPage).where(GridPage.key == new.key))
        if page is not None and not _is_noted(session, grid, page, task):  # its answer was here sooner
            return page
        if page is None:
            page = GridPage(grid_id=grid.id, key=new.key, ticked=new.ticked, unticked=new.unticked)
            task_ids.claim(session, page, task)
            session.add(page)
        page.asset_pks, page.signed_until, page.created_at = [int(one) for one in new.keys], until, new.asked_at
        page.state = "open"
    return page


def _is_noted(session: Session, grid: Grid, page: GridPage, task: int) -> bool:
    """Whether a sync met the page before its maker told of it, and nobody has answered it or deleted it since."""
    untouched = page.state == "retired" and page.label_studio_task == task and page.label_studio_id is None
    return untouched and not uncounted.on_task(session, grid.project, task)


def _signed(
    settings: Settings, question: str, ticked: str, unticked: str | None, keys: Sequence[int]
) -> tuple[datetime, dict[str, object]]:
    """When the addresses end, and the data of a page with the images that may still be shown."""
    secrets = load_secrets(settings.secrets)
    with reading(settings) as session:
        rows = session.execute(select(Asset.id, Asset.asset_id).where(Asset.id.in_(keys), Asset.removed_at.is_(None)))
        names = dict(rows.all())
    images = [(key, *media_url(settings, secrets, names[key], now())) for key in keys if key in names]
    until = min((end for _, _, end in images), default=now())
    return until, room.page_data(question, ticked, unticked, [(key, address) for key, address, _ in images])


def renew(settings: Settings, ls: LabelStudio, grid: Grid) -> int:
    """Sign the images of open pages again where they end soon, without those removed; how many pages.

    Pages that no one answered for a week are taken back.
    """
    with reading(settings) as session:
        pages = open_pages(session, grid.id)
        question = session.get_one(Attribute, grid.attribute_id).question
    where = {page.id: task_id for page in pages if (task_id := task_ids.page_address(page)) is not None}
    old = [where[page.id] for page in pages if page.id in where and page.created_at < now() - STALE]
    deleted = set(label_studio_queue.retire(ls, grid.project, old))
    due = [page for page in pages if page.signed_until < now() + RENEW and page.label_studio_task not in deleted]
    due = [page for page in due if page.id in where]
    signed = {page.id: _signed(settings, question, page.ticked, page.unticked, page.asset_pks) for page in due}
    done = set(room.renew(ls, grid.project, {where[page.id]: signed[page.id][1] for page in due}))
    vanished = {page.id for page in due if where[page.id].task not in done}
    with writing(settings) as session:
        for page in pages:
            if page.label_studio_task in deleted or page.id in vanished:
                task_ids.clear_id(session.get_one(GridPage, page.id))
        for page in due:
            if page.id not in vanished:
                session.get_one(GridPage, page.id).signed_until = signed[page.id][0]
    return len(done)


def retire_pages(settings: Settings, ls: LabelStudio, *which: ColumnElement[bool]) -> int:
    """Take away the pages ``which`` (of ``Grid`` and ``GridPage``) that wait and that no one has begun; how many.

    Those of a leaver, say, or those that ask what the question was before a revision.
    """
    pages = select(Grid.project, GridPage).join(GridPage, GridPage.grid_id == Grid.id)
    waiting: dict[int, list[Address]] = defaultdict(list)
    with reading(settings) as session:
        for project, page in session.execute(pages.where(GridPage.state == "open", *which)):
            task_id = task_ids.page_address(page)
            if task_id is not None:
                waiting[project].append(task_id)
    retired: dict[str, int] = {}
    for project, stale in waiting.items():
        with suppress(LabelStudioRefused):  # a project that someone deleted
            ids = set(label_studio_queue.retire(ls, project, stale))
            retired |= {stale_page.key: stale_page.task for stale_page in stale if stale_page.task in ids}
    with writing(settings) as session:
        for page in session.scalars(select(GridPage).where(GridPage.key.in_(retired))):
            task_ids.clear_id(page)
    return len(retired)


def repair_grid(settings: Settings, ls: LabelStudio, grid: Grid) -> bool:
    """Bring the project's view and webhook back to what they must be; whether anything was wrong."""
    before = Project(grid.project, grid.view, grid.webhook)
    address = hints.address(settings, hints.PAGES, grid.attribute_id, grid.expert_id)
    after = projects.repair(ls, before, address, load_secrets(settings.secrets).hint_secret)
    if after == before:
        return False
    with writing(settings) as session:
        row = session.get_one(Grid, grid.id)
        row.view, row.webhook = after.view, after.webhook
    return True


def link(settings: Settings, grid: Grid) -> str:
    """Where the expert answers the pages."""
    return projects.labelling_url(settings, grid.project, grid.view)
