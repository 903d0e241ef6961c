"""Files of made-up members, in groups that like genres and images: viewing and responses, for a pool or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

MEMBERS, GROUPS = 1200, 3


@dataclass(frozen=True)
class Files:
    """Files to bring. ``liked``: the first image of each title in ``liked_titles`` is what group 0 takes twice as
    often; ``group`` of each member, by name."""

    viewing: str
    responses: str
    liked: list[str]
    group: dict[str, int]


def files(folder: Path, titles: Sequence[str], kinds: Sequence[str], images: Sequence[Sequence[str]]) -> Files:
    """Members of ``GROUPS`` groups, each of which watches one of ``kinds`` (t,) most; ``images`` of each title."""
    rng = np.random.default_rng(11)
    group = rng.choice(GROUPS, MEMBERS, p=[0.45, 0.33, 0.22])
    number = {kind: place for place, kind in enumerate(sorted(set(kinds)))}
    kind = np.array([number[one] for one in kinds])
    taste = np.where(kind == np.arange(GROUPS)[:, None], 1.3, 0) + rng.normal(0, 0.2, (GROUPS, len(titles)))
    chance = np.exp(taste)
    chance /= chance.sum(axis=1, keepdims=True)
    seen = rng.random((MEMBERS, len(titles))) < np.minimum(30 * chance[group], 0.9)
    who, what = np.nonzero(seen)
    names = np.array([f"member-{one}" for one in range(MEMBERS)])
    ids = np.array(titles)
    viewing, responses = folder / "viewing.csv", folder / "responses.csv"
    pc.write_csv(pa.table({"member": names[who], "title_id": ids[what], "minutes": rng.integers(5, 120, len(who))}),
                 str(viewing))  # fmt: skip
    who, what = (one.reshape(-1) for one in np.indices((MEMBERS, len(titles))))
    which = rng.integers(len(images[0]), size=len(who))
    rate = np.where((group[who] == 0) & (what < 5) & (which == 0), 0.6, 0.25)
    asset = np.array([list(one) for one in images])[what, which]
    pc.write_csv(pa.table({
        "member": names[who], "asset_id": asset, "title_id": ids[what], "impressions": np.ones(len(who), dtype=int),
        "takes": (rng.random(len(who)) < rate) * 1,
    }), str(responses))  # fmt: skip
    liked = [one[0] for one in images[:5]]
    return Files(str(viewing), str(responses), liked, dict(zip(names.tolist(), group.tolist(), strict=True)))
