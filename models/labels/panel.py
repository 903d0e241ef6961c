"""Who said what about which image: experts' votes as one table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attune.models.errors import DataError
from attune.models.labels.answers import Answer, latest

NO_VOTE = -1


@dataclass(frozen=True, eq=False)
class Panel:
    """Votes intp (assets, experts), the index of a class or ``NO_VOTE``; every asset has a vote, ids are sorted.

    Unsure and skipped answers are no votes: there is nothing in them to agree about. Raises DataError on shapes that
    do not fit or a vote outside the classes.
    """

    asset_ids: tuple[str, ...]
    title_ids: tuple[str, ...]
    experts: tuple[str, ...]
    classes: tuple[str, ...]
    votes: NDArray[np.intp]

    def __post_init__(self) -> None:
        votes = np.array(self.votes, dtype=np.intp).reshape(len(self.asset_ids), len(self.experts))
        if len(self.title_ids) != len(self.asset_ids) or len(self.classes) < 2:
            raise DataError(
                f"A panel of {len(self.asset_ids)} assets has {len(self.title_ids)} titles and the classes "
                f"{list(self.classes)}. Expected one title per asset, and 2 or more classes."
            )
        if ((votes < NO_VOTE) | (votes >= len(self.classes))).any():
            raise DataError(
                f"Votes are between {votes.min()} and {votes.max()}. Expected {NO_VOTE} to {len(self.classes) - 1}."
            )
        votes.setflags(write=False)
        object.__setattr__(self, "votes", votes)

    @classmethod
    def of(cls, answers: Iterable[Answer], classes: Sequence[str]) -> Panel:
        """The table of each expert's newest answer on each asset, whatever the order they came in."""
        column = {name: i for i, name in enumerate(classes)}
        answer_list = [answer for answer in latest(answers) if answer.value in column]
        assets, experts = sorted({a.asset_id for a in answer_list}), sorted({a.expert for a in answer_list})
        row, seat = {a: i for i, a in enumerate(assets)}, {e: i for i, e in enumerate(experts)}
        title = {answer.asset_id: answer.title_id for answer in answer_list}
        votes = np.full((len(assets), len(experts)), NO_VOTE, dtype=np.intp)
        for answer in answer_list:
            votes[row[answer.asset_id], seat[answer.expert]] = column[answer.value]
        return cls(tuple(assets), tuple(title[a] for a in assets), tuple(experts), tuple(classes), votes)

    def counts(self) -> NDArray[np.intp]:
        """How many experts chose each class, intp (assets, classes)."""
        return np.stack([(self.votes == i).sum(axis=1) for i in range(len(self.classes))], axis=1).astype(np.intp)

    def leaving_out(self, seat: int) -> Panel:
        """The panel without one expert, and without the images that no one else answered."""
        votes = np.delete(self.votes, seat, axis=1)
        rows_with_votes = np.flatnonzero((votes != NO_VOTE).any(axis=1)).tolist()
        return Panel(
            tuple(self.asset_ids[row] for row in rows_with_votes),
            tuple(self.title_ids[row] for row in rows_with_votes),
            tuple(name for place, name in enumerate(self.experts) if place != seat),
            self.classes,
            votes[rows_with_votes],
        )

    def without(self, seat: int) -> NDArray[np.intp]:
        """The majority of all experts but one, intp (assets,): ``NO_VOTE`` where the others tie or are silent."""
        return leader(self.counts() - (self.votes[:, [seat]] == np.arange(len(self.classes))))


def leader(counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """The class that leads alone in each row of ``counts`` (n, k), ``NO_VOTE`` on a tie, intp (n,)."""
    ordered = np.sort(counts, axis=1)
    return np.where(ordered[:, -1] > ordered[:, -2], counts.argmax(axis=1), NO_VOTE).astype(np.intp)
