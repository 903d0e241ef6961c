"""When to stop asking: the evidence, and one piece of advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from attune.models.errors import DataError
from attune.models.evaluation.metrics import Metric
from attune.models.labels.agreement import TENTATIVE

Floats = NDArray[np.float64]
State = Literal["labelling", "narrow", "settled", "exhausted", "outlier", "hopeless"]

# A ranking that moved by this much since half the labels gains a quarter of it by as many again (benchmarks/stopping).
GAIN_PER_MOVEMENT = 0.25
SHARPNESS = 2.0  # log-odds for each standard deviation of the logits
# A checkpoint counts as another look only when labels have grown by this much since the one before.
GROWTH = 1.1


@dataclass(frozen=True)
class Goals:
    """When an owner calls it done.

    ``movement``: the ranking may have moved by so much average precision since half the labels; ``width``: of the
    audit's interval; ``remaining``: share of all positives that may still be unfound; ``alpha``: below this the
    experts do not mean the same thing, once ``least_shared`` images tell; ``least_labels`` before anything is called
    settled or exhausted.
    """

    movement: float = 0.02
    width: float = 0.2
    remaining: float = 0.05
    alpha: float = TENTATIVE
    least_shared: int = 30
    least_labels: int = 60


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A probe of the past: how many ``labels`` it had learned from, and its logits (m,) or (m, k) of the fixed stop
    set."""

    labels: int
    logits: Floats


@dataclass(frozen=True)
class Advice:
    """What to do now: the ``state``, whether to ``stop``, one ``sentence`` for people, and the ``evidence`` behind it.

    ``expected_gain``: average precision that the next ``next_answers`` may bring, None before it can be said.
    """

    state: State
    stop: bool
    sentence: str
    evidence: dict[str, float | None]
    expected_gain: float | None = None
    next_answers: int = 50

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def movement(then: ArrayLike, now: ArrayLike, share: ArrayLike) -> float:
    """How much average precision the ranking ``then`` lacks, if the truth were as the ranking ``now`` has it.

    Logits of the same m assets, (m,) or (m, k), mean over columns; ``share`` of positives to expect, a number or (k,).
    It needs no answers, so it tells small steps apart where the audit's interval cannot. The newer logits are taken at
    one sharpness for every probe: calibrated ones would call a probe that knows nothing settled, because to it all
    rankings are alike. Raises DataError on shapes that do not fit.
    """
    before, after = _columns(then), _columns(now)
    shares = np.broadcast_to(np.asarray(share, dtype=np.float64), (after.shape[1],))
    if before.shape != after.shape or not len(after) or not ((shares > 0) & (shares < 1)).all():
        raise DataError(
            f"Scores have the shapes {before.shape} and {after.shape}, and the shares of positives are "
            f"{shares.tolist()}. Expected the same assets and classes twice, and shares between 0 and 1."
        )
    lost = []
    for i, part in enumerate(shares):
        p = _probabilities_from_logits(after[:, i], float(part))
        lost.append(_expected_ap(p, after[:, i]) - _expected_ap(p, before[:, i]))
    return float(np.mean(lost))


def _columns(array: ArrayLike) -> Floats:
    held = np.asarray(array, dtype=np.float64)
    return held.reshape(len(held), -1)


def _probabilities_from_logits(logits: Floats, share: float) -> Floats:
    """Probabilities (m,) that follow the logits at ``SHARPNESS`` and add up to ``share`` of the assets."""
    z = SHARPNESS * (logits - logits.mean()) / (logits.std() or 1.0)
    low, high = -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(z + middle).mean() < share else (low, middle)
    return np.asarray(expit(z + low), dtype=np.float64)


def _expected_ap(p: Floats, scores: Floats) -> float:
    """The average precision to expect of a ranking where asset i is positive with probability p[i] (first order)."""
    ranked = p[np.argsort(-scores, kind="stable")]
    above = np.cumsum(ranked) - ranked
    return float((ranked * (1.0 + above) / np.arange(1, len(ranked) + 1)).sum() / ranked.sum())


def movements(checkpoints: Sequence[Checkpoint], share: ArrayLike) -> list[tuple[int, float]]:
    """(labels, movement since at most half of them) for each checkpoint that has one that early, oldest first."""
    moves = []
    ordered = sorted(checkpoints, key=lambda checkpoint: checkpoint.labels)
    for i, now in enumerate(ordered):
        earlier = [then for then in ordered[:i] if then.labels <= now.labels / 2]
        if earlier:
            moves.append((now.labels, movement(earlier[-1].logits, now.logits, share)))
    return moves


def expected_gain(labels: int, moved: float, answers: int = 50) -> float:
    """Average precision to expect from ``answers`` more: the curve is taken as straight in log(labels), at the slope
    that ``moved`` since half the labels foretells."""
    return float(GAIN_PER_MOVEMENT * max(moved, 0.0) * np.log2(1.0 + answers / max(labels, 1)))


