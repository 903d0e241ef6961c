"""Simulated experts: steady each, of different minds together, and close enough to the truth to teach it."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune.labeler.sample import ATTRIBUTES, stock_experts
from attune.labeler.sample.catalogue import Catalogue, truth_of
from attune.labeler.sample.latents import draw_scenes
from attune.labeler.sample.simulated_experts import SKIP, UNSURE
from attune.models.errors import UnknownAsset, UnknownAttribute


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(Path("nowhere"), {scene.asset_id: truth_of(scene) for scene in draw_scenes(7, 1600)})


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda a: a.name)
def test_two_experts_disagree_on_about_one_asset_in_ten(catalogue: Catalogue, attribute: object) -> None:
    from attune.labeler.sample.report import disagreement

    assert 0.08 <= disagreement(catalogue, attribute) <= 0.15  # type: ignore[arg-type]


def test_an_expert_asked_again_says_the_same(catalogue: Catalogue) -> None:
    again = stock_experts(catalogue)
    for first, second in zip(stock_experts(catalogue), again, strict=True):
        for asset in list(catalogue.truths)[:200]:
            assert first.answer("romance", asset) == second.answer("romance", asset)


def test_answers_are_classes_and_now_and_then_unsure_or_skip(catalogue: Catalogue) -> None:
    for attribute in ATTRIBUTES:
        said = [e.answer(attribute.name, a) for e in stock_experts(catalogue) for a in catalogue.truths]
        assert set(said) == {*attribute.classes, UNSURE, SKIP}
        assert said.count(UNSURE) + said.count(SKIP) < 0.1 * len(said)


def test_ben_sees_seriousness_sooner_than_chloe(catalogue: Catalogue) -> None:
    _, ben, chloe = stock_experts(catalogue)
    count = {
        e.name: sum(e.answer("serious-expression", a) == "serious" for a in catalogue.truths) for e in (ben, chloe)
    }
    assert count["ben"] > count["chloe"]


def test_an_asset_of_another_catalogue_is_named(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownAsset, match="'t9999-1'"):
        stock_experts(catalogue)[0].answer("romance", "t9999-1")


def test_a_question_that_nobody_knows_is_named(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownAttribute, match="'funny'"):
        stock_experts(catalogue)[0].answer("funny", "t0000-1")
