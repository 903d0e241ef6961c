"""Two ways to the size that a network takes, and open_clip's own: the same picture."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PIL import Image

from attune.models.encoders.geometry import Geometry
from tests.support.odd_images import scene

SIDES = ((224, 224), (75, 50), (33, 101), (501, 40), (20, 600), (225, 223))
WAYS = [
    (mode, interpolation, size, fill)
    for mode, interpolation in product(("longest", "squash", "shortest"), ("bicubic", "bilinear"))
    for size, fill in (((64, 64), 0), ((48, 96), 127))
]


def geometry_of(mode: str, interpolation: str, size: tuple[int, int], fill: int) -> Geometry:
    made = Geometry.of({"size": list(size), "resize_mode": mode, "interpolation": interpolation, "fill_color": fill})
    assert made is not None
    return made


@pytest.mark.parametrize(("mode", "interpolation", "size", "fill"), WAYS)
def test_pixels_are_those_of_open_clip(mode: str, interpolation: str, size: tuple[int, int], fill: int) -> None:
    import torch  # here, as all processes collect this test and one runs it
    from open_clip.transform import image_transform

    transform = image_transform(
        size if size[0] != size[1] else size[0], False, (0.0,) * 3, (1.0,) * 3, mode, interpolation, fill
    )
    geometry = geometry_of(mode, interpolation, size, fill)
    for sides in SIDES:
        picture = scene().resize(sides)
        expected = (transform(picture) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(geometry.of_picture(picture), expected, f"{sides}")


@pytest.mark.parametrize(("mode", "interpolation", "size", "fill"), WAYS)
def test_a_tensor_becomes_the_same_picture_but_for_rounding(
    mode: str, interpolation: str, size: tuple[int, int], fill: int
) -> None:
    import torch

    geometry = geometry_of(mode, interpolation, size, fill)
    for sides in SIDES:
        picture = scene().resize(sides)
        expected = geometry.of_picture(picture).astype(int)
        found = geometry.of_tensor(torch.from_numpy(np.array(picture)).permute(2, 0, 1))
        difference = np.abs(found.permute(1, 2, 0).numpy().astype(int) - expected)
        assert difference.max() <= 2, sides
        assert difference.mean() < 0.5, sides


@pytest.mark.parametrize("odd", [{"resize_mode": "crop"}, {"interpolation": "lanczos"}, {"fill_color": [1, 2, 3]}])
def test_a_way_that_is_not_known_is_left_to_the_encoder(odd: dict[str, object]) -> None:
    usual = {"size": [8, 8], "resize_mode": "longest", "interpolation": "bicubic", "fill_color": 0}
    assert Geometry.of(usual) is not None
    assert Geometry.of(usual | odd) is None


def test_a_network_that_is_no_square_keeps_its_sides() -> None:
    assert geometry_of("longest", "bicubic", (48, 96), 0).of_picture(Image.new("RGB", (10, 10))).shape == (48, 96, 3)
