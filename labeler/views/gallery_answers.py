"""What experts said of the images of a gallery: counts by class, audits among them and never apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy.orm import Session

from attune.labeler.answers import held_answers
from attune.labeler.answers.answer_table import AnswerTable
from attune.labeler.records.schema import Attribute
from attune.models.labels.answers import UNSURE

Sides = Mapping[int, Mapping[str, int]]  # Asset.id -> answer -> how many experts


def sides(session: Session, attribute: Attribute) -> Sides:
    """Every image with an answer; its answers in the order of the classes, unsure last."""
    table, order = held_answers.of(session, attribute.id), (*attribute.classes, UNSURE)
    return table.remember(("sides", order), lambda: _sides(table, order))


def _sides(table: AnswerTable, order: Sequence[str]) -> Sides:
    votes, place = table.votes, {word: place for place, word in enumerate(order)}
    rank = np.array([place.get(word, -1) for word in table.words], dtype=np.intp)[votes.codes]
    rows = np.lexsort((rank, votes.assets))
    found: dict[int, dict[str, int]] = {key: {} for key in np.unique(votes.assets).tolist()}
    columns = (votes.assets[rows], rank[rows], votes.counts[rows])
    for key, at, count in zip(*(column.tolist() for column in columns), strict=True):
        if at >= 0:
            found[key][order[at]] = count
    return found
