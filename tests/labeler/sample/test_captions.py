"""Captions: what is seen, in many words; the attribute's own words seldom."""

from __future__ import annotations

import numpy as np
import pytest

from attune.labeler.sample.captions import caption
from attune.labeler.sample.latents import Scene, draw_scenes


@pytest.fixture(scope="module")
def told() -> list[tuple[Scene, str]]:
    rng = np.random.default_rng(0)
    return [(scene, caption(scene, rng)) for scene in draw_scenes(12, 1500)]


def _share(told: list[tuple[Scene, str]], *words: str) -> float:
    return sum(any(word in text for word in words) for _, text in told) / len(told)


def test_the_words_of_the_attributes_are_rare(told: list[tuple[Scene, str]]) -> None:
    assert 0.02 < _share(told, "serious") < 0.12
    assert 0.02 < _share(told, "romance", "romantic", "love", "friend") < 0.15


def test_faces_are_spoken_of_often(told: list[tuple[Scene, str]]) -> None:
    alone = [(scene, text) for scene, text in told if scene.people == 1]
    assert _share(alone, "smil", "laugh", "grin", "frown", "scowl", "glaring", "mouth", "face", "brows") > 0.75


def test_an_empty_picture_has_nobody_in_it(told: list[tuple[Scene, str]]) -> None:
    for scene, text in told:
        said = any(word in text for word in ("nobody", "no people", "an empty scene"))
        assert said == (scene.people == 0)


def test_captions_of_one_scene_differ() -> None:
    scene = next(s for s in draw_scenes(1, 50) if s.people == 2)
    rng = np.random.default_rng(1)
    assert len({caption(scene, rng) for _ in range(20)}) > 12
