"""The scores that pages read: in any order written, by key found, and never of other classes than today's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attune.labeler.explore import pool_scores
from attune.labeler.explore.pool_scores import RankedRight
from attune.models.probes.decision import NO_LABEL
from tests.support import factories, scored


def test_scores_come_back_by_key_whatever_order_they_were_written_in(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    serious = factories.add_attribute(settings, classes=["yes", "no"])
    assets = factories.add_assets(settings, 5)
    ranked = {"yes": RankedRight(40, 20, 18, 6.0)}
    scored.leave(settings, serious, assets[::-1], [0.9, 0.2, 0.5, 0.51, 0.7], run=3, ranked=ranked)
    found = pool_scores.load(settings, serious)
    assert found is not None
    assert found.keys.tolist() == [one.id for one in assets]
    assert found.probabilities[:, 0] == pytest.approx([0.7, 0.51, 0.5, 0.2, 0.9])
    assert found.said.tolist() == [0, 0, NO_LABEL, 1, 0]
    assert found.shown == pytest.approx([0.7, 0.51, 0.5, 0.8, 0.9])
    assert found.rows([assets[3].id, 10**6, assets[0].id]).tolist() == [3, -1, 0]
    assert found.at([4])[0] == pytest.approx([0.9, 0.1])
    assert found.summary.top["yes"][:2] == [assets[4].id, assets[0].id]
    assert found.summary.doubtful[:2] == [assets[2].id, assets[1].id]
    assert (found.summary.run, found.summary.pool, found.summary.ranked) == (3, 5, ranked)


def test_a_threshold_says_where_a_class_begins_and_where_doubt_is(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    serious = factories.add_attribute(settings, classes=["yes", "no"])
    assets = factories.add_assets(settings, 3)
    scored.leave(settings, serious, assets, [0.79, 0.5, 0.95], thresholds={"yes": 0.8, "no": 0.2})
    found = pool_scores.load(settings, serious)
    assert found is not None
    assert found.said.tolist() == [1, 1, 0]
    assert found.summary.doubtful[0] == assets[0].id


def test_scores_of_other_classes_or_of_no_run_are_none(tmp_path: Path) -> None:
    settings = factories.workspace(tmp_path)
    serious = factories.add_attribute(settings, classes=["yes", "no"])
    assert pool_scores.load(settings, serious) is None
    scored.leave(settings, serious, factories.add_assets(settings, 2), [0.1, 0.9])
    serious.classes = ["yes", "no", "maybe"]
    assert pool_scores.load(settings, serious) is None


def test_what_is_held_moves_with_more_answers_alone(tmp_path: Path) -> None:
    """An owner who labels could else take an answer back and give it again to see whether it was an audit."""
    settings = factories.workspace(tmp_path)
    serious = factories.add_attribute(settings, classes=["yes", "no"])
    keys, p = np.array([1]), np.array([[0.4, 0.6]])
    held: list[int] = []
    for right, steps in enumerate((7, 6, 7, 8)):
        pool_scores.save(settings, serious, right, keys, p, {}, {"yes": RankedRight(40, 20, right, 6.0)}, steps)
        found = pool_scores.load(settings, serious)
        assert found is not None
        held.append(found.summary.held["yes"].right)
    assert held == [0, 0, 0, 3]


def test_the_doubt_of_many_classes_is_between_the_two_likeliest() -> None:
    p = np.array([[0.5, 0.3, 0.2], [0.4, 0.39, 0.21]])
    assert pool_scores.margin(p, ["a", "b", "c"], {}) == pytest.approx([0.2, 0.01])
