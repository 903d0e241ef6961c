"""The small encoder: loads as any open_clip checkpoint does, and prompts help without giving the attribute away."""

from __future__ import annotations

import numpy as np
import pytest

from attune.labeler.sample import ATTRIBUTES, ENCODER_CONFIG, ENCODER_WEIGHTS, write_catalogue
from attune.labeler.sample.report import embed, load_encoder, measure

pytestmark = pytest.mark.torch


def test_the_weights_are_small_enough_for_git() -> None:
    assert ENCODER_WEIGHTS.stat().st_size <= 12_000_000
    assert ENCODER_CONFIG.is_file()


def test_every_weight_in_the_file_is_finite_and_half_precision() -> None:
    from safetensors.numpy import load_file

    for name, tensor in load_file(ENCODER_WEIGHTS).items():
        if tensor.dtype.kind == "f":
            assert tensor.dtype == np.float16, name
            assert np.isfinite(tensor).all(), name


@pytest.mark.slow
def test_prompts_help_and_a_probe_knows_far_more(tmp_path_factory: pytest.TempPathFactory) -> None:
    catalogue = write_catalogue(tmp_path_factory.mktemp("sample"), n_images=240, seed=21)
    encoder = load_encoder()
    vectors, raw = embed(catalogue, encoder)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)
    for attribute in ATTRIBUTES:
        figures = measure(catalogue, attribute, vectors, raw, encoder, draws=3)
        prompts, pixels, everything = (figures[name][0] for name in ("prompts", "raw_pixels", "all_labels"))
        assert 0.35 <= prompts <= 0.75
        assert everything >= prompts + 0.15
        assert everything >= pixels + 0.15
