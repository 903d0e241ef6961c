"""Who prepares a large pool for *Similar*: a worker is asked, once, and after a failure not before a rest."""

from __future__ import annotations

from attune.labeler.jobs.ask_once import AGAIN, ask_once
from attune.labeler.settings import Settings
from attune.labeler.spaces.towers import KIND
from attune.models.errors import NotPrepared, PoolError


def ask(settings: Settings) -> str | None:
    """Have a worker prepare the pool now: the scheduler may not have seen the change yet.

    Returns why the last job failed, where it is too soon for another; else None. Raises ServiceDown.
    """
    return ask_once(settings, KIND)


def missing(images: int, error: str | None) -> PoolError:
    """What to raise where nothing is prepared: that a worker is at it, or the ``error`` that stopped the last one."""
    if error is not None:
        return PoolError(
            f"A worker could not prepare the pool's {images:,} images for this: {error} A worker tries again after "
            f"{AGAIN.seconds // 60} minutes."
        )
    return NotPrepared(
        f"A worker is preparing the pool's {images:,} images for this, because something changed. Try again in half a "
        "minute."
    )
