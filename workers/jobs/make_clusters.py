"""The job `clusters`: cut a space of the pool into groups of similar images, and save them with their stability."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from attune.labeler.assets.active_pool import PoolView
from attune.labeler.jobs import jobs
from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, descriptions, spaces
from attune.labeler.spaces.clusterings import USUAL, New
from attune.labeler.spaces.members import Members
from attune.models.engines.assigning import assigned
from attune.models.errors import EmptyPool
from attune.models.similarity.projected_pool import version_of
from attune.models.spaces.clustering import cluster, nearest_others, project
from attune.models.spaces.stability import CHOICES, DRAWS, Step, agreement_by_k, cluster_stability, most_stable

NEAR = 3  # clusters that are kept as the nearest of each
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
    EmptyPool, and DataError where the space or the cluster does not exist; of ``taste`` UnknownProbe without a version
    in use, and EncoderMismatch.
    """
    step = _steps(report, STEPS + DRAWS + (0 if k else len(CHOICES)))
    view, among = _opened(settings, space, within)
    projected = project(view.pool, among, seed)
    sample = projected.rows[projected.sample]
    step()
    agreement = {} if k else agreement_by_k(sample, CHOICES, seed, step)
    asked = k or most_stable(agreement, USUAL)
    found = cluster(projected, asked, partial(assigned, settings.engine))
    step()
    stability = cluster_stability(sample, found.centres, seed, step=step).tolist()
    spaces.measure(settings, space, view)
    step()
    members = _by_key(Members(view.keys[projected.index], found.labels, found.cosines))
    sizes, digest = found.sizes.tolist(), view.fingerprint.digest
    near = nearest_others(found.centres, NEAR).tolist()
    new = New(
        space, digest, asked, seed, members, sizes, stability, within, agreement, who, near,
        version_of(view.fingerprint),
    )  # fmt: skip
    kept = clusterings.keep(settings, new)
    step()
    if jobs.workers_alive(settings, descriptions.KIND):  # else nobody waits for it: the command does not
        jobs.enqueue(settings, descriptions.KIND, clustering=kept)
    return {"clustering": kept, "clusters": len(sizes), "asked": asked, "assets": len(members.keys)}


def _steps(report: Report, total: int) -> Step:
    """A function that tells ``report`` of one more step at each call."""
    count = itertools.count(1)
    report(0, total)
    return lambda: report(next(count), total)


def _opened(settings: Settings, space: str, within: str) -> tuple[PoolView, npt.NDArray[np.bool_]]:
    """The pool in a space, and which of its rows are to be clustered. Raises as ``run`` does."""
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
    return view, among


def _by_key(members: Members) -> Members:
    order = np.argsort(members.keys, kind="stable")
    return Members(members.keys[order], members.places[order], members.cosines[order])
