"""What the sample encoder can name: the words of its captions. Of any other word it has no idea, and says something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np

from attune.labeler.sample.captions import caption
from attune.labeler.sample.latents import draw_scenes

SCENES, TURNS = 1000, 2  # enough that each word of the captions comes


def known(phrases: Sequence[str]) -> list[str]:
    """Those of ``phrases`` of which the encoder has seen every word."""
    return [phrase for phrase in phrases if _words(phrase) <= _seen()]


@cache
def _seen() -> frozenset[str]:
    rng = np.random.default_rng(0)
    scenes = draw_scenes(0, SCENES)
    return frozenset(word for scene in scenes for _ in range(TURNS) for word in _words(caption(scene, rng)))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
