"""The latent values: in range, varied, and no sign that gives a class away."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.labeler.sample.latents import SETTINGS, Scene, draw_scenes, romance_class, serious_class


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return draw_scenes(7, 1600)


def test_the_default_catalogue_is_varied(scenes: list[Scene]) -> None:
    assert {scene.kind for scene in scenes} == {"poster", "wide"}
    assert {scene.people for scene in scenes} == {0, 1, 2, 3, 4}
    assert {scene.setting for scene in scenes} == set(SETTINGS)
    titles = Counter(scene.title.title_id for scene in scenes)
    assert 400 <= len(titles) <= 500
    assert len({scene.title.name for scene in scenes}) == len(titles)


def test_every_class_is_common_enough_to_be_learnt(scenes: list[Scene]) -> None:
    serious = Counter(serious_class(s.serious, s.people) for s in scenes)
    romance = Counter(romance_class(s.romance, s.friendship) for s in scenes)
    assert min(serious.values()) > 400
    assert set(romance) == {"romance", "friendship", "neither"}
    assert min(romance.values()) > 200


def test_latent_values_are_shares(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert 0 <= scene.serious <= 1
        assert 0 <= scene.romance <= 1
        assert 0 <= scene.friendship <= 1


def test_hearts_do_not_give_romance_away(scenes: list[Scene]) -> None:
    romances = [s for s in scenes if romance_class(s.romance, s.friendship) == "romance"]
    hearts = [s for s in scenes if s.floaters == "hearts"]
    assert sum(s.floaters == "hearts" for s in romances) / len(romances) < 0.5
    assert sum(s in romances for s in hearts) / len(hearts) < 0.9


def test_a_title_is_neither_serious_nor_romantic_throughout(scenes: list[Scene]) -> None:
    by_title: dict[str, set[str]] = {}
    for scene in scenes:
        by_title.setdefault(scene.title.title_id, set()).add(serious_class(scene.serious, scene.people))
    assert sum(len(seen) == 2 for seen in by_title.values()) > len(by_title) / 3


@given(serious=st.floats(0, 1))
def test_an_empty_picture_is_never_serious(serious: float) -> None:
    assert serious_class(serious, people=0) == "not serious"


@given(romance=st.floats(0, 1), friendship=st.floats(0, 1))
def test_the_stronger_tie_names_the_class_if_it_is_strong_enough(romance: float, friendship: float) -> None:
    named = romance_class(romance, friendship)
    if named == "neither":
        assert max(romance, friendship) < 0.5
    else:
        assert {"romance": romance, "friendship": friendship}[named] == max(romance, friendship)
