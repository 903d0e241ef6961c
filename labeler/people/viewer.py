"""Who looks, and what they may see of an asset: one check that every picture and answer passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, and_, cast, false, or_, select, true, union_all

from attune.labeler.answers import counting
from attune.labeler.queues import chosen_pages
from attune.labeler.records.schema import Annotation, Asset, Clustering, Grid, GridPage, Pick, Queue, Task
from attune.labeler.records.types import elements
from attune.models.clock import now
from attune.models.errors import AccessError

TASTE = "taste"  # the space that was learned from a column
MANAGERS = frozenset({"owner", "admin"})
LEFT_ALONE = timedelta(days=1)  # an own answer, before its expert may compare it with others
TOLD_EVERY = 20  # answers of all experts together to what was asked, between two figures that those who label read


@dataclass(frozen=True)
class Viewer:
    """A person or machine with a role: expert, owner, admin or pipeline."""

    role: str
    name: str
    expert_id: int | None = None
    user_id: int | None = None

    @property
    def manages(self) -> bool:
        """Whether this viewer answers for attributes, and so sees all of them."""
        return self.role in MANAGERS


def may_see(viewer: Viewer, assets: Sequence[int] | Select[int] | None = None) -> ColumnElement[bool]:
    """The condition on ``Asset`` under which ``viewer`` may see it; ``assets`` as for `may_compare`.

    No one sees a removed asset; an expert sees what was put into a queue of theirs, or what they have answered.
    """
    there = Asset.removed_at.is_(None)
    if viewer.role != "expert":
        return there
    asked_assets = (
        select(Task.asset_pk).join(Queue, Queue.id == Task.queue_id).where(Queue.expert_id == viewer.expert_id)
    )
    answered = _answered(viewer)
    if assets is not None:
        asked_assets, answered = (
            asked_assets.where(Task.asset_pk.in_(assets)), answered.where(Annotation.asset_pk.in_(assets))
        )  # fmt: skip
    return and_(there, or_(Asset.id.in_(asked_assets), Asset.id.in_(answered)))


def may_explore(viewer: Viewer) -> ColumnElement[bool]:
    """The condition on ``Asset`` under which ``viewer`` finds it in Explore: the pool, for all who label or manage it.

    Any image of the pool may be put to an expert, so searching shows none that labelling would not.
    """
    there = Asset.removed_at.is_(None)
    return there if explores(viewer) else and_(there, false())


def explores(viewer: Viewer) -> bool:
    """Whether ``viewer`` finds images in Explore at all."""
    return viewer.role in MANAGERS | {"expert"}


def check_filter(viewer: Viewer, column: str) -> None:
    """Raise AccessError where ``viewer`` may not find images by a ``column`` of the asset table, if any is named.

    A table may bring labels or scores along: whoever asks by them reads them, and should answer without.
    """
    if column and not viewer.manages:
        raise AccessError(
            f"You filtered by the column {column[:80]!r}. Only owners and admins can filter by columns, because a "
            "column can hold earlier labels. Filter by title instead."
        )


def check_space(viewer: Viewer, space: str) -> None:
    """Raise AccessError where ``viewer`` may not see the pool by what was learned from columns of the asset table."""
    if space == TASTE and not viewer.manages:
        raise AccessError(
            "Only owners and admins can compare images by taste, because the space is learned from a column that can "
            "hold earlier labels. Compare how they look, or their colours."
        )


def may_open(viewer: Viewer) -> ColumnElement[bool]:
    """The condition on ``Clustering`` under which ``viewer`` may see it: as ``check_space``, with what is inside."""
    if viewer.manages:
        return true()
    return and_(Clustering.space != TASTE, Clustering.scope.not_like(f"%/{TASTE}:%"))


def check_clustering(viewer: Viewer, row: Clustering) -> None:
    """Raise AccessError where ``viewer`` may not see a clustering: one of taste, or inside a cluster of taste."""
    check_space(viewer, TASTE if f"/{TASTE}:" in row.scope else row.space)


def may_compare(
    viewer: Viewer, attribute_id: int, assets: Sequence[int] | Select[int] | None = None
) -> ColumnElement[bool]:
    """The condition on ``Asset`` under which ``viewer`` may see what others answered on it.

    ``assets``: the keys that are asked about, where they are known: of an expert's ten thousand answers no other is
    read.

    An expert must have answered first, and have left the answer as it is for a day: to read the others' answers before
    would teach them to agree, and whoever reads them could answer anew. What they say after it is shown and trains; the
    first answer alone measures quality and agreement (``answers.first_answers``). What experts chose for their own
    queue, or answered by choice, is left out, too: whoever answers it may look, take the answer back, and answer anew.
    Those who manage see all, less what waits in a queue of their own: a second opinion is asked about just such images.
    """
    if viewer.role != "expert":
        return and_(may_see(viewer), Asset.id.not_in(waiting(viewer)))
    own = counting.answers([attribute_id], [viewer.expert_id or 0], assets=assets).c
    left = select(own.asset_pk).where(own.updated_at < now() - LEFT_ALONE)
    return and_(Asset.removed_at.is_(None), Asset.id.in_(left), Asset.id.not_in(own_choice(viewer, attribute_id)))


def own_choice(viewer: Viewer, attribute_id: int) -> CompoundSelect[int]:
    """Assets that ``viewer`` chose for the own queue, or answered by choice, taken back or not."""
    mine = (Pick.attribute_id == attribute_id, Pick.expert_id == viewer.expert_id, Pick.who == viewer.name)
    batches = chosen_pages.assets(attribute_id).subquery()
    at_once = select(batches.c.asset).where(batches.c.expert == viewer.expert_id)
    return union_all(select(Pick.asset_pk).where(*mine).correlate(None), at_once.correlate(None))


def waiting(viewer: Viewer) -> CompoundSelect[int]:
    """Assets that stand in a queue of the viewer's, or on a page of theirs, and were not answered yet."""
    asked = select(Task.asset_pk).join(Queue, Queue.id == Task.queue_id)
    # What a stopped queue gave back may come again once it is started.
    comes = (Task.state == "open") | ((Task.state == "retired") & Queue.stopped_at.is_not(None))
    asked = asked.where(Queue.expert_id == viewer.expert_id, comes).correlate(None)
    key = elements(GridPage.asset_pks).table_valued("value")
    pages = select(cast(key.c.value, Integer)).select_from(GridPage).join(Grid, Grid.id == GridPage.grid_id)
    mine = (Grid.expert_id == viewer.expert_id, Grid.closed_at.is_(None), GridPage.state == "open")
    return union_all(asked, pages.join(key, true()).where(*mine).correlate(None))


def _answered(viewer: Viewer) -> Select[int]:
    """Assets that the viewer has answered. Not correlated: one pass over the viewer's own rows, whatever the pool."""
    return select(Annotation.asset_pk).where(Annotation.expert_id == viewer.expert_id).correlate(None)
