"""Rows that are read from a file, a part of the titles at a time, say what the same rows in memory do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from attune.models.insights import differing, row_parts
from attune.models.insights.across_titles import effect_across, naive_ratio
from attune.models.insights.corrected import corrected_jointly
from attune.models.insights.goes_with import target
from attune.models.insights.outcomes import Floats, Outcomes, outcomes
from attune.models.insights.propensity import Weights
from attune.models.insights.row_parts import Parts, Stored, Valued
from attune.models.insights.two_features import Feature, depends, holding
from attune.models.insights.within_title import effect_within
from tests.models.insights.test_two_features import said, world

TITLES = 150


def of_two_canvases() -> tuple[Outcomes, Floats, Floats]:
    """Images on two canvases in unequal numbers of titles, some never shown, and two properties of them."""
    rows, first, second = world(3, TITLES)
    half = rows.where(rows.title % 3 > 0)
    shown = np.where(np.arange(len(half)) % 7, half.impressions, 0.0)
    columns = (
        np.r_[one, other] for one, other in (
            (rows.asset, half.asset), (rows.title, half.title), (rows.canvas, half.canvas + 1),
            (rows.impressions, shown), (rows.takes, np.minimum(half.takes, shown)),
        )
    )  # fmt: skip
    return outcomes(*columns), first, second


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stored:
    monkeypatch.setattr(row_parts, "PART", 90)
    monkeypatch.setattr(differing, "REMEMBERED", 100)
    rows, found = of_two_canvases()[0], Stored(tmp_path)
    middle = int(np.searchsorted(rows.title, 60))
    for part in (slice(0, middle), slice(middle, None)):
        found.add(rows.where(part))
    assert (len(found), len(list(found.parts())) > 8) == (len(rows), True)
    return found


def same(one: Any, other: Any) -> None:
    if is_dataclass(one) and not isinstance(one, type):
        one, other = asdict(one), asdict(other)
    if isinstance(one, dict):
        one, other = list(one.values()), list(other.values())
    if one is None or other is None:
        assert one is other
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other) > 0
        for pair in zip(one, other, strict=True):
            same(*pair)
    else:
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)  # two features: a root to 1e-10


def effects() -> dict[str, Callable[[Parts], Any]]:
    _, first, second = of_two_canvases()
    probe, number = said(first, 2.0, 5), np.linspace(-1, 1, len(first)) * (1 + second)
    unknown = np.where(np.arange(len(first)) % 11, number, np.nan)
    return {
        "within": lambda rows: effect_within(Valued(rows, unknown)),
        "within, on a canvas": lambda rows: effect_within(Valued(rows.chosen(lambda part: part.canvas == 1), first)),
        "across": lambda rows: effect_across(Valued(rows, unknown)),
        "naive": lambda rows: naive_ratio(Valued(rows, unknown)),
        "corrected": lambda rows: corrected_jointly(rows, [probe, said(second, 2.0, 6)]),
        "depends": lambda rows: depends(rows, Feature(probe.says, probed=probe), Feature(second)),
        "holding": lambda rows: holding(rows, Feature(first), Feature(number, number=True)),
        "what goes with takes": lambda rows: target(rows, len(first)),
    }


@pytest.mark.parametrize("name", list(effects()))
def test_rows_in_a_file_say_what_they_say_in_memory(name: str, stored: Stored) -> None:
    of = effects()[name]
    same(of(stored), of(of_two_canvases()[0]))


def test_weights_by_logged_chances_are_the_same_in_parts(tmp_path: Path, stored: Stored) -> None:
    rows = of_two_canvases()[0]
    chance = np.where(np.arange(len(rows)) % 50, 0.04 + 0.5 * (rows.asset % 4 == 0), np.nan)
    logged = Stored(tmp_path, beside=True)
    logged.add(rows, chance)
    whole, parts = Weights.of([(rows, chance)]), Weights.of(logged.with_more())
    same(parts, whole)
    assert whole.overlap.rows < len(rows)
    weighted = whole.rows(rows, chance)
    for name in ("asset", "title", "canvas", "impressions", "takes"):
        found = np.concatenate([getattr(parts.rows(*part), name) for part in logged.with_more()])
        same(found, getattr(weighted, name))


def test_nothing_stays_of_the_file(tmp_path: Path, stored: Stored) -> None:
    assert list(tmp_path.iterdir()) == []
    assert sum(len(part) for part in stored.parts()) == len(stored)


def test_a_disk_that_takes_a_part_of_what_is_written_gets_the_rest(tmp_path: Path) -> None:
    rows, found = of_two_canvases()[0], Stored(tmp_path)
    taken = found._file.write
    found._file = Mock(wraps=found._file)
    found._file.write.side_effect = lambda data: taken(data[:1000])
    found.add(rows)
    (read,) = found.parts()
    assert all(np.array_equal(getattr(read, name), getattr(rows, name)) for name in ("impressions", "takes", "asset"))
    found._file.write.side_effect = lambda _: 0
    with pytest.raises(OSError, match="No space left"):
        found.add(rows)
