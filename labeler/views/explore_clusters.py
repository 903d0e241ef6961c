"""The clusters of the pool as a page shows them: each with its most typical images."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attune.labeler.explore import clusters
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.paging import Page
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces.words import changed, fewer
from attune.labeler.views.pictures import PageImage, picture

PAGE = 24
TYPICAL = 5  # images that stand for a cluster
EXAMPLES = 4  # images that a new question begins with


@dataclass(frozen=True)
class Card:
    """One cluster: its most typical images, and the ids that a new question would begin with."""

    number: int
    size: int
    name: str
    loose: bool
    pictures: Sequence[PageImage]
    examples: Sequence[str]


@dataclass(frozen=True)
class ClustersPage:
    """A page of clusters; ``made_at`` is None where none were made yet, ``job`` the one at work on new ones.

    ``fewer`` says that there are fewer clusters than asked for, ``changes`` what became of the clusters before.
    """

    cards: Page[Card]
    assets: int
    assets_now: int
    made_at: datetime | None
    job: Job | None
    fewer: Sequence[str] = ()
    changes: Sequence[str] = ()


def clusters_page(settings: Settings, viewer: Viewer, page: int = 1) -> ClustersPage:
    """The clusters that were last made, largest first."""
    saved = clusters.load(settings)
    parts = saved.parts if saved else ()
    number = max(1, min(page, -(-len(parts) // PAGE) or 1))
    shown_parts = parts[(number - 1) * PAGE : number * PAGE]
    with reading(settings) as session:
        asset_ids = [name for part in shown_parts for name in part.asset_ids[: 2 * TYPICAL]]
        rows = session.scalars(select(Asset).where(Asset.asset_id.in_(asset_ids), may_explore(viewer)))
        images = {asset.asset_id: picture(asset) for asset in rows}
        there = session.scalar(select(func.count()).select_from(Asset).where(Asset.removed_at.is_(None))) or 0
        job = job_at_work(session)
    cards = [_card(part, images) for part in shown_parts]
    card_page = Page(cards, number, PAGE, len(parts))
    if saved is None:
        return ClustersPage(card_page, 0, there, None, job)
    notes = fewer(saved.k, len(parts)), changed(saved.changes)
    return ClustersPage(card_page, saved.assets, there, saved.made_at, job, *notes)


def job_at_work(session: Session) -> Job | None:
    """The job that makes new clusters, if one waits or runs."""
    at_work = select(Job).where(Job.kind == clusters.KIND, Job.state.in_(("queued", "running")))
    return session.scalar(at_work.order_by(Job.created_at.desc()).limit(1))


def _card(part: clusters.Part, images: dict[str, PageImage]) -> Card:
    pictures = [images[name] for name in part.asset_ids[: 2 * TYPICAL] if name in images][:TYPICAL]
    return Card(part.number, part.size, part.name, part.loose, pictures, [one.asset_id for one in pictures[:EXAMPLES]])


def question_command(examples: Sequence[str]) -> str:
    """The command that makes a question with these images as what counts."""
    given = " ".join(f"--in-scope {shlex.quote(name)}" for name in examples)
    return f"attune attribute create NAME --question '…' --classes yes,no {given}"
