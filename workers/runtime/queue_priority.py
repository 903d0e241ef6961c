"""What goes first where many experts answer at once: readings, so that an answer is seen, or what learns from them.

A reading takes a fraction of a second and a round about one, so readings go first; where they fill the workers' time,
nothing else may wait for long.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from attune.labeler.jobs import jobs

TURN_SECONDS = 5.0  # for so long a worker does readings alone, where other things wait
LONG_ROUND = timedelta(seconds=TURN_SECONDS)
ROUND_AGE = timedelta(seconds=5)  # so old is an attribute's last round at most, where answers keep coming


def in_order(names: Iterable[str], readings_for: float) -> list[str]:
    """A worker's lines in the order in which it looks for its next job.

    ``readings_for`` is how many seconds ago it ended something else than a reading: readings go last after a while.
    """
    return sorted(names, key=lambda name: name == jobs.HINTS and readings_for > TURN_SECONDS)


def learns_now(others_wait: bool, last: tuple[timedelta, timedelta] | None) -> bool:
    """Whether the worker that read answers learns from them itself, or leaves that to one round after the readings
    that wait. ``last`` is the age of the attribute's last round and how long it took, None before the first: one
    that takes long would keep the readings waiting for as long, each time.
    """
    if not others_wait or last is None:
        return True
    age, took = last
    return abs(age) > ROUND_AGE and took < LONG_ROUND  # younger than now: a clock was set back


def gives_way(others_wait: bool, seconds: float) -> bool:
    """Whether a learner that would go round again, as answers came meanwhile, lets those that wait go first.

    It has gone round for ``seconds``. Otherwise as many questions as there are workers, each answered faster than a
    round takes, would hold all workers, and nobody's other answers would be read.
    """
    return others_wait and seconds > TURN_SECONDS
