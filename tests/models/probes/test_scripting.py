"""The loop of a script: plain ids and class names in, and the audit titles kept apart without a word about it."""

from __future__ import annotations

import numpy as np
import pytest

import attune
from attune.models.errors import DataError

CLASSES = ["serious", "other"]


def world(n: int = 300) -> tuple[attune.Pool, dict[str, str]]:
    x = np.random.default_rng(3).normal(size=(n, 12))
    ids = [f"a{i}" for i in range(n)]
    pool = attune.Pool.of(ids, 7 * x, title_ids=[f"t{i // 3}" for i in range(n)])
    return pool, {name: CLASSES[0] if row[0] > 0 else CLASSES[1] for name, row in zip(ids, x, strict=True)}


def test_a_script_learns_measures_and_asks_for_more() -> None:
    pool, labels = world()
    known = dict(list(labels.items())[:210])
    probe = attune.fit(pool, known, CLASSES)
    figure = attune.evaluate(pool, probe, known)
    assert figure.value is not None
    assert figure.lo is not None
    assert figure.value > 0.9
    assert figure.lo > 0.5
    asks = attune.plan(pool, probe, known, 12, asked=["a299"])
    assert len(asks) == 12
    assert not {ask.asset_id for ask in asks} & {*known, "a299"}


def test_what_is_measured_was_never_trained_on() -> None:
    """With the labels of the measured titles turned round, the probe stays the same and the figure falls."""
    pool, labels = world()
    honest = attune.fit(pool, labels, CLASSES, seed=4)
    turned = {name: CLASSES[1 - CLASSES.index(value)] for name, value in labels.items()}
    figure = attune.evaluate(pool, honest, labels, seed=4)
    measured = [name for name in labels if _changes(pool, honest, labels, turned, name)]
    assert len(measured) == figure.n
    assert 0.1 < len(measured) / len(labels) < 0.35
    mixed = labels | {name: turned[name] for name in measured}
    again = attune.fit(pool, mixed, CLASSES, seed=4)
    assert np.array_equal(again.weight_, honest.weight_)
    worse = attune.evaluate(pool, again, mixed, seed=4)
    assert worse.value is not None
    assert figure.value is not None
    assert worse.value < figure.value - 0.3
    asked = {ask.asset_id for ask in attune.plan(pool, honest, {}, 50, seed=4)}
    assert not asked & set(measured)


def _changes(pool: attune.Pool, probe: object, labels: dict[str, str], turned: dict[str, str], name: str) -> bool:
    """Whether the asset counts in the figure at all."""
    one = attune.evaluate(pool, probe, {name: labels[name]}, seed=4)  # type: ignore[arg-type]
    return one.n == 1


def test_what_does_not_fit_is_refused_by_name() -> None:
    pool, labels = world(30)
    for wrong in ({"a1": "grave"}, {"nowhere": "other"}):
        with pytest.raises(DataError, match=next(iter(wrong.values() if "a1" in wrong else wrong))):
            attune.fit(pool, wrong, CLASSES)
    with pytest.raises(DataError, match="two or more"):
        attune.fit(pool, labels, ["serious"])
    with pytest.raises(DataError, match="more than once"):
        attune.Pool.of(["a", "a"], np.eye(2))
    with pytest.raises(DataError, match=r"\(N, d\)"):
        attune.Pool.of(["a", "b"], np.ones(2))


def test_too_few_labels_give_a_reason_and_no_figure() -> None:
    pool, labels = world(60)
    few = dict(list(labels.items())[:6])
    figure = attune.evaluate(pool, attune.fit(pool, few, CLASSES), few)
    assert figure.value is None
    assert figure.reason
