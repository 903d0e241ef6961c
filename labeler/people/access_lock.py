"""One at a time for one person's access to Label Studio: whoever opens it and whoever ends it wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attune.labeler.records.one_at_a_time import hold_lock
from attune.labeler.settings import Settings

PATIENCE_SECONDS = 300  # for another who makes the queues of a person: some dozens at most


@contextmanager
def hold_access_lock(settings: Settings, email: str, patience_seconds: int = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the person's lock while the block runs; what was read before it may no longer hold.

    Raises ServiceDown where another has held it for ``patience_seconds``. The holder may not ask for it again.
    """
    busy = (
        f"Another process has been changing the access of {email} to Label Studio for {patience_seconds} s. "
        "Attune will try again. To check that Label Studio answers: `attune doctor`"
    )
    with hold_lock(settings, f"turn:{email}", patience_seconds, busy):
        yield
