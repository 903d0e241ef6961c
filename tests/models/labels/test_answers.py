from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from attune.models.errors import DataError
from attune.models.labels.answers import SKIP, latest
from tests.models.evaluation.answered import NOON, answer


def test_only_the_newest_answer_of_an_expert_on_an_asset_counts() -> None:
    first, second = answer("a", "ana", "romance"), answer("a", "ana", "neither", minute=5)
    assert latest([second, first]) == latest([first, second]) == [second]


def test_a_later_skip_withdraws_an_answer() -> None:
    assert [a.value for a in latest([answer("a", "ana", SKIP, minute=1), answer("a", "ana", "romance")])] == [SKIP]


def test_two_answers_of_one_instant_end_alike_in_either_order() -> None:
    one, two = answer("a", "ana", "romance"), answer("a", "ana", "neither")
    assert latest([one, two]) == latest([two, one])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"asset_id": ""}, "an empty asset_id"),
        ({"answered_at": datetime(2025, 3, 1, 12)}, "without a time zone"),  # noqa: DTZ001
        ({"inclusion": 0.0}, "inclusion probability 0.0"),
        ({"inclusion": 1.5}, "Expected above 0 and at most 1"),
    ],
)
def test_an_impossible_answer_cannot_be_built(change: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        replace(answer("a", "ana", "romance"), **change)  # type: ignore[arg-type]
    assert answer("a", "ana", "romance").answered_at == NOON
