"""What a process keeps of the answers that it read: so much in all, and one reader for each attribute."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import URL

from attune.labeler.answers.answer_table import AnswerTable

ROWS = 4_000_000  # that a process keeps of all attributes, as `AnswerTable.weight` counts, of 80 bytes or so: 330 MB


class Stamp(NamedTuple):
    """What decides an attribute's answers: its counter, the newest line of history, the newest revision."""

    counter: int
    event: int
    revision: int


Held = tuple[Stamp, AnswerTable]
Key = tuple[URL, int]


class KeptTables:
    """The tables of this process, the one that was used longest ago first; of ``rows`` in all."""

    def __init__(self, rows: int = ROWS) -> None:
        self.rows = rows
        self.lock = threading.Lock()
        self.tables: OrderedDict[Key, Held] = OrderedDict()
        self.readers: dict[Key, threading.Lock] = {}

    def good(self, url: URL, stamps: Mapping[int, Stamp]) -> dict[int, AnswerTable]:
        """The tables that still say what counts."""
        found = self.held(url, stamps)
        return {key: table for key, (stamp, table) in found.items() if stamp == stamps[key]}

    def held(self, url: URL, attribute_ids: Iterable[int]) -> dict[int, Held]:
        """What is kept of these attributes, whether it still holds or not."""
        with self.lock:
            keys = [key for key in attribute_ids if (url, key) in self.tables]
            for key in keys:
                self.tables.move_to_end((url, key))
            found = {key: self.tables[url, key] for key in keys}
            self._make_room(0, ())  # what pages had remembered since was not counted yet
            return found

    def reader(self, url: URL, attribute_id: int) -> threading.Lock:
        """What a request holds while it reads an attribute's answers: others wait, and find them."""
        with self.lock:
            return self.readers.setdefault((url, attribute_id), threading.Lock())

    def unlock(self) -> None:
        """Forget the locks of a process that was just forked: their holders stayed with its parent."""
        self.lock, self.readers = threading.Lock(), {}

    def keep(self, url: URL, fresh: Mapping[int, Held], used: Collection[int]) -> None:
        """Keep ``fresh``, unless another request has read a later moment since, and as far as there is room.

        Nothing that the request itself ``used`` makes room: it would be missing the next time, and so on in turn.
        """
        with self.lock:
            stay = {(url, key) for key in used}
            for key, one in fresh.items():
                held = self.tables.get((url, key))
                if held is not None and held[0] > one[0]:
                    continue
                self.tables.pop((url, key), None)
                self._make_room(one[1].weight, stay)
                if self._weight() + one[1].weight <= self.rows:
                    self.tables[url, key] = one
                    stay.add((url, key))

    def _make_room(self, weight: int, stay: Collection[Key]) -> None:
        """Let go of what pages remember first: to work that out again takes less than to read the answers again."""
        if weight > self.rows:
            return
        over = self._weight() + weight - self.rows
        for _, table in self.tables.values() if over > 0 else ():
            before = table.weight
            table.known.clear()
            over -= before - table.weight
            if over <= 0:
                return
        for key in [key for key in self.tables if key not in stay]:
            if over <= 0:
                return
            over -= self.tables.pop(key)[1].weight

    def _weight(self) -> int:
        return sum(table.weight for _, table in self.tables.values())
