"""What a crowd has seen: seconds of each thing that was waited for, told by all threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic


@dataclass(frozen=True)
class Look:
    """``kind`` is what was waited for; ``at`` and ``seconds`` are seconds, ``at`` from the start."""

    kind: str
    at: float
    seconds: float


@dataclass
class Seen:
    """Everything, and how often something failed or an expert found no question (``starved``)."""

    began: float = field(default_factory=monotonic)
    looks: list[Look] = field(default_factory=list)
    asked: int = 0
    starved: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, kind: str, began: float) -> None:
        """One thing that was waited for since ``began`` is there now."""
        with self.lock:
            self.looks.append(Look(kind, monotonic() - self.began, monotonic() - began))

    def tell_asked(self, found: bool) -> None:
        """An expert asked for the next question."""
        with self.lock:
            self.asked += 1
            self.starved += not found

    def tell_error(self, kind: str, error: Exception) -> None:
        """Something failed; the crowd goes on."""
        with self.lock:
            self.errors[f"{kind}: {type(error).__name__}: {str(error)[:80]}"] += 1

    @contextmanager
    def clocked(self, kind: str) -> Iterator[None]:
        """Tell how long the block took."""
        began = monotonic()
        yield
        self.tell(kind, began)

    def taken(self, kinds: str, since: float = 0.0) -> list[float]:
        """Seconds of all looks whose kind begins with ``kinds``, later than ``since``."""
        with self.lock:
            return [one.seconds for one in self.looks if one.kind.startswith(kinds) and one.at > since]
