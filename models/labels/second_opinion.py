"""Which labelled images deserve another opinion, whose, and when a new image is the better question (ActiveLab)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attune.models.errors import DataError
from attune.models.labels.panel import NO_VOTE, Panel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SecondOpinion:
    """A labelled image to put before one more expert: ``confidence`` in its label, in [0, 1], low first."""

    asset_id: str
    expert: str
    confidence: float
    reason: str


@dataclass(frozen=True)
class VoiceWeights:
    """What each voice weighs in ActiveLab: the probe and each expert, in the panel's order.

    ``agreement`` is how often experts agree with the majority.
    """

    probe: float
    experts: tuple[float, ...]
    agreement: float

    @property
    def typical(self) -> float:
        """An average expert's weight."""
        return float(np.mean(self.experts)) if self.experts else 1.0


def voice_weights(panel: Panel, probabilities: ArrayLike) -> VoiceWeights:
    """Weights by how much better than the commonest class each voice agrees with the majority (CROWDLAB).

    ``probabilities`` (assets, classes) are the probe's, out of sample. Goh, Tkachenko and Mueller, arXiv 2210.06812.
    """
    proba = _checked(panel, probabilities)
    several = (panel.votes != NO_VOTE).sum(axis=1) >= 2
    if not several.any():
        return VoiceWeights(1.0, tuple(1.0 for _ in panel.experts), 0.9)
    votes, consensus = panel.votes[several], _consensus(panel, proba)[several]
    has_vote = votes != NO_VOTE
    right = (votes == consensus[:, None]) & has_vote
    commonest = np.bincount(consensus).max() / len(consensus)
    baseline = min(float(commonest), 0.99)
    # Two imagined answers of the panel's own agreement keep newcomers near it.
    overall = float(right.sum() / has_vote.sum())
    each = (right.sum(axis=0) + 2.0 * overall) / (has_vote.sum(axis=0) + 2.0)
    # How much to believe the probe: its own agreement, counted as an expert of as many answers per image as there are.
    machine = float((proba[several].argmax(axis=1) == consensus).mean())
    weigh = np.clip(1.0 - (1.0 - np.append(each, machine)) / (1.0 - baseline), 0.05, 1.0)
    return VoiceWeights(float(weigh[-1] * np.sqrt(has_vote.sum() / len(votes))), tuple(weigh[:-1].tolist()), overall)


def confidence(panel: Panel, probabilities: ArrayLike, estimated: VoiceWeights | None = None) -> Floats:
    """ActiveLab's score of each labelled image, float64 (assets,): low means that one more answer helps most.

    A weighted mean of what the probe, a prior and every expert say for the consensus (Goh and Mueller, arXiv
    2301.11856, equation 4). ``unlabelled_confidence`` is on the same scale: ask about the lower.
    """
    proba = _checked(panel, probabilities)
    estimated = estimated or voice_weights(panel, proba)
    consensus, classes = _consensus(panel, proba), len(panel.classes)
    has_vote = panel.votes != NO_VOTE
    agrees = np.where(
        panel.votes == consensus[:, None], estimated.agreement, (1.0 - estimated.agreement) / max(classes - 1, 1)
    )
    weight = np.where(has_vote, np.array(estimated.experts), 0.0)
    support = (weight * agrees).sum(axis=1)
    prior = estimated.typical / classes
    own = estimated.probe * proba[np.arange(len(proba)), consensus]
    return np.asarray(
        (own + prior + support) / (estimated.probe + estimated.typical + weight.sum(axis=1)), dtype=np.float64
    )


def unlabelled_confidence(probabilities: ArrayLike, estimated: VoiceWeights) -> Floats:
    """The same score for images that no one has answered: ``probabilities`` (n, classes) to float64 (n,)."""
    proba = np.asarray(probabilities, dtype=np.float64)
    prior = estimated.typical / proba.shape[1]
    return np.asarray(
        (estimated.probe * proba.max(axis=1) + prior) / (estimated.probe + estimated.typical), dtype=np.float64
    )


def second_opinions(
    panel: Panel,
    probabilities: ArrayLike,
    experts: Sequence[str],
    n: int,
    had: Mapping[str, Collection[str]] | None = None,
) -> list[SecondOpinion]:
    """Up to ``n`` images to ask again about, least sure first, each with the best of ``experts`` who has not seen it.

    Among those the more reliable comes first, and between equals the one with fewer of these questions. Images that
    all ``experts`` have answered are left out: asking the same person again measures memory. ``had``: by asset, who had
    it before, also where the answer counts no longer.
    """
    estimated = voice_weights(panel, probabilities)
    scores = confidence(panel, probabilities, estimated)
    weight = dict(zip(panel.experts, estimated.experts, strict=True))
    load = dict.fromkeys(experts, 0)
    opinions: list[SecondOpinion] = []
    for row in np.lexsort((np.asarray(panel.asset_ids), np.round(scores, 9))):
        if len(opinions) == n:
            break
        voters = {expert for expert, vote in zip(panel.experts, panel.votes[row], strict=True) if vote != NO_VOTE}
        voters.update((had or {}).get(panel.asset_ids[row], ()))
        free = sorted(set(experts) - voters)
        if not free:
            continue
        expert = min(free, key=lambda name: (-round(weight.get(name, estimated.typical), 2), load[name], name))
        load[expert] += 1
        opinions.append(SecondOpinion(panel.asset_ids[row], expert, float(scores[row]), _reason(panel, int(row))))
    return opinions


def _reason(panel: Panel, row: int) -> str:
    counts = panel.counts()[row]
    if (counts > 0).sum() > 1:
        vote_counts = ", ".join(
            f"{count} {name}" for name, count in zip(panel.classes, counts.tolist(), strict=True) if count
        )
        return f"the experts disagree: {vote_counts}"
    if counts.sum() == 1:
        return "one expert's answer differs from what the probe expects of it, or the probe is unsure"
    return "the experts agree, the probe does not"


def _consensus(panel: Panel, proba: Floats) -> NDArray[np.intp]:
    # The probe decides between classes with equally many votes, and nothing else.
    return np.asarray((panel.counts() + 0.5 * proba).argmax(axis=1), dtype=np.intp)


def _checked(panel: Panel, probabilities: ArrayLike) -> Floats:
    proba = np.asarray(probabilities, dtype=np.float64)
    if proba.shape != (len(panel.asset_ids), len(panel.classes)) or not np.isfinite(proba).all():
        expected = (len(panel.asset_ids), len(panel.classes))
        raise DataError(
            f"Probabilities have the shape {proba.shape}. Expected {expected}, one row per asset, and only "
            "finite numbers."
        )
    return proba
