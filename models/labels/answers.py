"""What an expert said about an image: one answer, never changed once given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from attune.models.errors import DataError

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
UNSURE = "unsure"
SKIP = "skip"
AUDIT = "audit"
SECOND_OPINION = "second-opinion"
BY_HAND = "by-hand"
IMPORT = "import"  # no one was asked: the answer came from a file, so never with a known probability
# Why an image was put to an expert; the only list of it. ``by-hand`` is the one that no round gives: someone put the
# image into the queue in Label Studio.
PURPOSES = ("seed", "spread", "borderline", "likely", "near-miss", AUDIT, SECOND_OPINION, BY_HAND, IMPORT)


@dataclass(frozen=True)
class Answer:
    """One expert's answer on one asset.

    ``value`` is a class, ``UNSURE`` or ``SKIP``; ``purpose`` is why the asset was put to this expert (one of
    ``PURPOSES``, or a plugged-in strategy's name); ``inclusion`` is the probability with which an audit had
    drawn the asset when it was asked, in (0, 1], and None outside the audit. Raises DataError on a naive time,
    an empty id or an impossible probability.
    """

    asset_id: str
    title_id: str
    expert: str
    value: str
    purpose: str
    answered_at: datetime
    inclusion: float | None = None

    def __post_init__(self) -> None:
        # By name, and not in a loop: a round makes one of each of 40,000 answers, twice.
        if not (self.asset_id and self.title_id and self.expert and self.value and self.purpose):
            names = ("asset_id", "title_id", "expert", "value", "purpose")
            empty = next(name for name in names if not getattr(self, name))
            raise DataError(f"An answer has an empty {empty}: {self!r}. Give a value for every field.")
        if self.answered_at.tzinfo is None:
            raise DataError(
                f"The answer on {self.asset_id!r} has the time {self.answered_at!r}, without a time zone. Make "
                "times with attune.models.clock.now() or attune.models.clock.parse()."
            )
        if self.inclusion is not None and not 0.0 < self.inclusion <= 1.0:
            raise DataError(
                f"The answer on {self.asset_id!r} has the inclusion probability {self.inclusion!r}. Expected "
                "above 0 and at most 1, as AuditDesign.extend returns it, or None."
            )


def latest(answers: Iterable[Answer]) -> list[Answer]:
    """The newest answer of each expert on each asset, sorted by asset and expert; the order given does not matter.

    Two answers of one instant are decided by their value, so that every order of arrival ends alike. A skip that
    is newer than an answer withdraws it: people skip what they wish they had not said.
    """
    newest = newest_of_each(answers, key=lambda answer: (answer.asset_id, answer.expert), age=_age)
    return [newest[key] for key in sorted(newest)]


def newest_of_each(rows: Iterable[T], key: Callable[[T], K], age: Callable[[T], Any]) -> dict[K, T]:
    """Of the rows with one ``key`` that with the greatest ``age``; of equal ones the first."""
    newest: dict[K, T] = {}
    for row in rows:
        current = newest.get(key(row))
        if current is None or age(row) > age(current):
            newest[key(row)] = row
    return newest


def _age(answer: Answer) -> tuple[datetime, str, str, float, str]:
    return (answer.answered_at, answer.value, answer.purpose, answer.inclusion or 0.0, answer.title_id)
