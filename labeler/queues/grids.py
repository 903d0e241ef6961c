"""Pages of images that an expert answers at once: the project beside the queue, its pages, and their addresses."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from filelock import FileLock
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from attune.labeler.answers import hints, task_ids
from attune.labeler.assets.media import media_url
from attune.labeler.attributes import attributes
from attune.labeler.label_studio import grid_project as room
from attune.labeler.label_studio import members, projects
from attune.labeler.label_studio import queue_tasks as label_studio_queue
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.task_address import Address
from attune.labeler.people import end_access
from attune.labeler.records.schema import Asset, Attribute, Expert, Grid, GridPage, new_key
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.settings.secrets import load as load_secrets
from attune.models.clock import now
from attune.models.errors import LabelStudioRefused

SIZE = 16  # images on one page
AHEAD = 3  # pages made at a time for a question with two classes; with more classes one of each
RENEW = timedelta(days=2)  # an address that ends sooner is signed anew
STALE = timedelta(days=7)  # a page that nobody answered for so long gives its images back
PATIENCE_SECONDS = 60


def held(session: Session, attribute_id: int, expert_id: int) -> Grid | None:
    """The expert's project for pages on an attribute, if there is one."""
    return session.scalar(select(Grid).where(Grid.attribute_id == attribute_id, Grid.expert_id == expert_id))


def open_pages(session: Session, grid_id: int) -> list[GridPage]:
    """Pages that wait for an answer, oldest first."""
    waiting = select(GridPage).where(GridPage.grid_id == grid_id, GridPage.state == "open")
    return list(session.scalars(waiting.order_by(GridPage.id)))


def offered(session: Session, attribute_id: int) -> set[int]:
    """Keys of the assets that stand on open pages of an attribute: nobody is asked about them meanwhile.

    A leaver's pages wait for nobody.
    """
    rows = select(GridPage.asset_pks).join(Grid, Grid.id == GridPage.grid_id).join(Expert, Expert.id == Grid.expert_id)
    mine = (Grid.attribute_id == attribute_id, GridPage.state == "open", Expert.removed_at.is_(None))
    return {int(key) for keys in session.scalars(rows.where(*mine)) for key in keys}


def current(session: Session, farewell: timedelta = timedelta(0)) -> list[Grid]:
    """The projects of experts who have not left, or not longer ago than ``farewell``, oldest first."""
    here = or_(Expert.removed_at.is_(None), Expert.removed_at > now() - farewell)
    wanted = select(Grid).join(Expert, Expert.id == Grid.expert_id).where(here)
    return list(session.scalars(wanted.where(Grid.closed_at.is_(None)).order_by(Grid.id)))


def ensure(settings: Settings, ls: LabelStudio, attribute: Attribute, expert: Expert) -> Grid:
    """The expert's project for pages, made when first needed; one maker a workspace at a time."""
    with FileLock(settings.workspace / "grids.lock", timeout=PATIENCE_SECONDS):
        with reading(settings) as session:
            found = held(session, attribute.id, expert.id)
        if found is not None:
            return found
        secrets = load_secrets(settings.secrets)
        title, label = f"{attribute.name} · {expert.name} · pages", mark(secrets.webhook_secret, attribute, expert)
        orphan = projects.find(ls, title, label)
        if orphan is not None:  # a killed maker's
            projects.delete(ls, Project(orphan, 0, None))
        address = hints.address(settings, hints.PAGES, attribute.id, expert.id)
        made = room.create(
            ls, title, attributes.instruction(attribute, pages=True), address, secrets.hint_secret, label
        )
        with writing(settings) as session:
            session.execute(update(Grid).where(Grid.project == made.id).values(project=-Grid.id))
            row = Grid(attribute_id=attribute.id, expert_id=expert.id, project=made.id, view=made.view)
            row.webhook, row.created_at = made.webhook, now()
            session.add(row)
        with reading(settings) as session:
            members.put(ls, {made.id: [expert.email] if end_access.is_in(session, expert.email) else []})
        return row


def mark(secret: str, attribute: Attribute, expert: Expert) -> str:
    """What the project for an expert's pages is known by in Label Studio, as `queues.mark`."""
    key = f"grid:{attribute.id}:{expert.id}:{attribute.created_at.isoformat()}"
    return f"attune-{hmac.digest(secret.encode(), key.encode(), 'sha256').hex()[:32]}"


