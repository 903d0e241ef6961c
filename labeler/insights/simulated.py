"""Made-up performance as files: what tests, documents and the demo import, with a page that says what is true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from attune.labeler.insights.amounts import change
from attune.labeler.members import simulated as members
from attune.labeler.performance.columns import SIMULATED
from attune.models.errors import DataError
from attune.models.files.atomic import atomic_writer, write_bytes, write_json
from attune.models.insights.simulate import Simulated, World, simulate
from attune.models.insights.simulate_pool import Truth
from attune.models.members.simulate import World as Members

PERFORMANCE, TRUTH, README = "performance.parquet", "truth.json", "README.md"
YES, NO = "yes", "no"
# What a world may be without, and the fields that say so.
WITHOUT: dict[str, dict[str, Any]] = {
    "confounding": {"confounding": 0.0},
    "bandit": {"bandit": False},
    "errors": {"apart": 20.0},
}


@dataclass(frozen=True, eq=False)
class Feature:
    """A feature's file: which of ``asset_ids`` (a,) have it, 1 or 0."""

    name: str
    asset_ids: npt.NDArray[np.str_]
    has: npt.NDArray[np.float64]


def world(titles: int, without: Sequence[str] = ()) -> World:
    """A world of ``titles``, without some of its traps."""
    return World(titles=titles, **{name: value for one in without for name, value in WITHOUT[one].items()})


def write(folder: Path, seed: int, made: World) -> Simulated:
    """Simulate ``made`` and write it to ``folder``, with what members of its own did.

    Raises DataError for a folder that holds other files.
    """
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    told = simulate(made, seed)
    probe = np.asarray(told.probability > 0.5, dtype=np.float64)
    features = [
        Feature(name, told.asset_ids, has)
        for name, has in (("property", told.has), ("probe", probe), ("placebo", told.placebo))
    ]
    truth = {
        "seed": seed, "property": told.effect, "property_by_group": list(told.effects), "placebo": 0.0,
        "probe_right": float(np.mean(probe == told.has)), "world": asdict(made),
    }  # fmt: skip
    who = members.write(folder, seed, made.titles, made.images)
    write_files(folder, told.rows, features, truth, _readme(told, made, seed, truth) + _members(who))
    return told


def check_folder(folder: Path) -> None:
    """Raise DataError where ``folder`` holds files that are no simulation."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / TRUTH).is_file()):
        raise DataError(
            f"{folder} is not empty, and nothing in it is overwritten. Name a new folder: "
            "`attune insights simulate --to ./made-up`"
        )


def write_files(
    folder: Path, rows: Mapping[str, npt.NDArray[Any]], features: Sequence[Feature], truth: Mapping[str, Any],
    readme: str,
) -> None:  # fmt: skip
    """Write performance, features and truth, each aside and then renamed. The performance says that it is made up."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table({name: pa.array(column) for name, column in rows.items()})
    with atomic_writer(folder / PERFORMANCE) as file:
        pq.write_table(table.replace_schema_metadata({SIMULATED: str(truth["seed"]).encode()}), file)
    for one in features:
        cells = (f"{name},{YES if has else NO}" for name, has in zip(one.asset_ids, one.has, strict=True))
        write_bytes(folder / f"{one.name}.csv", "\n".join(["asset_id,value", *cells, ""]).encode())
    write_bytes(folder / README, readme.encode())
    write_json(folder / TRUTH, dict(truth))


def truths_as_json(truths: Sequence[Truth]) -> dict[str, dict[str, float]]:
    """The truth of each feature by name, as log rate ratios."""
    return {one.name: {"effect": one.effect, "pooled": one.pooled} for one in truths}


def _readme(told: Simulated, made: World, seed: int, truth: Mapping[str, Any]) -> str:
    groups = ", ".join(f"{change(effect)} for {100 * share:.0f} %" for (share, _, _), effect in
                       zip(made.groups, told.effects, strict=True))  # fmt: skip
    served = "A program shows each group of members what it took before" if made.bandit else "Nothing chooses images"
    tied = "more often than others" if made.confounding > 0 else "as often as others"
    right = 100 * truth["probe_right"]
    often = change(told.effect)[1:]
    return f"""# Made-up performance

Nothing here was measured. `attune insights simulate` made it with seed {seed}, so the truth is known.

## What is true

| file | what it says | the truth |
|---|---|---|
| `property.csv` | which images have a property | they are taken {often} more often: {groups} of members |
| `probe.csv` | what a probe says of it, right on {right:.0f} % of the images | the same, with errors |
| `placebo.csv` | which images have another property | it changes nothing |

- {made.titles:,} titles with {made.images} images each, {made.periods} days.
- Popular titles have both properties {tied}. Whoever mixes all films sees effects that are not there.
- {served}. {100 * made.explore:.0f} % of the impressions are random (`arm` is `explore`).
- What one image does changes the takes of no other.

`{TRUTH}` has the same as numbers, as logarithms: {math.exp(told.effect):.3f} times as often is {told.effect:.3f}.

## Try it

In a workspace of its own, as simulated and real performance must not be mixed. Pages then say that it is simulated.

```
attune performance add {PERFORMANCE}
attune features import property.csv --name property
attune features import probe.csv --name probe
attune features import placebo.csv --name placebo
attune insights run
```

Compare with the truth: the interval of *property* should hold it, *probe* says too little, *placebo* nothing.
"""


def _members(who: Members) -> str:
    return f"""
## For whom

`{members.VIEWING}` and `{members.RESPONSES}` are of {who.members:,} made-up members in {who.groups} groups: what they
watch, and which images of the first {who.titles} titles they take. A group likes some images more than others do, by
chance: it has nothing to do with *property*.

```
attune members fit --viewing {members.VIEWING} --responses {members.RESPONSES}
attune members show
```
"""
