"""What is known of a cluster that has no words: what its images are most unlike the others in, and what it is near.

Each is a fact about these images, counted or measured, and no test: descriptions (`cluster_described`) are tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.orm import Session

from attune.labeler.assets.title_names import NAME_COLUMNS
from attune.labeler.measured import values
from attune.labeler.people.viewer import Viewer
from attune.labeler.records.schema import Asset, Cluster
from attune.labeler.settings import Settings
from attune.labeler.spaces.members import Members

HERE, OTHERS = 1000, 2000  # images that are compared, at most; drawn by the clustering's number
MOST_VALUES = 40  # different values of a column that says something of groups of images
LEAST_DIFFERENCE, LEAST_IMAGES = 0.15, 5
CLEARLY = 0.75  # of the images, on one side of the middle of the others
MEASURED = {
    "brightness": ("darker", "lighter"),
    "warmth": ("cooler in colour", "warmer in colour"),
    "saturation": ("paler", "stronger in colour"),
    "contrast": ("softer in contrast", "harder in contrast"),
    "empty_space": ("fuller", "emptier"),
}


def unlike(
    settings: Settings, session: Session, viewer: Viewer, held: Members, one: Cluster, seed: int, columns: bool = True
) -> list[str]:
    """Sentences on what the images of ``one`` are most unlike those of the other clusters in; maybe none.

    Nothing of the asset table without ``columns``, or for experts: no column of it is theirs to read.
    """
    draw = np.random.default_rng(seed)
    mine = held.of(one.place)
    rest = held.keys[held.places != one.place]
    here, others = (draw.permutation(keys)[:most].tolist() for keys, most in ((mine, HERE), (rest, OTHERS)))
    if not others:
        return []
    there = (Asset.id.in_([*here, *others]), Asset.removed_at.is_(None))
    rows = session.execute(select(Asset.id, Asset.asset_id, Asset.columns).where(*there)).all()
    mine_only = set(here)
    inside = [row for row in rows if row.id in mine_only]
    outside = [row for row in rows if row.id not in mine_only]
    told = columns and viewer.manages
    of = f"{HERE:,} drawn images" if len(mine) > HERE else "these images"
    than = f"{OTHERS:,} drawn others" if len(rest) > OTHERS else "the others"
    said = _column([row.columns for row in inside], [row.columns for row in outside], of, than) if told else ""
    measured = _measured(settings, [row.asset_id for row in inside], [row.asset_id for row in outside], of, than)
    return [line for line in (said, *measured) if line]


def nearest_named(one: Cluster, clusters: Iterable[Cluster], words: Mapping[int, str]) -> str:
    """The nearest cluster that has a name or words, as a sentence; empty where none has. ``words`` by number."""
    names = {other.number: other.name or words.get(other.number, "") for other in clusters}
    found = next((number for number in one.near if names.get(number)), None)
    return "" if found is None else f"Nearest to cluster {found}, “{names[found].rstrip('.')}”."


def percent(share: float) -> str:
    """``share`` in [0, 1] in whole percent: 100 % and 0 % only where it is all or none of them.

    >>> percent(0.996), percent(1.0), percent(0.004)
    ('over 99 %', '100 %', 'under 1 %')
    """
    if 0.995 <= share < 1:
        return "over 99 %"
    return "under 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def _column(inside: Sequence[Mapping[str, object]], outside: Sequence[Mapping[str, object]], of: str, than: str) -> str:
    """The value of a column whose share differs most; empty where none differs much."""
    best, said = LEAST_DIFFERENCE, ""
    for name in sorted({key for row in inside for key in row if key.casefold() not in NAME_COLUMNS}):
        here, there = (_counted(rows, name) for rows in (inside, outside))
        if not 2 <= len(here | there) <= MOST_VALUES:
            continue
        for value, count in here.items():
            share, rest = count / len(inside), there[value] / max(len(outside), 1)
            if count >= LEAST_IMAGES and share - rest > best:
                best = share - rest
                said = (
                    f"The column {name} is “{value}” for {percent(share)} of {of}, and for {percent(rest)} of {than}."
                )
    return said


def _counted(rows: Sequence[Mapping[str, object]], name: str) -> Counter[str]:
    return Counter(str(row[name]) for row in rows if row.get(name) not in (None, ""))


def _measured(settings: Settings, inside: Sequence[str], outside: Sequence[str], of: str, than: str) -> list[str]:
    """On which side of the others' middle most of the images are, by measured features; none were measured: nothing."""
    kept = values.newest(settings)
    if kept is None:
        return []
    table = kept.read(tuple(MEASURED))
    table = table.filter(pc.is_in(table["asset_id"], value_set=pa.array([*inside, *outside])))
    place = {name: row for row, name in enumerate(table["asset_id"].to_pylist())}
    here, there = (np.array([place[name] for name in ids if name in place], np.intp) for ids in (inside, outside))
    if len(here) < LEAST_IMAGES or not len(there):
        return []
    lines = []
    for name, sides in MEASURED.items():
        shares = _beside_middle(table[name].to_numpy().astype(np.float64), here, there)
        most = max(shares)
        if most >= CLEARLY:
            word = sides[shares.index(most)]
            lines.append(f"{percent(most)} of {of} are {word} than the middle of {than}.")
    return lines


def _beside_middle(
    column: npt.NDArray[np.float64], here: npt.NDArray[np.intp], there: npt.NDArray[np.intp]
) -> tuple[float, float]:
    """The shares of the rows ``here`` below and above the median of those ``there``; who is equal to it is neither."""
    mine, rest = (rows[~np.isnan(rows)] for rows in (column[here], column[there]))
    if not len(mine) or not len(rest):
        return 0.0, 0.0
    middle = np.median(rest)
    return float((mine < middle).mean()), float((mine > middle).mean())
