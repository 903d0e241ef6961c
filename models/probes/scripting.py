"""The learning loop for a script: ids and class names in, a probe, the next questions and an honest figure out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from attune.models.errors import DataError
from attune.models.evaluation.audit_titles import pool_reserved_mask
from attune.models.evaluation.holdout import holdout_ap
from attune.models.evaluation.metrics import Metric, unknown
from attune.models.labels.labels import Labels
from attune.models.probes import learner
from attune.models.probes.learner import LearnerSettings
from attune.models.probes.priors import Prompts
from attune.models.probes.probe import Probe
from attune.models.query.planner import Ask
from attune.models.vectors.pool import Pool

DEFAULTS = LearnerSettings()
METHOD = "title bootstrap on the titles that were left out of the training"


def fit(
    pool: Pool,
    labels: Mapping[str, str] | Labels,
    classes: Sequence[str],
    *,
    prompts: Prompts | None = None,
    seed: int = 0,
    settings: LearnerSettings = DEFAULTS,
) -> Probe:
    """Train a probe on ``labels``: asset id -> class name, or ``Labels`` with shares and weights.

    A share of the titles (``settings.reserved_share``, .2) is left out of the training, whether it is labelled or not:
    ``evaluate`` measures on those. Give both the same ``seed``. ``classes`` are two or more names; of two the first is
    the one that the probe finds. ``prompts`` are vectors of phrases and example images, which count as long as there
    are few labels. Raises DataError for a class or an asset that is not there. For example::

        probe = attune.fit(pool, {"a1": "serious", "a2": "other"}, ["serious", "other"])
        probe.predict_proba(pool.rows([0, 1]))      # float64 (2, 2)
    """
    return learner.fit(pool, _labels(pool, labels, classes), classes, prompts, settings, seed)


def plan(
    pool: Pool,
    probe: Probe,
    labels: Mapping[str, str] | Labels,
    n: int,
    *,
    asked: Collection[str] = (),
    prompts: Prompts | None = None,
    seed: int = 0,
    settings: LearnerSettings = DEFAULTS,
) -> list[Ask]:
    """The next ``n`` images to label, the most useful first; fewer where the pool has no more.

    ``labels`` and ``seed`` as for ``fit``; ``asked`` are further asset ids that need no label, such as skipped ones.
    Each ``Ask`` has ``asset_id``, ``purpose``, ``reason`` and ``utility`` in [0, 1]. Titles that ``evaluate`` measures
    on are not among them. For example::

        [ask.asset_id for ask in attune.plan(pool, probe, labels, 10)]
    """
    label_set = _labels(pool, labels, tuple(str(name) for name in probe.classes_))
    labelled_rows = pool.positions([*label_set.asset_ids, *asked])
    return learner.plan(pool, probe, label_set, labelled_rows[labelled_rows >= 0], n, settings, seed, prompts=prompts)


def evaluate(
    pool: Pool,
    probe: Probe,
    labels: Mapping[str, str] | Labels,
    *,
    seed: int = 0,
    settings: LearnerSettings = DEFAULTS,
) -> Metric:
    """The average precision of ``probe`` on the labelled images that ``fit`` left out, with a 95 % interval by title.

    ``labels``, ``seed`` and ``settings`` as for ``fit``. It is honest where these images were labelled because they
    are there, all of them or a random draw, and not because a probe chose them. Of two classes it is that of the first,
    of more the mean of all. ``value``, ``lo`` and ``hi`` lie in [0, 1]; where there is too little to say they are None
    and ``reason`` says what is missing. For example::

        str(attune.evaluate(pool, probe, labels))   # "average_precision 0.912 [0.871, 0.950] (n = 64)"
    """
    classes = tuple(str(name) for name in probe.classes_)
    label_set = _labels(pool, labels, classes)
    index = pool.positions(label_set.asset_ids)
    measured = np.flatnonzero(pool_reserved_mask(pool, index, settings.reserved_share, seed) & label_set.decided())
    if not len(measured):
        return unknown("average_precision", 0, METHOD, "no labelled image is of a title that fit leaves out")
    proba = probe.predict_proba(pool.rows(index[measured]))
    truth, titles = label_set.majority()[measured], pool.title_ids[index[measured]]
    return holdout_ap(truth, proba, titles, seed, classes=len(classes), method=METHOD)


def _labels(pool: Pool, labels: Mapping[str, str] | Labels, classes: Sequence[str]) -> Labels:
    """One sure label for each asset id, with the title that the pool knows."""
    if isinstance(labels, Labels):
        return labels
    column = {name: i for i, name in enumerate(classes)}
    if len(column) < 2 or len(column) != len(classes):
        raise DataError(f"Classes are {list(classes)}; expected two or more different names.")
    if strange := sorted({value for value in labels.values() if value not in column}):
        raise DataError(f"The labels name {strange[:3]}; expected one of {list(classes)}.")
    index = pool.positions(labels)
    if (index < 0).any():
        absent = [asset for asset, place in zip(labels, index, strict=True) if place < 0]
        raise DataError(f"{len(absent)} labelled assets are not in the pool, {absent[0]!r} first. Add their vectors.")
    shares = np.eye(len(classes))[[column[value] for value in labels.values()]]
    titles = tuple(pool.title_ids[index].tolist())
    return Labels(tuple(labels), titles, shares.reshape(-1, len(classes)), np.ones(len(labels)))
