"""The plain ways beside a space have penalties that suit the labels, and the card says how they came about."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.similarity import plain_tuning
from attune.models.similarity.plain_tuning import PlainSettings, tune_plain
from attune.models.similarity.space_measures import compare
from attune.models.similarity.space_version import table
from attune.models.similarity.taste_learning import TasteSettings, learn_space
from tests.models.similarity.test_taste_learning import world

SMALL = TasteSettings(rows=8, kept=8, components=24, epochs=2, maps=1)


def test_penalties_are_chosen_on_the_taught_rows_and_a_useless_one_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, labels, titles = world(480)
    monkeypatch.setattr(plain_tuning, "RIDGES", (1e9, 1.0))  # so large a penalty leaves rounding errors
    monkeypatch.setattr(plain_tuning, "CS", (1e-9, 0.1))
    found = tune_plain(x, labels, titles, 24, seed=1)
    assert found == PlainSettings(1.0, 0.1, True)
    assert tune_plain(x, labels, titles, 24, seed=1) == found


def test_the_card_says_whether_the_plain_ways_were_tuned_and_measures_them_so() -> None:
    x, labels, titles = world(240)
    space = learn_space(x[:160], labels[:160], SMALL)
    sides = (x[:160], labels[:160]), (x[160:], labels[160:])
    usual = compare(space, *sides, titles[160:], 0)
    other = compare(space, *sides, titles[160:], 0, PlainSettings(30.0, 0.00001, True))
    assert usual is not None
    assert other is not None
    assert usual["ridge"] != other["ridge"]
    assert usual["logistic"] != other["logistic"]
    assert usual["raw"] == other["raw"]
    assert "were not tuned" in "\n".join(table(usual))
    assert "Ridge (penalty 30) and logistic regression (C 1e-05) were tuned like this space" in "\n".join(table(other))
    older = {name: value for name, value in usual.items() if name != "plain"}
    assert "were not tuned" in "\n".join(table(older)), "the card of a version of before can be written again"
    assert np.isfinite(usual["ridge"]["precision"]["value"])
