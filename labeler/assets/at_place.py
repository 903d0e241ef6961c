"""The images of the pool that lie at a place, and what is told before all of them are removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from attune.labeler.assets import image_uris
from attune.labeler.records.schema import Annotation, Asset
from attune.labeler.records.session import migrate, reading
from attune.labeler.settings import Settings
from attune.models.errors import UnknownAsset
from attune.models.text import plural

NAMED = 5  # folders, in one sentence


@dataclass(frozen=True)
class AtPlace:
    """Asset ids ``there``, and ``left_over``: removed before, but a kill came before all of it was done.

    ``folders`` are pairs of a folder and how many of ``there`` it has, most first; ``answered`` of them have answers.
    """

    uri: str
    there: Sequence[str]
    left_over: Sequence[str]
    folders: Sequence[tuple[str, int]]
    answered: int

    def sentence(self) -> str:
        """What would be removed, as people read it before they say yes."""
        named = ", ".join(f"{folder} ({count:,})" for folder, count in self.folders[:NAMED])
        if others := self.folders[NAMED:]:
            named += f" and {plural(len(others), 'other folder')} ({sum(count for _, count in others):,})"
        answers = f" {self.answered:,} of them {'has' if self.answered == 1 else 'have'} answers, which are kept."
        return (
            f"This removes {plural(len(self.there), 'image')} from the pool, whenever they were added: {named}."
            f"{answers if self.answered else ''} Their values from asset tables are deleted."
        )


def at_place(settings: Settings, place: str) -> AtPlace:
    """The images at ``place``: a file, a folder or an address, as `assets add` was given it.

    Raises UnknownAsset where there are none.
    """
    migrate(settings)
    uri = image_uris.absolute(place)
    here = (Asset.uri == uri) | Asset.uri.startswith(f"{uri.rstrip('/')}/", autoescape=True)
    with reading(settings) as session:
        columns = select(Asset.asset_id, Asset.uri, Asset.removed_at).where(here).order_by(Asset.id)
        rows = session.execute(columns).all()
        asked = select(func.count(Annotation.asset_pk.distinct())).join(Asset, Asset.id == Annotation.asset_pk)
        living = here, Asset.removed_at.is_(None), Annotation.deleted_at.is_(None)
        answered = session.scalar(asked.where(*living)) or 0
    if not rows:
        raise UnknownAsset(
            f"No image of the pool lies at {uri}. Nothing was removed. To see where they are: `attune assets list`"
        )
    folders = Counter(where.rpartition("/")[0] or "/" for _, where, removed in rows if removed is None)
    there = [asset_id for asset_id, _, removed in rows if removed is None]
    left_over = [asset_id for asset_id, _, removed in rows if removed is not None]
    return AtPlace(uri, there, left_over, folders.most_common(), answered)
