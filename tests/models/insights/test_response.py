"""Open audits bias the correction where they count as never drawn; weighed as drawn, the interval holds."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.errors import NotEnoughLabels
from attune.models.insights.corrected import corrected
from attune.models.insights.probed import probed
from attune.models.insights.response import MOST_OPEN, check_answered, response
from tests.models.insights.test_corrected import EFFECT, audited, world

CAMPAIGNS = 30


def test_a_half_that_is_open_by_chance_no_longer_breaks_the_interval() -> None:
    held = {"drawn": 0, "answered": 0}
    apart = []
    for seed in range(CAMPAIGNS):
        rows, true = world(seed)
        whole = audited(rows, true[:, 0], seed, 1.8, 0.5)
        done = np.random.default_rng(seed).random(len(whole.audited)) < 0.5
        share = response(whole.probability[whole.audited], whole.inclusion, done)
        for name, weight in (("drawn", np.ones(len(share))), ("answered", share)):
            part = probed(whole.probability, whole.audited[done], whole.answer[done], (whole.inclusion * weight)[done])
            effect = corrected(rows, part).effect
            held[name] += effect.ci[0] <= EFFECT <= effect.ci[1]
            if name == "answered":
                apart.append(effect.estimate - EFFECT)
    assert held["answered"] >= 0.87 * CAMPAIGNS > held["drawn"]
    assert abs(np.mean(apart)) < 3 * np.std(apart) / np.sqrt(CAMPAIGNS)


def test_the_answered_stand_for_all_that_were_drawn_where_images_score_alike() -> None:
    rng = np.random.default_rng(0)
    score, chance = rng.random(400), rng.uniform(0.05, 0.9, 400)
    done = rng.random(400) < 0.3 + 0.6 * score  # images that score high are answered more
    share = response(score, chance, done)
    assert (1 / (chance * share))[done].sum() == pytest.approx((1 / chance).sum())
    weight = (1 / (chance * share))[done]
    assert np.average(score[done], weights=weight) == pytest.approx(np.average(score, weights=1 / chance), abs=0.02)
    assert abs(np.average(score[done], weights=1 / chance[done]) - np.average(score, weights=1 / chance)) > 0.04
    assert response(score, chance, np.ones(400, dtype=bool)) == pytest.approx(1)
    assert (response(score[:5], chance[:5], np.zeros(5, dtype=bool)) == 1).all()


def test_more_than_one_open_audit_in_twenty_is_refused_with_how_many() -> None:
    done = np.ones(100, dtype=bool)
    done[: int(MOST_OPEN * 100)] = False
    check_answered("mood", done)
    done[99] = False
    with pytest.raises(NotEnoughLabels, match="6 of 100 audits of mood are open: answer them"):
        check_answered("mood", done)
