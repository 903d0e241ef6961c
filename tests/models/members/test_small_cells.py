"""No cell below the floor is told, and none can be calculated from what is."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest

from attune.models.members.small_cells import FLOOR, HIDDEN, shown

LOW = 3


@pytest.mark.parametrize(("groups", "most"), [(2, 14), (3, 14), (4, 10)])
def test_no_hidden_cell_can_be_worked_out_from_what_is_told(groups: int, most: int) -> None:
    """Every table up to ``most`` members in a cell: all that look the same outside are compared inside."""
    tables = np.array(list(itertools.product(range(most), repeat=groups)))
    cells, total = shown(tables, floor=LOW, rounded=1)
    inside: dict[tuple[int, ...], list[tuple[int, ...]]] = defaultdict(list)
    for table, told, whole in zip(tables.tolist(), cells.tolist(), total.tolist(), strict=True):
        assert all(cell == HIDDEN or cell >= LOW for cell in told)
        inside[(*told, whole)].append(tuple(table))
    checked = 0
    for told, possible in inside.items():
        rest = told[-1] - sum(one for one in told[:-1] if one != HIDDEN)
        if told[-1] == HIDDEN or rest >= most:  # larger tables that look the same are not listed
            continue
        for place in (place for place in range(groups) if told[place] == HIDDEN):
            small = {one[place] for one in possible} & set(range(LOW))
            assert small in (set(), set(range(LOW))), (told, small)
            checked += bool(small)
    assert checked > 8


def test_a_row_tells_its_large_cells_and_hides_a_partner_of_the_small_one() -> None:
    cells, total = shown([[500, 300, 7, 95], [500, 300, 80, 7], [60, 10, 5, 5], [400, 300, 200, 100]])
    assert 95 + 7 >= 2 * FLOOR - 1 > 80 + 7
    assert cells.tolist() == [
        [500, 300, HIDDEN, HIDDEN], [500, HIDDEN, HIDDEN, HIDDEN], [HIDDEN] * 4, [400, 300, 200, 100],
    ]  # fmt: skip
    assert total.tolist() == [900, 890, HIDDEN, 1000]


def test_counts_are_rounded_so_one_member_less_is_rarely_seen() -> None:
    cells, total = shown([[164, 203]])
    assert cells.tolist() == [[160, 200]]
    assert total.tolist() == [370]
