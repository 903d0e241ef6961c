"""How long pages took on which nothing was ticked and no tick says nothing: they leave no answer that could tell.

Without them the pages that were quickest to look through would be missing from what a page is expected to take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from attune.labeler.label_studio.grid_project import Ticks
from attune.labeler.records.schema import Attribute, GridPage
from attune.models.query.page_value import TimedPage

KEY = "tickless_pages"  # in `attribute.settings`
NEWEST = 100  # pages that are kept


def follow(session: Session, attribute_id: int, page: GridPage, ticks: Ticks | None, seconds: Any) -> None:
    """Keep how many ``seconds`` the whole ``page`` took where ``ticks`` say nothing of its images; else forget it, as
    its answers have seconds of their own. A page that was skipped (None) tells nothing of a look."""
    attribute = session.get_one(Attribute, attribute_id)
    held = _held(attribute)
    others = {key: one for key, one in held.items() if key != page.key}
    is_looked_through = ticks is not None and not (ticks.ticked or ticks.unsure or ticks.left)
    if is_looked_through and page.unticked is None and page.asset_pks and isinstance(seconds, int | float):
        others = dict([*others.items(), (page.key, [float(seconds), len(page.asset_pks)])][-NEWEST:])
    if others != held:
        attribute.settings = attribute.settings | {KEY: others}


def timed(session: Session, attribute_id: int, longest: float) -> list[TimedPage]:
    """These pages as `answer_seconds.timed_pages` has the others, less those that took over ``longest`` an image."""
    pages = [(seconds / images, images) for seconds, images in _held(session.get_one(Attribute, attribute_id)).values()]
    return [TimedPage(each, images, 0) for each, images in pages if 0 < each <= longest]


def _held(attribute: Attribute) -> Mapping[str, Sequence[Any]]:
    return attribute.settings.get(KEY) or {}
