"""Titles that an owner gave to images that look alike: an asset table that is added again does not take them away."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.records.schema import Asset, LookAlike

TITLE = "title"  # the kind of decision


class GivenTitles:
    """The decisions about titles that hold, read once they are asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def _by_asset(self) -> Mapping[int, list[LookAlike]]:
        """Of each image its decisions, the oldest first."""
        found: dict[int, list[LookAlike]] = {}
        there = select(LookAlike).where(LookAlike.kind == TITLE, LookAlike.undone_at.is_(None))
        for row in self._session.scalars(there.order_by(LookAlike.id)):
            for key in row.asset_pks:
                found.setdefault(int(key), []).append(row)
        return found

    def keeps(self, asset: Asset, title: str) -> bool:
        """Whether ``asset`` keeps its title beside another one of an asset table, as somebody gave it.

        To undo the decision then gives the table's ``title``.
        """
        given = self._by_asset.get(asset.id, [])
        if asset.title_id == title or not given or given[-1].title != asset.title_id:
            return False
        given[0].titles_before = {**given[0].titles_before, str(asset.id): title}
        return True