def advise(
    checkpoints: Sequence[Checkpoint],
    share: ArrayLike | None,
    *,
    average_precision: Metric | None = None,
    found_positives: float | None = None,
    remaining: float | None = None,
    alpha: Metric | None = None,
    alpha_without_one: Metric | None = None,
    goals: Goals | None = None,
) -> Advice:
    """One piece of advice from everything that is known.

    ``checkpoints`` of this attribute's probes on one fixed stop set (the reserved assets, or a part of them), ``share``
    of positives there, a number or (k,): the mean calibrated probability (None where unknown); ``average_precision``
    the audit's; ``found_positives`` so far and ``remaining`` ones to expect among images not asked about; ``alpha``
    the experts', ``alpha_without_one`` theirs without the one who differs most. Settled: the movement was within
    the goal at this checkpoint and at the one before it.
    """
    goals = goals or Goals()
    labels = max((checkpoint.labels for checkpoint in checkpoints), default=0)
    moved = _spaced_checkpoints(movements(checkpoints, share)) if share is not None else []
    unfound = (
        None if found_positives is None or remaining is None else remaining / max(found_positives + remaining, 1e-9)
    )
    evidence = _evidence(labels, moved, average_precision, alpha, goals) | {"remaining_share": unfound}
    if alpha_without_one is not None and _rest_agree_better(evidence["alpha_hi"], alpha_without_one):
        evidence["alpha_without_one"] = alpha_without_one.value
    enough = labels >= goals.least_labels
    settled = enough and len(moved) > 1 and max(value for _, value in moved[-2:]) <= goals.movement
    state = _state(evidence, goals, settled=settled, enough=enough)
    gain = expected_gain(labels, moved[-1][1]) if moved else None
    settled_wide = state == "settled" and _wide(evidence["width"], goals)
    stop = state in ("settled", "exhausted", "outlier", "hopeless") and not settled_wide
    return Advice(state, stop, _sentence(state, evidence, goals, gain), evidence, gain)


def _evidence(
    labels: int, moved: list[tuple[int, float]], average_precision: Metric | None, alpha: Metric | None, goals: Goals
) -> dict[str, float | None]:
    """What the advice rests on; None where it is not known."""
    return {
        "labels": float(labels),
        "movement": moved[-1][1] if moved else None,
        "movement_before": moved[-2][1] if len(moved) > 1 else None,
        "width": None if average_precision is None or average_precision.value is None else average_precision.width,
        "remaining_share": None,
        "alpha": None if alpha is None else alpha.value,
        # Of few images, and a rare class, a single dispute pulls the whole interval down.
        "alpha_hi": None if alpha is None or alpha.n < goals.least_shared else alpha.hi,
        "alpha_without_one": None,
    }


def _spaced_checkpoints(moved: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The newest, and before it only those that labels have grown by ``GROWTH`` since."""
    spaced: list[tuple[int, float]] = []
    for labels, value in reversed(moved):
        if not spaced or labels * GROWTH <= spaced[-1][0]:
            spaced.append((labels, value))
    return spaced[::-1]


def _rest_agree_better(alpha_hi: float | None, rest: Metric) -> bool:
    """Whether the rest agree better beyond chance: the best of some panels without one is always a little better."""
    return alpha_hi is not None and rest.lo is not None and rest.lo >= alpha_hi


def _wide(width: float | None, goals: Goals) -> bool:
    return width is None or width > goals.width


def _state(evidence: dict[str, float | None], goals: Goals, *, settled: bool, enough: bool) -> State:
    alpha_hi, unfound = evidence["alpha_hi"], evidence["remaining_share"]
    if alpha_hi is not None and alpha_hi < goals.alpha:
        rest = evidence["alpha_without_one"]
        return "outlier" if rest is not None and rest >= goals.alpha else "hopeless"
    if enough and unfound is not None and unfound <= goals.remaining:
        return "exhausted"
    if settled:
        return "settled"
    return "labelling" if _wide(evidence["width"], goals) else "narrow"


def _sentence(state: State, evidence: dict[str, float | None], goals: Goals, gain: float | None) -> str:
    labels = int(evidence["labels"] or 0)
    if state == "hopeless":
        return (
            f"Pause and improve the definition: the experts' agreement (alpha) is {evidence['alpha']:.2f} (upper end "
            f"of its interval: {evidence['alpha_hi']:.2f}). A good probe needs at least {goals.alpha:g}."
        )
    if state == "outlier":
        return (
            f"Pause and find out why one expert disagrees: the agreement (alpha) is {evidence['alpha']:.2f} with all "
            f"experts and {evidence['alpha_without_one']:.2f} without this one. The definition may be good."
        )
    if state == "exhausted":
        return (
            f"Stop: only about {100 * (evidence['remaining_share'] or 0.0):.0f} % of the positive images have no "
            "answer yet. Add new images before you continue."
        )
    if state == "settled" and _wide(evidence["width"], goals):
        return (
            f"The probe has settled at {labels} labels. Next, request audit answers until the interval is narrower "
            f"than {goals.width:g}."
        )
    if state == "settled":
        return f"Stop: the probe has settled at {labels} labels, and its interval is {evidence['width']:.2f} wide."
    if gain is None or (labels < goals.least_labels and state == "labelling"):
        return "Continue labelling. A forecast needs more answers."
    small = "The next 50 answers should raise the average precision by less than 0.01."
    if state == "labelling" and gain < 0.005:
        width = evidence["width"]
        known = "not measured yet" if width is None else f"not known well yet (its interval is {width:.2f} wide)"
        return f"Request audit answers: the quality is {known}. {small}"
    forecast = small if gain < 0.005 else f"The next 50 answers should raise the average precision by about {gain:.2f}."
    if state == "narrow":
        return f"Publish if the quality is good enough: the interval is {evidence['width']:.2f} wide. {forecast}"
    return f"Continue labelling. {forecast}"
