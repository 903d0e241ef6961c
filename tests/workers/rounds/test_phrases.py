"""Vectors may come from elsewhere without their encoder: rounds go on without phrases, and say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from attune.models.clock import now, set_clock
from attune.models.errors import WeightsUnavailable
from attune.workers.rounds import learning_round
from tests.support import factories


def test_a_missing_encoder_costs_the_phrases_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(factories.workspace(tmp_path), encoder="ViT-B-32", pretrained="missing-weights")
    attribute = factories.add_attribute(settings, "serious", prompts={"positive": ["a serious face"]})
    looked: list[Any] = []

    def missing(*_: object) -> None:
        looked.append(1)
        raise WeightsUnavailable("The weights of ViT-B-32 are not on this machine.")

    monkeypatch.setattr(learning_round, "prompt_vectors", missing)
    assert learning_round.embedded_prompts(settings, attribute) is None
    assert learning_round.embedded_prompts(settings, attribute) is None
    assert len(looked) == 1  # looking may take seconds, and a round follows every answer
    assert "ViT-B-32" in learning_round.prompts_not_embedded(settings, attribute)
    later = now() + learning_round.LOOK_AGAIN + timedelta(seconds=1)
    monkeypatch.setattr(learning_round, "prompt_vectors", lambda *_: None)
    with set_clock(lambda: later):
        assert learning_round.embedded_prompts(settings, attribute) is None
    assert learning_round.prompts_not_embedded(settings, attribute) == ""
