"""The list of suspected label errors, made anew after every few answers, when the queues are in order.

Audit answers, and all others on reserved titles, are never on it: a list that a probe chose must not change what
measures the probe.
"""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt

from attune.labeler.answers import label_errors, told_errors
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.models.labels.answers import AUDIT
from attune.models.labels.label_errors import SuspectedError, suspected_errors, trusted
from attune.models.labels.panel import Panel
from attune.models.probes.priors import Prompts
from attune.workers.rounds import round_figures
from attune.workers.rounds.snapshot import Snapshot

log = logging.getLogger("attune.learn")
FOLDS = 5


def record(settings: Settings, snapshot: Snapshot, run: int, prompts: Prompts | None) -> int:
    """Replace the attribute's list by the one of today, after ``run``; how many answers are on it."""
    found = suspected(snapshot, prompts)
    with writing(settings) as session:
        count = label_errors.replace(session, snapshot.attribute.id, run, found)
    log.info("learn(%s): suspected label errors: %d", snapshot.attribute.name, count)
    return count


def is_owed(settings: Settings, snapshot: Snapshot) -> bool:
    """Whether experts are shown a run whose list was not made, be it the newest or one whose worker was killed."""
    with reading(settings) as session:
        return told_errors.owed(session, snapshot.attribute.id) is not None


def suspected(snapshot: Snapshot, prompts: Prompts | None) -> list[SuspectedError]:
    """The answers that may be wrong, the least likely right first; none while the labels are too few to leave some out.

    Fitted twice, each time by title: the second time what looked wrong counts less, as a probe that learned from errors
    half believes them (`benchmarks.label_errors`).
    """
    labels = snapshot.training
    learned = set(labels.asset_ids)
    told = [one for one in snapshot.answers if one.purpose != AUDIT and one.asset_id in learned]
    panel = Panel.of(told, snapshot.attribute.classes)
    if not panel.asset_ids:
        return []
    place = {asset: row for row, asset in enumerate(labels.asset_ids)}
    rows = np.array([place[asset] for asset in panel.asset_ids], dtype=np.intp)
    first: npt.NDArray[np.float64] = round_figures.cross_fitted(snapshot, prompts, FOLDS)[rows]
    again = trusted(labels, panel, first)
    return suspected_errors(panel, round_figures.cross_fitted(snapshot, prompts, FOLDS, again)[rows])
