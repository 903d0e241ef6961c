"""The answers of one attribute as columns in memory, and what pages count, compare and list of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from attune.models.labels.answers import SKIP, UNSURE

ENTRY = 4  # rows, of 80 bytes or so, that an entry of what is remembered weighs: a dictionary in one takes 270
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
Ints = npt.NDArray[np.int64]
T = TypeVar("T", bound=Sized)


@dataclass(frozen=True, eq=False)
class Votes:
    """How many experts gave which answer: ``assets`` (m,) ascending, ``codes`` (m,) of the answer, ``counts`` (m,)."""

    assets: Ints
    codes: Ints
    counts: Ints


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """The newest annotation that holds of each expert on each asset, skips among them, in no order: n of each column.

    ``codes`` are places in ``words``; ``answered``: microseconds since 1970; ``seconds`` of the look (NaN: not known);
    ``paged``: it was on a page of images.
    """

    words: tuple[str, ...]
    ids: Ints
    assets: Ints
    experts: Ints
    codes: Ints
    answered: Ints
    seconds: npt.NDArray[np.float64]
    paged: npt.NDArray[np.bool_]
    known: dict[Hashable, Sized] = field(default_factory=dict)

    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """All columns, in their order."""
        return (self.ids, self.assets, self.experts, self.codes, self.answered, self.seconds, self.paged)

    @property
    def weight(self) -> int:
        """How much memory it takes, in rows; what is remembered of them counts, too."""
        remembered = list(self.known.values())
        return len(self.ids) + ENTRY * sum(len(one) for one in remembered)

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, worked out once for as long as these answers stand and there is room."""
        found = self.known.get(key)  # once: another request may make room meanwhile
        if found is None:
            found = self.known[key] = make()
        return cast(T, found)

    def code(self, word: str) -> int:
        """The place of an answer's word; -1 where nobody gave it."""
        return self.words.index(word) if word in self.words else -1

    @cached_property
    def is_answer(self) -> npt.NDArray[np.bool_]:
        """Which rows are answers: all but skips."""
        return np.asarray(self.codes != self.code(SKIP))

    @cached_property
    def tally(self) -> Mapping[tuple[int, str], int]:
        """How often each expert said what, skips among it."""
        size = max(len(self.words), 1)
        pairs, counts = np.unique(self.experts * size + self.codes, return_counts=True)
        return {
            (pair // size, self.words[pair % size]): count
            for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)
        }

    @cached_property
    def images(self) -> int:
        """How many assets have an answer."""
        return len(np.unique(self.assets[self.is_answer]))

    @cached_property
    def newest(self) -> npt.NDArray[np.intp]:
        """The rows, the newest answer first."""
        return np.asarray(np.lexsort((-self.ids, -self.answered)))

    def looks(self, which: npt.NDArray[np.bool_], longest: float, most: int) -> npt.NDArray[np.float64]:
        """The seconds of the ``most`` newest looks of ``which`` (n,) that took more than 0 and ``longest`` at most."""
        rows = np.flatnonzero(which & (self.seconds > 0) & (self.seconds <= longest))
        return self.seconds[rows[np.argsort(-self.ids[rows])][:most]]

    @cached_property
    def votes(self) -> Votes:
        """The answers by asset, unsure among them."""
        size = max(len(self.words), 1)
        joined, counts = np.unique(self.assets[self.is_answer] * size + self.codes[self.is_answer], return_counts=True)
        return Votes(joined // size, joined % size, counts.astype(np.int64))

    @cached_property
    def disputed(self) -> Ints:
        """The keys of the assets that got two classes or more, the most evenly split first, then the most votes."""
        sure = self.votes.codes != self.code(UNSURE)
        assets, counts = self.votes.assets[sure], self.votes.counts[sure]
        keys, starts, sides = np.unique(assets, return_index=True, return_counts=True)
        if not len(keys):
            return np.empty(0, dtype=np.int64)
        most, votes = np.maximum.reduceat(counts, starts), np.add.reduceat(counts, starts)
        order = np.lexsort((keys, -votes, most / votes))
        return np.asarray(keys[order[sides[order] > 1]])


def table_of(rows: Sequence[Any], words: Sequence[str] = ()) -> AnswerTable:
    """The table of ``rows``: annotation, asset, expert, value, answered when, seconds, page or None.

    ``words`` keep their places.
    """
    columns: Any = list(zip(*rows, strict=True)) or [[]] * 7
    places = {word: place for place, word in enumerate(dict.fromkeys([*words, *columns[3]]))}
    return AnswerTable(
        words=tuple(places),
        ids=np.array(columns[0], dtype=np.int64),
        assets=np.array(columns[1], dtype=np.int64),
        experts=np.array(columns[2], dtype=np.int64),
        codes=np.array([places[value] for value in columns[3]], dtype=np.int64),
        answered=np.array([microseconds(at) for at in columns[4]], dtype=np.int64),
        seconds=np.array(columns[5], dtype=np.float64),
        paged=np.array([page is not None for page in columns[6]], dtype=bool),
    )


def microseconds(at: datetime) -> int:
    """A moment as the table has it."""
    return (at - EPOCH) // MICROSECOND


def moment(at: int) -> datetime:
    """`microseconds` back."""
    return EPOCH + at * MICROSECOND
