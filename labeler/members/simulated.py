"""Made-up members as files: what they watch, and which artwork they take. Both files say that they are made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from attune.labeler.performance.columns import SIMULATED
from attune.models.files.atomic import atomic_writer
from attune.models.insights.simulate import named
from attune.models.members.simulate import Simulated, World, simulate

VIEWING, RESPONSES = "viewing.parquet", "responses.parquet"
MEMBERS, GROUPS, TITLES = 3000, 3, 120  # enough for artwork of a group, and read in seconds


def write(folder: Path, seed: int, titles: int, images: int) -> World:
    """Write what made-up members did with the first of ``titles``, each with ``images``; the world they live in.

    Titles and images have the names that made-up performance gives them.
    """
    world = World(members=MEMBERS, groups=GROUPS, titles=min(titles, TITLES), images=images)
    made = simulate(world, seed)
    who, title = made.views.nonzero()
    _put(folder / VIEWING, {"member": named("member", who), "title_id": named("title", title)}, seed)
    _put(folder / RESPONSES, _responses(made), seed)
    return world


def _responses(made: Simulated) -> dict[str, npt.NDArray[Any]]:
    """A row for each member and title: the one image that chance showed."""
    who, asset = made.impressions.nonzero()
    return {
        "member": named("member", who), "asset_id": named("asset", asset),
        "title_id": named("title", made.title[asset]),
        "arm": np.full(len(who), "explore"), "impressions": made.impressions[who, asset].astype(np.int64),
        "takes": made.takes[who, asset].astype(np.int64),
    }  # fmt: skip


def _put(path: Path, columns: Mapping[str, npt.NDArray[Any]], seed: int) -> None:
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    with atomic_writer(path) as file:
        pq.write_table(table.replace_schema_metadata({SIMULATED: str(seed).encode()}), file)
