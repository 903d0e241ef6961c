"""Which answers are probably wrong, most likely first: what a probe that never saw them says, and the other experts.

Confident learning (Northcutt, Jiang and Chuang, JAIR 70, 2021; cleanlab) ranks labels by out-of-sample probabilities.
For symmetric mistakes its self-confidence, the probability of the given class, orders one expert's answers as Bayes'
rule does. Here that rule is taken at its word, so that several experts' answers enter it: the probe's probabilities are
the prior, each expert is right at a rate of the own, learned from the images that several answered (Dawid and Skene,
Applied Statistics 28, 1979, with one number for each expert), and both are worked out together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.errors import DataError
from attune.models.labels.labels import REPEAT_CORRELATION, Labels
from attune.models.labels.panel import NO_VOTE, Panel

Floats = NDArray[np.float64]

# Before any answer: how often experts are right, and how many imagined answers say so. An expert of few answers stays
# near it, and a probe that knows nothing yet contradicts no one.
RIGHT, IMAGINED = 0.9, 20.0
ROUNDS = 50
# An answer is suspected where it is less likely right than this. One that stands alone sooner: where the probe gives
# another class four fifths. The probe has learned from errors, so it is less sure than it should be.
LISTED, LISTED_ALONE = 0.5, 0.7
LEAST_WEIGHT = 0.02  # of an answer that is almost surely wrong: a fit needs weights above 0


@dataclass(frozen=True)
class SuspectedError:
    """An answer that may well be wrong.

    ``given`` is what the expert said, ``expected`` the likeliest other class; ``probe`` is the probability of
    ``expected`` by the probe alone, which did not learn from this image or its title; ``right`` is how likely the
    answer is right by the probe and all answers together. Both in [0, 1].
    """

    asset_id: str
    expert: str
    given: str
    expected: str
    probe: float
    right: float


@dataclass(frozen=True, eq=False)
class Judged:
    """``posterior`` (assets, classes): how likely each class is meant, rows sum to 1; ``right`` (assets, experts): how
    likely each answer is right, NaN where there is none; ``accuracy`` (experts,): how often each expert is right."""

    posterior: Floats
    right: Floats
    accuracy: Floats


def judge(panel: Panel, probabilities: ArrayLike) -> Judged:
    """Judge every answer of ``panel`` by the probe and by all experts.

    ``probabilities`` (assets, classes) are the probe's, each row by one that did not learn from the row's title.
    Several answers on one image count less than as many on different images, as in ``labels.consensus``. Raises
    DataError where shapes differ or a number is not a probability.
    """
    prior = np.clip(_checked(panel, probabilities), 1e-6, 1.0)
    prior = prior / prior.sum(axis=1, keepdims=True)
    votes, classes = panel.votes, len(panel.classes)
    given = votes != NO_VOTE
    voters = np.maximum(given.sum(axis=1), 1)
    shared = voters > 1
    discount = 1.0 / (1.0 + (voters - 1.0) * REPEAT_CORRELATION)
    chosen = votes[:, :, None] == np.arange(classes)  # (assets, experts, classes)
    accuracy = np.full(len(panel.experts), RIGHT)
    posterior = prior
    for _ in range(ROUNDS):
        # What an answer adds to its class beside every other one.
        gain = np.log(accuracy) - np.log((1.0 - accuracy) / (classes - 1))
        evidence = (chosen * gain[None, :, None]).sum(axis=1) * discount[:, None]
        posterior = _softmax(np.log(prior) + evidence)
        # Only where somebody else answered, too: an answer alone would vouch for itself.
        hits = (chosen[shared] * posterior[shared, None, :]).sum(axis=(0, 2))
        before, accuracy = accuracy, (hits + IMAGINED * RIGHT) / (given[shared].sum(axis=0) + IMAGINED)
        # Below chance an answer would speak for the classes that it does not name.
        accuracy = np.clip(accuracy, 1.0 / classes + 1e-3, 1.0 - 1e-3)
        if np.abs(accuracy - before).max(initial=0.0) < 1e-9:
            break
    right = np.where(given, np.take_along_axis(posterior, np.maximum(votes, 0), axis=1), np.nan)
    return Judged(posterior, right, accuracy)


def suspected(panel: Panel, judged: Judged) -> NDArray[np.bool_]:
    """Which answers may be wrong, bool (assets, experts): below ``LISTED``, one that stands alone ``LISTED_ALONE``."""
    alone = (panel.votes != NO_VOTE).sum(axis=1, keepdims=True) == 1
    # NaN, where there is no answer, is below nothing.
    return np.asarray(judged.right < np.where(alone, LISTED_ALONE, LISTED), dtype=np.bool_)


def suspected_errors(panel: Panel, probabilities: ArrayLike) -> list[SuspectedError]:
    """The answers that may be wrong, the least likely right first; arguments as for ``judge``.

    The order of rows, experts and classes changes nothing: equals are sorted by asset and expert.
    """
    proba, judged = np.asarray(probabilities, dtype=np.float64), judge(panel, probabilities)
    rows, seats = np.nonzero(suspected(panel, judged))
    given = panel.votes[rows, seats]
    others = judged.posterior[rows].copy()
    others[np.arange(len(rows)), given] = -1.0
    expected = others.argmax(axis=1)
    found = [
        SuspectedError(
            panel.asset_ids[row],
            panel.experts[seat],
            panel.classes[said],
            panel.classes[other],
            float(proba[row, other]),
            float(judged.right[row, seat]),
        )
        for row, seat, said, other in zip(*(part.tolist() for part in (rows, seats, given, expected)), strict=True)
    ]
    return sorted(found, key=lambda one: (round(one.right, 9), one.asset_id, one.expert))


def trusted(labels: Labels, panel: Panel, probabilities: ArrayLike) -> Labels:
    """``labels`` with each weight times how likely the label is right, for a second fit that leans less on errors.

    A probe that learned wrong answers half believes them. ``probabilities`` (assets, classes) belong to ``panel``;
    labels of assets that have no vote there, such as "unsure", stay as they are.
    """
    posterior = judge(panel, probabilities).posterior
    place = {asset: row for row, asset in enumerate(panel.asset_ids)}
    rows = np.array([place.get(asset, -1) for asset in labels.asset_ids], dtype=np.intp)
    if not len(panel.asset_ids):
        return labels
    likely = np.take_along_axis(posterior[rows], labels.majority()[:, None], axis=1)[:, 0]
    factor = np.where(rows >= 0, np.maximum(likely, LEAST_WEIGHT), 1.0)
    return Labels(labels.asset_ids, labels.title_ids, labels.shares, labels.weights * factor)


def _softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float64)


def _checked(panel: Panel, probabilities: ArrayLike) -> Floats:
    proba = np.asarray(probabilities, dtype=np.float64)
    expected = (len(panel.asset_ids), len(panel.classes))
    if proba.shape != expected:
        raise DataError(f"Probabilities have the shape {proba.shape}. Expected {expected}, one row per asset.")
    if not np.isfinite(proba).all() or (proba < 0).any() or (proba > 1).any():
        row = int(np.flatnonzero((~np.isfinite(proba) | (proba < 0) | (proba > 1)).any(axis=1))[0])
        raise DataError(
            f"The probabilities of {panel.asset_ids[row]!r} are {proba[row].tolist()}. Expected numbers from 0 to 1."
        )
    return proba
