"""The clusters of the pool as a page shows them: each with its most typical images."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from attune.labeler.explore import clusters
from attune.labeler.people.viewer import Viewer, may_explore
from attune.labeler.records.paging import Page
from attune.labeler.records.schema import Asset, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.views.pictures import Picture, picture

PAGE = 24
TYPICAL = 5  # images that stand for a cluster
EXAMPLES = 4  # images that a new question begins with


@dataclass(frozen=True)
class Card:
    """One cluster: its most typical images, and the ids that a new question would begin with."""

    number: int
    size: int
    pictures: Sequence[Picture]
    examples: Sequence[str]


@dataclass(frozen=True)
class Board:
    """A page of clusters; ``made_at`` is None where none were made yet, ``job`` the one at work on new ones."""

    cards: Page[Card]
    assets: int
    assets_now: int
    made_at: datetime | None
    job: Job | None


def board(settings: Settings, viewer: Viewer, page: int = 1) -> Board:
    """The clusters that were last made, largest first."""
    made = clusters.load(settings)
    parts = made.parts if made else ()
    number = max(1, min(page, -(-len(parts) // PAGE) or 1))
    shown = parts[(number - 1) * PAGE : number * PAGE]
    with reading(settings) as session:
        wanted = [name for part in shown for name in part.asset_ids[: 2 * TYPICAL]]
        rows = session.scalars(select(Asset).where(Asset.asset_id.in_(wanted), may_explore(viewer)))
        known = {one.asset_id: picture(one) for one in rows}
        there = session.scalar(select(func.count()).select_from(Asset).where(Asset.removed_at.is_(None))) or 0
        at_work = select(Job).where(Job.kind == clusters.KIND, Job.state.in_(("queued", "running")))
        job = session.scalar(at_work.order_by(Job.created_at.desc()).limit(1))
    cards = [_card(part, known) for part in shown]
    found = Page(cards, number, PAGE, len(parts))
    return Board(found, made.assets if made else 0, there, made.made_at if made else None, job)


def _card(part: clusters.Part, known: dict[str, Picture]) -> Card:
    pictures = [known[name] for name in part.asset_ids[: 2 * TYPICAL] if name in known][:TYPICAL]
    return Card(part.number, part.size, pictures, [one.asset_id for one in pictures[:EXAMPLES]])


def question_command(examples: Sequence[str]) -> str:
    """The command that makes a question with these images as what counts."""
    given = " ".join(f"--in-scope {shlex.quote(name)}" for name in examples)
    return f"attune attribute create NAME --question '…' --classes yes,no {given}"
