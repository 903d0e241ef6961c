"""How fast the audit goes: the share of questions that measure, how many are owed by now, and how wide the interval
will be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from attune.models.evaluation.metrics import Metric

BUYS_MUCH = 100  # labels below which the next label is worth more than the next audit answer, whoever waits
WAITING_SHARE = 0.25  # of the questions, while a gate or the first figure waits for audits
SETTLED_SHARE = 0.5  # of the questions, once labels hardly move the ranking and the interval is still wide
FIRST_FIGURE = 20  # audit answers from which most attributes have the 3 positives that a figure needs
# Mean width of the interval at 30 audits over three bands of prevalence, and how it falls (benchmarks/audit_coverage:
# .42 .32 .23 at 30, 60 and 150 between 7 and 20 %, .40 .30 .21 above).
WIDTH_AT_30, FALL = 0.42, 0.38


@dataclass(frozen=True)
class Pace:
    """Where the audit stream stands: ``share`` of the questions from now on and ``why``; after ``trained`` answers
    that were no audits, ``owed`` audits should have been drawn, batches on demand apart."""

    trained: int
    owed: float
    share: float
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Pace:
        """The pace that ``to_dict`` wrote; further keys are left out."""
        return cls(int(data["trained"]), float(data["owed"]), float(data["share"]), str(data.get("why", "")))


def stream_share(
    base: float,
    labels: int,
    state: str,
    audits: int,
    width: float | None,
    *,
    needed: int = 30,
    goal: float = 0.2,
) -> tuple[float, str]:
    """The share of the next questions that are audits, in [0, 1), and the reason as a sentence for owners.

    ``base`` is the attribute's share while labels still buy much (0 switches the stream off altogether); ``labels``
    trained on, ``state`` as ``query.stopping.advise`` says it, ``audits`` answered, ``width`` of their interval (None
    where there is none), ``needed`` audit answers that a gate waits for, ``goal`` the width to reach.

    Only *how many* are drawn follows what is known so far; *which* are drawn stays the design's lot, u below the
    inclusion probability, and no one's u enters here. Then the design is ignorable (Rubin, Biometrika 63, 1976): given
    scores and answers, that an asset was drawn, or that the draw continued, says nothing more about its truth, and the
    score curve's posterior is the same as if the number had been fixed before. Stopping at a narrow interval is a
    sequential design of fixed width, whose coverage is only right in the limit (Chow and Robbins, Ann. Math. Stat. 36,
    1965); what it costs here is simulated in test_audit_pace.py and benchmarks/audit_coverage --growing.
    The weights 1 / inclusion keep the small bias that they have over several rounds (``AuditDesign``).
    """
    if not base:
        return 0.0, "Audits are switched off."
    wide = width is None or width > goal
    if state in ("settled", "exhausted") and wide:
        return max(base, SETTLED_SHARE), "More labels hardly change the probe, so half of the new tasks are audits."
    if labels >= BUYS_MUCH and audits < needed and state not in ("hopeless", "outlier"):
        return max(
            base, WAITING_SHARE
        ), f"A quarter of the new tasks are audits, until there are {needed} audit answers."
    if not wide:
        return base, "The interval is narrow. The usual share of audits keeps it narrow."
    return base, "At present, labels help more than audits, so few of the new tasks are audits."


def continue_pace(before: Pace | None, trained: int, base: float, share: float, why: str, after: int = 40) -> Pace:
    """The pace after ``trained`` answers that were no audits: what was owed before, and the old share of those since.

    Without a pace ``before``, ``base`` of the questions after the first ``after``. Deleted answers take their share
    with them; what was drawn stays drawn.
    """
    if before is None:
        return Pace(trained, _audits(base, max(0, trained - after)), share, why)
    since = max(0, trained - after) - max(0, before.trained - after)
    return Pace(trained, max(0.0, before.owed + _audits(before.share, since)), share, why)


def audits_due(pace: Pace, ahead: int, after: int = 40) -> int:
    """How many audits should be drawn by now, those within the next ``ahead`` questions included."""
    begun = ahead if pace.trained >= after else max(0, pace.trained + ahead - after)
    return int(pace.owed + pace.share * begun + 1e-9)


def _audits(share: float, others: int) -> float:
    """Audits that stand beside ``others`` questions where audits are ``share`` of all."""
    return share / (1.0 - share) * others


def expected_width(figure: Metric | None, more: int) -> float | None:
    """How wide the interval will be, about, after ``more`` further audit answers; None below ``FIRST_FIGURE`` in all.

    From the interval as it is, or from the mean over benchmarks where there is none, along the fall that the benchmarks
    show: a power of the number of answers, flatter than the root because the score curve's prior carries the first.
    """
    n = figure.n if figure is not None else 0
    if n + more < FIRST_FIGURE:
        return None
    if figure is not None and figure.value is not None and figure.n >= 10:
        return float(figure.width * (n / (n + more)) ** FALL)
    return float(min(1.0, WIDTH_AT_30 * (30.0 / (n + more)) ** FALL))


def answers_to_width(n: int, width: float, goal: float, most: int = 1000) -> int:
    """About how many further audit answers bring an interval of ``width`` on ``n`` answers to the width ``goal``.

    At most ``most``; 0 where it is as narrow already. The inverse of ``expected_width``.
    """
    if width <= goal or n <= 0:
        return 0
    needed = float(n * (width / goal) ** (1.0 / FALL))
    return min(most, math.ceil(needed) - n)
