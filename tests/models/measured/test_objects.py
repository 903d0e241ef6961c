"""Objects by text prompts: names, and the head of a question before its first answer."""

from __future__ import annotations

import numpy as np
import pytest

from attune.models.errors import DataError
from attune.models.labels.labels import Labels
from attune.models.measured.objects import Phrased, check_of, head_of, phrased
from attune.models.probes.learner import LearnerSettings, Prompts, fit
from tests.models.worlds import world


def test_a_guess_is_what_a_question_says_before_its_first_answer() -> None:
    here = world(classes=2)
    head = head_of(here.directions[:1], here.pool)
    rows = here.pool.rows(np.arange(len(here.pool)))
    none = Labels((), (), np.empty((0, 2)), np.empty(0))
    cold = fit(here.pool, none, ("yes", "no"), Prompts(positive=here.directions[:1]), LearnerSettings(), 0)
    found = head.probabilities(rows)
    np.testing.assert_allclose(found, cold.predict_proba(rows)[:, 0], rtol=1e-5)
    assert 0.05 < (found >= 0.5).mean() < 0.2


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (["a dog"], [Phrased("dog", ("a dog",))]),
        (["Two  people in a car"], [Phrased("two-people-in-a-car", ("Two people in a car",))]),
        (["hund=ein Hund", "hund=ein Welpe", "an Owl"],
         [Phrased("hund", ("ein Hund", "ein Welpe")), Phrased("owl", ("an Owl",))]),
    ],
)  # fmt: skip
def test_an_object_is_named_by_its_phrase_or_by_its_name(given: list[str], made: list[Phrased]) -> None:
    assert phrased(given) == made


@pytest.mark.parametrize("given", ["", "犬", "Dog=a dog", "dog=", "dog=" + "x" * 101, "=a dog", "dog-=a dog", "x" * 31])
def test_what_names_no_object_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(DataError, match="--object"):
        phrased([given])


def test_people_say_yes_where_the_guess_is_likely() -> None:
    check = check_of(Phrased("dog", ("a dog",)))
    assert check.codes([0.9, 0.5, 0.49, np.nan]).tolist() == [0, 0, 1, -1]
    assert list(Phrased("dog", ("a dog",)).measure.codes([0.9, 0.5, 0.49, np.nan])) == [0, 0, 1, -1], "yes, yes, no"
    assert check.question == "Does this image show a dog?"
    assert check_of(Phrased("forest", ("in a forest",))).question == "Do the words “in a forest” fit this image?"
    assert check_of(Phrased("inn", ("inn",))).question == "Does this image show inn?"
