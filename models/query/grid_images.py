"""A page of images to answer at once: half of them likely of one class, half spread over the pool, mixed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attune.models.labels.labels import Labels
from attune.models.probes.learner import LearnerSettings, training_rows
from attune.models.probes.priors import Prompts
from attune.models.probes.probe import Probe
from attune.models.query.candidates import likely, spread
from attune.models.query.context import Situation
from attune.models.query.planner import picked
from attune.models.vectors.pool import IntArray, Pool

LIKELY = 0.5  # of a page; fewer would leave nothing to tick, more would leave nothing to tell it from


def page(
    pool: Pool,
    probe: Probe,
    labels: Labels,
    asked: IntArray,
    n: int,
    settings: LearnerSettings,
    seed: int,
    position: int,
    prompts: Prompts | None = None,
    hidden: Sequence[int] | IntArray = (),
) -> IntArray:
    """Pool indices of ``n`` images for a page about the class at ``position``, in the order that they are shown.

    None of ``asked`` or ``hidden``, none of an audit title, one a title and no near duplicates as long as the pool
    allows. The order is random, so that a place tells nothing.
    """
    gone = np.asarray(hidden, dtype=np.intp)
    order = asked[~np.isin(asked, gone)]
    index, shares, weights = training_rows(pool, labels, settings, seed)
    situation = Situation(
        pool, probe, order, index, shares, weights, prompts, settings.reserved_share, seed, hidden=gone
    )
    halves = [(LIKELY, likely(situation, n, position)), (1 - LIKELY, spread(situation, n))]
    found = picked(situation, n, halves, apart=n)
    rows = np.array([ask.index for ask in found], dtype=np.intp)
    return rows[situation.rng.permutation(len(rows))]
