"""What goes with takes across titles is asked of titles that no model learned from."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.errors import NotEnoughLabels
from attune.models.insights.goes_with import BOOSTING, LINEAR, learn, target
from attune.models.insights.outcomes import outcomes


def test_features_that_predict_other_titles_add_something_and_a_titles_own_name_adds_nothing() -> None:
    rng = np.random.default_rng(0)
    titles, each = 150, 4
    title = np.repeat(np.arange(titles), each)
    genre, bright = rng.integers(0, 2, titles)[title].astype(float), rng.normal(size=titles * each)
    popular = rng.normal(0, 0.4, titles)[title]
    code = rng.permutation(titles)[title].astype(float)  # known, it would tell each title's popularity
    rate = 0.02 * np.exp(0.6 * genre + 0.5 * (np.abs(bright) > 1) + popular)
    rows = outcomes(range(titles * each), title, np.zeros(titles * each), np.full(titles * each, 5000.0),
                    rng.binomial(5000, rate))  # fmt: skip
    log, weight, of = target(rows, titles * each)
    assert (of == title).all()
    bright[::50] = np.nan
    features = {"genre": genre[:, None], "bright": bright[:, None], "code": code[:, None]}
    found = learn(features, log, weight, of)
    for model in (BOOSTING, LINEAR):
        assert 0.1 < found.explains[model].mean < 0.7
        assert found.adds[model]["genre"].low > 0
        assert found.adds[model]["code"].mean < 0.05
    assert found.adds[BOOSTING]["bright"].low > 0  # neither more nor less of it: trees see it, a line does not
    assert found.adds[LINEAR]["bright"].mean < 0.02
    few = title < 40
    with pytest.raises(NotEnoughLabels, match="60 titles"):
        learn({"genre": genre[few, None]}, log[few], weight[few], of[few])
