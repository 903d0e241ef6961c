"""The job `clusters`: cut a space of the pool into groups of similar images, and save them with their stability."""

from __future__ import annotations

from typing import Any

import numpy as np

from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, spaces
from attune.labeler.spaces.clusterings import USUAL, New
from attune.labeler.spaces.members import Members
from attune.models.errors import EmptyPool
from attune.models.spaces.clustering import cluster, project
from attune.models.spaces.stability import CHOICES, DRAWS, agreement_by_k, cluster_stability, most_stable

STEPS = 4  # beside those of stability: vectors, clusters, measures, records


def run(
    settings: Settings,
    report: Report = quiet,
    k: int = 0,
    space: str = spaces.FINAL,
    seed: int = 0,
    within: str = "",
    who: str = "",
) -> dict[str, Any]:
    """Make at most ``k`` clusters of a space, or as many as stability prefers for ``k`` 0, and save them.

    ``within`` (``RUN:N``) makes sub-clusters. Returns ``{"clustering", "clusters", "asked", "assets"}``. Raises
    EmptyPool, and DataError where the space or the cluster does not exist.
    """
    steps = STEPS + DRAWS + (0 if k else len(CHOICES))
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        report(done, steps)

    report(0, steps)
    with reading(settings) as session:
        clusterings.scope_of(session, within)
        view = spaces.open_space(settings, session, space)
    among = np.asarray(view.keys >= 0, dtype=np.bool_)
    if within:
        among &= np.isin(view.keys, clusterings.keys_within(settings, within))
    if not among.any():
        raise EmptyPool(
            f"There are no images to cluster in the space {space}. To list the spaces: `attune spaces list`"
        )
    projected = project(view.pool, among, seed)
    sample = projected.rows[projected.sample]
    step()
    agreement = {} if k else agreement_by_k(sample, CHOICES, seed, step)
    asked = k or most_stable(agreement, USUAL)
    found = cluster(projected, asked)
    step()
    stability = cluster_stability(sample, found.centres, seed, step=step)
    spaces.measure(settings, space, view)
    step()
    members = _by_key(Members(view.keys[projected.index], found.labels, found.cosines))
    kept = clusterings.keep(
        settings,
        New(
            space, view.fingerprint.digest, asked, seed, members, found.sizes.tolist(), stability.tolist(), within,
            agreement, who,
        ),
    )  # fmt: skip
    step()
    return {"clustering": kept, "clusters": len(found.centres), "asked": asked, "assets": len(members.keys)}


def _by_key(members: Members) -> Members:
    order = np.argsort(members.keys, kind="stable")
    return Members(members.keys[order], members.places[order], members.cosines[order])
