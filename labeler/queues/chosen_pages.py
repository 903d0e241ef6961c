"""Pages of images that a person chose and answers at once, told from those of the learner by their keys.

A page's key is a UUID: a random one (version 4) where the learner chose the images, one made from the person's batch
(version 5) where a person did. So the mark goes with the page through Label Studio and back, and to send a batch again
finds the pages that are there.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Integer, Select, cast, select, true

from attune.labeler.records.schema import Grid, GridPage
from attune.labeler.records.types import elements

PAGE = 48  # images on one page: as many as Explore shows
BATCHES = UUID("5b0f3f3e-6d2c-4c1e-9a55-3f1c8a0d9e21")


def keys(attribute_id: int, expert_id: int, batch: UUID, images: int) -> list[str]:
    """The keys of the pages that a batch of at most ``images`` images can have, first page first."""
    name = f"{attribute_id}:{expert_id}:{batch}"
    return [uuid5(BATCHES, f"{name}:{number}").hex for number in range(-(-images // PAGE))]


def is_chosen() -> ColumnElement[bool]:
    """The condition on ``GridPage`` that a person chose its images: the thirteenth digit of a UUID is its version."""
    return GridPage.key.like("_" * 12 + "5%")


def assets(attribute_id: int) -> Select[int, int]:
    """Pairs (key of an asset, expert) of all images that experts chose and answered at once, taken back or not."""
    key = elements(GridPage.asset_pks).table_valued("value")
    rows = select(cast(key.c.value, Integer).label("asset"), Grid.expert_id.label("expert")).select_from(GridPage)
    mine = (Grid.attribute_id == attribute_id, is_chosen())
    return rows.join(Grid, Grid.id == GridPage.grid_id).join(key, true()).where(*mine).correlate(None)
