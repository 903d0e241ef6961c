"""When the schedule beats: every so often, and within seconds after Redis was away or began with other data.

A Redis that restarts may have lost messages, and what was asked for meanwhile never reached it. Each start of Redis has
a ``run_id`` of its own, so that one look every two seconds finds a restart of which no command has failed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger("attune.schedule")
LOOK_SECONDS = 2.0  # between two looks at a Redis that answers
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 4.0  # between two looks at one that does not; each is twice the one before
# A job asked for or taken while Redis came back is too young for the first beat to judge; the second one finds it.
SECOND_BEAT_SECONDS = 6.0


class Beat(Protocol):
    """One beat; ``recovered``: Redis was away just now. Raises RedisError where it is away again."""

    def __call__(self, *, recovered: bool) -> object:
        """Do the beat."""


class Heart:
    """Beats every ``every`` seconds (an order's beginning to the next one's), and at once when Redis is back.

    The first beat counts as one after an outage: whatever was lost before this process began must come back as well.
    """

    def __init__(
        self,
        connection: Redis,
        beat: Beat,
        every: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection, self._beat, self._every = connection, beat, every
        self._clock, self._sleep = clock, sleep
        self._run_id: str | None = None
        self._pause = 0.0  # above 0: Redis was away at the last look
        self._due = clock()
        self._again: float | None = None  # when the second beat after an outage is due

    def run(self) -> None:
        """Beat until stopped."""
        while True:
            self.step()

    def step(self) -> None:
        """One look at Redis, the beat where one is due, and the rest until the next look. Raises what a beat raises
        beside RedisError."""
        try:
            self._look()
        except RedisError as error:
            if not self._pause:
                log.warning("Redis does not answer (%s: %s); looking again until it does", type(error).__name__, error)
            self._pause = min(LONGEST_PAUSE, self._pause * 2 or FIRST_PAUSE)
            self._sleep(self._pause)
        else:
            self._sleep(max(0.0, min(LOOK_SECONDS, self._due - self._clock())))

    def _look(self) -> None:
        run_id = str(self._connection.info("server")["run_id"])
        at = self._clock()
        back = self._pause > 0 or run_id != self._run_id
        if back and self._run_id is not None:
            log.warning("Redis is back: what it may have lost is asked for again")
        again = self._again is not None and at >= self._again
        if back or again or at >= self._due:
            self._beat(recovered=back or again)
            # Only now: a beat that Redis interrupts is one that is still to come.
            self._due = at + self._every
            self._again = at + SECOND_BEAT_SECONDS if back else None if again else self._again
        self._run_id, self._pause = run_id, 0.0
