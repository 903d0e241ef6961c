"""Colour vectors: Lab as it is defined, the same palette near, another far, wherever the colours are in the image."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from attune.models.spaces.colour import colour_vector, fingerprint, to_lab


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (80, 120)) -> Image.Image:
    return Image.new("RGB", size, colour)


@pytest.mark.parametrize(
    ("colour", "lab"),
    [  # Lindbloom's values for sRGB and D65
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_srgb_becomes_lab(colour: tuple[int, int, int], lab: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(to_lab(np.array([colour], dtype=np.uint8))[0], lab, atol=0.02)


def test_vectors_fit_their_fingerprint() -> None:
    vector = colour_vector(plain((200, 30, 90)))
    assert vector.shape == (fingerprint().dimension,)
    assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)


def test_a_near_colour_is_nearer_than_a_far_one() -> None:
    red, light, blue = (colour_vector(plain(one)) for one in ((180, 20, 20), (200, 40, 30), (20, 20, 180)))
    assert red @ light > 0.5 > red @ blue


def test_where_the_colours_are_does_not_matter() -> None:
    image = plain((250, 220, 40), (64, 64))
    image.paste((20, 40, 120), (0, 0, 32, 64))
    turned = image.transpose(Image.Transpose.ROTATE_90)
    np.testing.assert_allclose(colour_vector(image), colour_vector(turned), atol=1e-6)
