"""What became of images that somebody sent by browser, for the person who sent them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from attune.labeler.assets import image_uris, uploads
from attune.labeler.jobs import failures, jobs
from attune.labeler.people.viewer import Viewer, may_see
from attune.labeler.records.paging import Page, page_of
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import PageImage, picture
from attune.models.errors import UnknownUpload

PAGE = 60
EXAMPLES = 20  # refused files that the page names for each reason
LATEST = 5
OPEN = ("queued", "running")


@dataclass(frozen=True)
class Reason:
    """Why some files were refused, how many, and the messages of the first of them."""

    name: str
    count: int
    messages: Sequence[str]


@dataclass(frozen=True)
class Sent:
    """One finished upload; ``state`` is that of its job, ``counts`` are empty until that is done."""

    ticket: str
    files: int
    sent_at: datetime
    state: str
    counts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """How many files were not taken."""
        return sum(self.counts.get("refused", {}).values())


@dataclass(frozen=True)
class Progress:
    """One upload in detail. ``embedded`` of ``to_embed`` images have a vector; ``unmade`` jobs of those failed."""

    sent: Sent
    done: int
    total: int
    error: str
    waits: bool  # no worker is there to take the files in
    reasons: Sequence[Reason]
    pictures: Page[PageImage]
    embedded: int
    to_embed: int
    embedding: bool
    unmade: int

    @property
    def is_open(self) -> bool:
        """Whether the page is to be looked at again by itself."""
        return self.sent.state in OPEN or self.embedding


def latest(settings: Settings, viewer: Viewer) -> list[Sent]:
    """The viewer's last finished uploads of this week, newest first."""
    folders = (settings.workspace / "uploads").glob(f"{viewer.user_id}-*/sent.json") if viewer.user_id else ()
    newest = sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[:LATEST]
    with reading(settings) as session:
        found = [(path.parent, session.get(Job, uploads.job_of(path.parent))) for path in newest]
    return [_sent(folder, job) for folder, job in found if job is not None and job.kind == uploads.KIND]


def progress(settings: Settings, viewer: Viewer, ticket: str, kept: Path, page: int = 1) -> Progress:
    """An upload of the viewer's; ``kept`` is where its images stay.

    Raises UnknownUpload where it is not theirs, is not finished, or is forgotten.
    """
    folder = uploads.folder_of(settings, viewer.user_id or 0, ticket)
    with reading(settings) as session:
        job = session.get(Job, uploads.job_of(folder) or "")
        if job is None or job.kind != uploads.KIND:
            raise UnknownUpload(uploads.GONE)
        sent = _sent(folder, job)
        mine = select(Asset).where(
            Asset.uri.startswith(image_uris.uri_of(f"{kept}/"), autoescape=True), may_see(viewer)
        )
        pictures = page_of(session, mine.order_by(Asset.id), page, PAGE).map(picture)
        wanted = select(Job).where(Job.id.in_(sent.counts.get("jobs", [])))
        work = list(session.scalars(wanted))
    waits = job.state == "queued" and not jobs.workers_alive(settings, uploads.KIND)
    to_embed = sum(len(one.arguments.get("batch", [])) for one in work)
    return Progress(
        sent, job.done, job.total, failures.shown(job.id, job.error), waits, _reasons(sent.counts), pictures,
        sum(len(one.arguments.get("batch", [])) if one.state == "done" else one.done for one in work), to_embed,
        any(one.state in OPEN for one in work), sum(one.state in {"failed", "lost"} for one in work),
    )  # fmt: skip


def _sent(folder: Path, job: Job) -> Sent:
    counts = job.result if job.state == "done" else {}
    sent_at = datetime.fromtimestamp((folder / "sent.json").stat().st_mtime, UTC)
    return Sent(folder.name.partition("-")[2], int(job.arguments.get("files", 0)), sent_at, job.state, counts or {})


def _reasons(counts: Mapping[str, Any]) -> list[Reason]:
    messages: dict[str, list[str]] = {}
    for one in counts.get("refusals", []):
        messages.setdefault(one["reason"], []).append(one["message"])
    return [Reason(name, count, messages.get(name, [])[:EXAMPLES]) for name, count in counts.get("refused", {}).items()]
