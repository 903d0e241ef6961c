"""The two images of a title in a test stand on the side that their values say."""

from __future__ import annotations

import numpy as np
import pytest

from attune.labeler.insights.arms import Arm, RandomTest, _pair
from attune.labeler.insights.features import PER_SD
from attune.labeler.insights.insights import Told
from attune.labeler.insights.powering import Plan
from attune.labeler.insights.words import NOT_AUDITED, Words, sides_of
from attune.labeler.records.schema import Insight, InsightQuestion, InsightVersion
from attune.labeler.views import insight_test
from attune.models.insights.power import needed


@pytest.mark.parametrize("seed", range(3))
def test_the_higher_number_is_the_image_that_is_called_higher(seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = [("nine", 9.0), ("hundred", 100.0), ("unknown", np.nan), ("twenty", 20.0)]
    assert _pair("t", images, None, rng) == Arm("t", "hundred", "nine")
    assert "higher" in sides_of("face_share", PER_SD)[0]
    assert "lower" in sides_of("face_share", PER_SD)[1]
    assert _pair("t", [("a", 9.0), ("b", 9.0), ("c", np.nan)], None, rng) is False


def test_a_class_is_the_image_of_its_name() -> None:
    rng = np.random.default_rng(1)
    assert _pair("t", [("a", "no"), ("b", "yes"), ("c", "")], ("yes", "no"), rng) == Arm("t", "b", "a")
    assert _pair("t", [("a", "no"), ("b", "no")], ("yes", "no"), rng) is False


@pytest.mark.parametrize("answered", [False, True])
def test_no_image_that_people_answered_about_stands_on_the_wrong_side(answered: bool) -> None:
    one = Told(Insight(), InsightQuestion(), InsightVersion(figures={}))
    said = Words("", "", "", "", ("", ""), caution=NOT_AUDITED)
    test = RandomTest(Plan(0.1, 0.1, 0.1, needed(0.1, 0.1, 0.1, 40, 0.8)), [], ("", ""), "", 1, 0, 0, 0.8)
    page = insight_test.TestPage(one, said, test, [], "", False, ("", ""), answered=answered)
    assert ("wrong side" in page.unchecked) is not answered