def add(
    settings: Settings,
    ls: LabelStudio,
    grid: Grid,
    question: str,
    ticked: str,
    unticked: str | None,
    keys: Sequence[int],
) -> GridPage:
    """Put a page of the assets ``keys`` before the expert, in that order.

    Killed in between, Label Studio has a page that the records lack: its answer brings the page along.
    """
    until, data = _signed(settings, question, ticked, unticked, keys)
    key = new_key()
    task = room.add(ls, grid.project, data, key)
    with writing(settings) as session:
        page = session.scalar(select(GridPage).where(GridPage.key == key))
        if page is None:  # unless its answer was here sooner
            page = GridPage(grid_id=grid.id, key=key, ticked=ticked, unticked=unticked, state="open")
            task_ids.claim(session, page, task)
            page.asset_pks, page.signed_until, page.created_at = [int(key) for key in keys], until, now()
            session.add(page)
    return page


def _signed(
    settings: Settings, question: str, ticked: str, unticked: str | None, keys: Sequence[int]
) -> tuple[datetime, dict[str, object]]:
    """When the addresses end, and the data of a page with the images that may still be shown."""
    secrets = load_secrets(settings.secrets)
    with reading(settings) as session:
        rows = session.execute(select(Asset.id, Asset.asset_id).where(Asset.id.in_(keys), Asset.removed_at.is_(None)))
        names = dict(rows.all())
    shown = [(key, *media_url(settings, secrets, names[key], now())) for key in keys if key in names]
    until = min((end for _, _, end in shown), default=now())
    return until, room.page_data(question, ticked, unticked, [(key, address) for key, address, _ in shown])


def renew(settings: Settings, ls: LabelStudio, grid: Grid) -> int:
    """Sign the images of open pages anew where they end soon, without those removed; how many pages.

    Pages that nobody answered for a week are taken back.
    """
    with reading(settings) as session:
        pages = open_pages(session, grid.id)
        question = session.get_one(Attribute, grid.attribute_id).question
    where = {page.id: found for page in pages if (found := task_ids.of_page(page)) is not None}
    old = [where[page.id] for page in pages if page.id in where and page.created_at < now() - STALE]
    gone = set(label_studio_queue.retire(ls, grid.project, old))
    due = [page for page in pages if page.signed_until < now() + RENEW and page.label_studio_task not in gone]
    due = [page for page in due if page.id in where]
    signed = {page.id: _signed(settings, question, page.ticked, page.unticked, page.asset_pks) for page in due}
    done = set(room.renew(ls, grid.project, {where[page.id]: signed[page.id][1] for page in due}))
    vanished = {page.id for page in due if where[page.id].task not in done}
    with writing(settings) as session:
        for page in pages:
            if page.label_studio_task in gone or page.id in vanished:
                task_ids.leave(session.get_one(GridPage, page.id))
        for page in due:
            if page.id not in vanished:
                session.get_one(GridPage, page.id).signed_until = signed[page.id][0]
    return len(done)


def take_back(settings: Settings, ls: LabelStudio, *which: ColumnElement[bool]) -> int:
    """Take away the pages ``which`` (of ``Grid`` and ``GridPage``) that wait and that nobody has begun; how many.

    Those of a leaver, say, or those that ask what the question was before a revision.
    """
    pages = select(Grid.project, GridPage).join(GridPage, GridPage.grid_id == Grid.id)
    waiting: dict[int, list[Address]] = defaultdict(list)
    with reading(settings) as session:
        for project, page in session.execute(pages.where(GridPage.state == "open", *which)):
            found = task_ids.of_page(page)
            if found is not None:
                waiting[project].append(found)
    gone: dict[str, int] = {}
    for project, stale in waiting.items():
        with suppress(LabelStudioRefused):  # a project that somebody deleted
            ids = set(label_studio_queue.retire(ls, project, stale))
            gone |= {one.key: one.task for one in stale if one.task in ids}
    with writing(settings) as session:
        for page in session.scalars(select(GridPage).where(GridPage.key.in_(gone))):
            task_ids.leave(page)
    return len(gone)


def mend(settings: Settings, ls: LabelStudio, grid: Grid) -> bool:
    """Bring the project's view and webhook back to what they must be; whether anything was wrong."""
    before = Project(grid.project, grid.view, grid.webhook)
    address = hints.address(settings, hints.PAGES, grid.attribute_id, grid.expert_id)
    after = projects.mend(ls, before, address, load_secrets(settings.secrets).hint_secret)
    if after == before:
        return False
    with writing(settings) as session:
        row = session.get_one(Grid, grid.id)
        row.view, row.webhook = after.view, after.webhook
    return True


def link(settings: Settings, grid: Grid) -> str:
    """Where the expert answers the pages."""
    return projects.labelling_url(settings, grid.project, grid.view)
