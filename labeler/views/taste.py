"""The taste space for owners: the columns that it can be learned from, and whether the newest version is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from attune.labeler.explore import search
from attune.labeler.records.schema import SpaceVersion
from attune.labeler.spaces import learned
from attune.labeler.views.explore_jobs import Progress, progress
from attune.models.catalog.manifest import CHAMPION
from attune.models.similarity.network_words import AGAINST, BETTER, verdict

USUAL = "genre"
UNMEASURED = "Too few titles have a value there, so nobody knows whether it is better than looks alone."


@dataclass(frozen=True)
class Taste:
    """``columns`` to learn from, the likeliest first; the ``newest`` version, 0 where there is none, the ``column`` it
    was learned from, and how good it is in ``words``. ``used``: the champion, 0 where there is none."""

    columns: Sequence[str]
    job: Progress
    newest: int = 0
    column: str = ""
    words: str = ""
    better: bool = False
    used: int = 0


def taste(session: Session) -> Taste:
    """What owners decide about the space that *Same taste* compares by."""
    columns = sorted(search.columns_of(session), key=lambda name: (name != USUAL, name))
    job = progress(session, (learned.KIND,))
    newest: SpaceVersion | None = next(iter(learned.versions(session, learned.TASTE)), None)
    if newest is None:
        return Taste(columns, job)
    words, better = compared(newest.manifest.get("measures") or {}, str(newest.manifest["column"]))
    used = learned.aliases(session, learned.TASTE).get(CHAMPION, 0)
    return Taste(columns, job, newest.version, str(newest.manifest["column"]), words, better, used)


def compared(measures: Mapping[str, Any], column: str) -> tuple[str, bool]:
    """The space beside looks alone, on titles that it did not learn from: two sentences, and whether it is better.

    ``measures`` are those of ``models.similarity.space_measures.compare``. Better is said only where the two 95 %
    intervals do not meet. A network that was trained must also beat the projection, by the paired interval.
    """
    if not measures:
        return UNMEASURED, False
    mine, raw = measures["space"]["precision"], measures["raw"]["precision"]
    told = (
        f"Of 10 posters that it finds similar, about {10 * mine['value']:.1f} have the same {column}. By looks alone "
        f"it is {10 * raw['value']:.1f}, on the same {measures['images']:,} images. It did not learn from their titles."
    )
    if AGAINST in measures:
        found = verdict(measures[AGAINST]["precision"])
        told += f" Its network was trained; beside the plain way to learn, on the same images: {found}."
        if found != BETTER:
            return f"It is not clearly better than the plain way to learn. {told}", False
    if mine["lo"] > raw["hi"]:
        return f"It is clearly better than looks alone. {told}", True
    return f"It is not clearly better than looks alone. {told}", False
