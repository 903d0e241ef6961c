"""Layers of a ViT, a ResNet and a tower of timm: how many there are, and what is kept of each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from attune.models.encoders.encoders import OpenClipEncoder
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.encoders.open_clip_import import open_clip_for
from attune.models.errors import EncoderError
from attune.models.spaces import layers
from attune.models.spaces.components import Components, principal_components
from attune.models.spaces.views import Views

TEXT = {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1}
TOWERS: dict[str, tuple[dict[str, Any], int]] = {
    "vit": ({"image_size": 32, "layers": 3, "width": 16, "head_width": 8, "patch_size": 8}, 3),
    "resnet": ({"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 8, "patch_size": None}, 5),
    "timm": ({"image_size": 32, "timm_model_name": "resnet10t", "timm_pool": "avg", "timm_proj": "linear"}, 5),
}


@pytest.fixture(params=TOWERS)
def tower(request: pytest.FixtureRequest) -> tuple[OpenClipEncoder, int]:
    import torch  # here, as it takes two seconds of each process that collects the tests

    vision, blocks = TOWERS[request.param]
    torch.manual_seed(0)
    model = open_clip_for({"vision_cfg": vision}).model.CLIP(16, vision, TEXT).eval()
    model.visual.preprocess_cfg = {"size": (32, 32)}
    made = Fingerprint("open_clip", request.param, "0" * 64, 16)
    encoder = SimpleNamespace(model=model, device=torch.device("cpu"), half=None, fingerprint=made)
    return cast(OpenClipEncoder, encoder), blocks


def test_each_channels_mean_and_spread_are_kept(tower: tuple[OpenClipEncoder, int]) -> None:
    import torch

    encoder, blocks = tower
    images = torch.rand(2, 3, 32, 32)
    first, last = layers.maps(encoder, images, [0, blocks - 1])
    assert first.ndim == last.ndim == 4
    rows = layers.pooled(last)
    flat = last.numpy().reshape(2, last.shape[1], -1)
    np.testing.assert_allclose(rows, np.concatenate([flat.mean(axis=2), flat.std(axis=2)], axis=1), atol=1e-5)
    views = Views.of(encoder, [0, blocks - 1], False)
    by_layer, colours = views.split(views.encode_prepared([(image, None) for image in images]))
    assert colours is None
    np.testing.assert_allclose(by_layer[0], layers.pooled(first), atol=1e-5)
    np.testing.assert_allclose(by_layer[blocks - 1], rows, atol=1e-5)


def test_the_usual_layers_are_spread_from_the_first_to_the_last(tower: tuple[OpenClipEncoder, int]) -> None:
    encoder, blocks = tower
    usual = layers.check(encoder, [])
    assert (usual[0], usual[-1]) == (0, blocks - 1)
    assert layers.check(encoder, [1, 0, 1]) == [0, 1]
    with pytest.raises(EncoderError, match=f"layer:0 to layer:{blocks - 1}"):
        layers.check(encoder, [blocks])


def test_components_come_back_from_their_bytes_and_make_the_fingerprint() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 12)).astype(np.float32) * np.arange(1, 13)
    rows[:, 3] = 7  # a channel that says nothing
    made = principal_components([rows[:20], rows[20:]], 5, standardise=True)
    held = Components.from_bytes(made.to_bytes())
    np.testing.assert_array_equal(held.project(rows), made.project(rows))
    assert not made.directions[:, 3].any()
    base = Fingerprint("open_clip", "m", "0" * 64, 16, True, {"size": [32, 32]})
    one = layers.fingerprint(base, 4, made)
    assert (one.dimension, one.preprocessing["view"], one.preprocessing["size"]) == (5, "layer", [32, 32])
    assert one == layers.fingerprint(base, 4, held)
    assert one != layers.fingerprint(base, 5, made)
    assert one != layers.fingerprint(base, 4, principal_components([rows], 5))


def test_components_explain_the_most_variance_first() -> None:
    rows = np.random.default_rng(1).normal(size=(200, 6)).astype(np.float32) * np.array([1, 9, 2, 5, 3, 1])
    spread = principal_components([rows], 6).project(rows).std(axis=0)
    assert spread.tolist() == sorted(spread.tolist(), reverse=True)
    assert spread[0] == pytest.approx(9, rel=0.15)
