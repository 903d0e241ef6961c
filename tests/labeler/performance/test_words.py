"""What pages say of imports and titles is true of just these: grades, simulated rows, and links that lead somewhere."""

from __future__ import annotations

import pytest

from attune.labeler.records.schema import PerformanceImport
from attune.labeler.views.insights import Pair, Side
from attune.labeler.views.performance import _advice, mixes
from attune.labeler.views.pictures import PageImage

CHECKS = {
    "sample_ratio": {"flagged": 0, "tested": 0, "worst": []}, "canvases": [],
    "assets": 1, "assets_here": 1, "assets_unknown": [],
}  # fmt: skip


def row(**options: object) -> PerformanceImport:
    return PerformanceImport(options={"columns": {}, "arm": "serve"} | options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "no insight of it has a grade above C"),
        ({"one_chance": True}, "no insight of it has a grade above B"),  # its chances are known
        ({"arm": "explore"}, ""),
        ({"arm": "explore", "simulated": "3"}, "Its rows are simulated"),
    ],
)
def test_the_best_grade_is_that_of_what_the_file_says(options: dict[str, object], said: str) -> None:
    text = " ".join(_advice(row(**options), CHECKS))
    assert said in text
    assert bool(text) is bool(said)


def test_simulated_rows_beside_measured_ones_are_warned_of() -> None:
    real, made_up = row(), row(simulated="1")
    assert mixes([real, made_up])
    assert not mixes([real, real])
    assert not mixes([made_up])
    assert not mixes([])


@pytest.mark.parametrize(("of_pool", "there"), [("t1", True), ("other", False)])
def test_only_a_title_of_the_pool_has_a_link(of_pool: str, there: bool) -> None:
    image = PageImage(1, "a1", of_pool, "", 10, 10, "")
    assert Pair("t1", Side("a1", image, 0.1), Side("a2", None, 0.1)).in_pool is there
    assert not Pair("t1", Side("a1", None, 0.1), Side("a2", None, 0.1)).in_pool


def test_images_that_the_pool_does_not_have_are_named() -> None:
    (text,) = _advice(row(arm="explore"), CHECKS | {"assets": 9, "assets_unknown": ["IMG-1", "IMG-2"]})
    assert text.startswith("Of 9 images, 8 are not in the pool: IMG-1, IMG-2 and more.")
