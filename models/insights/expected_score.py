"""The score of conditional Poisson regression where properties are known as probabilities only.

A cell's score of property k is sum_i a_ik y_i - Y F_k with F_k = sum_i n_i a_ik e^(b.a_i) / sum_i n_i e^(b.a_i), where
y are takes, Y their sum and n impressions. At b = 0 it is sum_i a_ik (y_i - Y n_i / N): linear in the properties, so
probabilities in their place give its expectation exactly. Elsewhere F is a ratio of two sums over independent images;
its expectation is taken to the second order (Stuart and Ord, 10.5). With probabilities of 0 and 1 all is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from attune.models.insights.outcomes import Floats, Ints, Outcomes
from attune.models.insights.row_parts import PART, Parts, split
from attune.models.insights.states import change, sets


@dataclass(frozen=True, eq=False)
class Expected:
    """``score`` (c, k) of each cell, ``by_row`` (n, k, k): what row i's first property, were it 1 and not 0, adds to
    the score of the second, and ``information`` (c, k, k). What a free property adds to the scores of others is 0 at
    b = 0, and left out."""

    score: Floats
    by_row: Floats
    information: Floats


@dataclass(frozen=True, eq=False)
class Cells:
    """``rows`` with a cell's number in ``cell`` (n,), its first row in ``starts`` (c,), and its takes in ``taken``."""

    rows: Outcomes
    starts: Ints
    cell: Ints
    taken: Floats

    @classmethod
    def of(cls, rows: Outcomes) -> Cells:
        """Cells of rows that are sorted as ``outcomes`` sorts them."""
        starts = rows.cell_starts()
        cell = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(rows)]))
        return cls(rows, starts, cell, np.add.reduceat(rows.takes, starts) if len(starts) else np.zeros(0))

    def sums(self, values: Floats) -> Floats:
        """Sums (c, ...) of ``values`` (n, ...) over each cell."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=0), dtype=np.float64)

    def titles(self) -> Ints:
        """Each cell's title (c,)."""
        return self.rows.title[self.starts]


def blocks(rows: Parts) -> Iterator[Cells]:
    """``rows`` in parts of whole titles, so that an image and its title are in one of them."""
    for part in rows.parts():
        for block in split(part, PART):
            yield Cells.of(block)


def expected_score(cells: Cells, states: Floats, effect: Floats) -> Expected:
    """Score, its derivatives and the information at ``effect`` (k,) where row i is in ``states`` (n, s).

    ``states`` are the probabilities of having each set of properties, in the order of ``states.sets``.
    """
    rows, has = cells.rows, sets(states.shape[1], len(effect))
    lift = np.exp(has @ effect)
    each = states @ lift  # E e^(b.a)
    among = states * lift / each[:, None]  # of a take
    odds = among @ has
    weight = rows.impressions * each
    share = weight / cells.sums(weight)[cells.cell]
    mean = cells.sums(share[:, None] * odds)
    takes = cells.taken[:, None]
    score = cells.sums((states @ has) * rows.takes[:, None]) - takes * (mean + _moved(cells, states, lift, share, mean))
    by_row = _by_row(cells, states, lift, share / each, mean)
    products = np.einsum("ns,sk,sl->nkl", among, has, has)
    inner = cells.sums(share[:, None, None] * products) - mean[:, :, None] * mean[:, None, :]
    unsure = products - odds[:, :, None] * odds[:, None, :]
    information = takes[:, :, None] * (inner - cells.sums((share**2)[:, None, None] * unsure))
    return Expected(score, by_row, information)


def _moved(cells: Cells, states: Floats, lift: Floats, share: Floats, mean: Floats) -> Floats:
    """What the expectation of the ratio F adds to the ratio of the expectations, (c, k)."""
    has = sets(states.shape[1], mean.shape[1])
    each = states @ lift
    twice = (states * lift**2) / (each**2)[:, None]
    of_sum = cells.sums(share**2 * (twice.sum(axis=1) - 1))
    both = cells.sums((share**2)[:, None] * (twice @ has - (states * lift) @ has / each[:, None]))
    return np.asarray(mean * of_sum[:, None] - both)


def _by_row(cells: Cells, states: Floats, lift: Floats, scaled: Floats, mean: Floats) -> Floats:
    """``Expected.by_row``: a property comes, and the image's others change as ``states.change`` says."""
    properties = mean.shape[1]
    has, classes = sets(states.shape[1], properties), states.shape[1] == properties + 1
    by_row = np.empty((len(states), properties, properties))
    taken = cells.taken[cells.cell] * scaled
    for one in range(properties):
        moved = change(states, one, properties) * lift
        apart = moved @ has - mean[cells.cell] * moved.sum(axis=1, keepdims=True)
        if not classes:
            apart *= np.arange(properties) == one
        by_row[:, one] = -taken[:, None] * apart
        by_row[:, one, one] += cells.rows.takes
    return by_row
