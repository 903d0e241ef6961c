"""What a strategist would see at once: black is dark, a red square is red and warm, a mirrored picture is symmetric."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from attune.models.measured import composition, light, texture
from attune.models.measured.measures import BY_NAME, NAMES, Measurer, shrunk

Grey = npt.NDArray[np.float64]
PLAIN = {
    "black": (5, 5, 5),
    "white": (250, 250, 250),
    "grey": (128, 128, 128),
    "red": (200, 20, 40),
    "orange": (230, 120, 20),
    "yellow": (235, 215, 40),
    "green": (40, 160, 60),
    "cyan": (30, 180, 180),
    "blue": (0, 0, 255),
    "purple": (130, 50, 190),
    "pink": (230, 80, 170),
}


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (40, 60)) -> Image.Image:
    return Image.new("RGB", size, colour)


@pytest.mark.parametrize(("name", "colour"), PLAIN.items())
def test_a_plain_colour_has_its_name(name: str, colour: tuple[int, int, int]) -> None:
    assert light.main_colour(np.asarray(plain(colour))) == name


def test_a_coloured_tenth_names_an_image_that_is_black_besides() -> None:
    image = plain(PLAIN["black"], (100, 100))
    image.paste(PLAIN["red"], (0, 0, 100, 15))
    assert light.main_colour(np.asarray(image)) == "red"
    assert light.palette(np.asarray(image))["black"] == pytest.approx(0.85)


def test_light_goes_the_way_that_people_say() -> None:
    def of(colour: tuple[int, int, int]) -> dict[str, float]:
        return light.measures(np.asarray(plain(colour)))

    assert of(PLAIN["black"])["brightness"] < of(PLAIN["grey"])["brightness"] < of(PLAIN["white"])["brightness"]
    assert of((120, 180, 230))["warmth"] < -0.5 < of(PLAIN["blue"])["warmth"] < 0
    assert of(PLAIN["orange"])["warmth"] > 0.5
    assert of(PLAIN["grey"])["warmth"] == 0.0, "grey is neither"
    assert of(PLAIN["red"])["saturation"] > 40
    assert of(PLAIN["grey"])["saturation"] < 1
    halves = plain(PLAIN["black"])
    halves.paste(PLAIN["white"], (0, 0, 20, 60))
    assert light.measures(np.asarray(halves))["contrast"] > 40


def test_noise_is_busier_than_a_plain_area() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 60)).astype(np.float64)
    busy, still = texture.measures(noise), texture.measures(np.full((60, 60), 90.0))
    assert still == {"edges": 0.0, "detail": 0.0, "entropy": 0.0}
    assert busy["edges"] > 0.5
    assert busy["entropy"] > 4.5


def spot(row: int, column: int) -> Grey:
    grey = np.full((60, 60), 30.0)
    grey[row - 3 : row + 3, column - 3 : column + 3] = 250
    return grey


def test_a_spot_draws_the_eye_to_where_it_is() -> None:
    for row, column in ((20, 20), (40, 20), (30, 30)):
        centre = np.argwhere(composition.saliency(spot(row, column)) > 0).mean(axis=0)
        peak = np.unravel_index(composition.saliency(spot(row, column)).argmax(), (60, 60))
        assert np.linalg.norm(np.array(peak) - (row, column)) < 6, centre
    on_third, centred = composition.measures(spot(20, 20)), composition.measures(spot(30, 30))
    assert on_third["thirds"] < centred["thirds"]
    assert composition.measures(spot(30, 8))["balance"] < centred["balance"]
    assert centred["central"] > composition.measures(spot(5, 5))["central"]


@given(st.integers(0, 2**32 - 1))
def test_a_mirror_image_keeps_its_measures(seed: int) -> None:
    grey = np.random.default_rng(seed).uniform(0, 255, (24, 32))
    ours, mirrored = composition.measures(grey), composition.measures(grey[:, ::-1].copy())
    for name in ("balance", "symmetry", "empty_space", "central", "thirds"):
        assert ours[name] == pytest.approx(mirrored[name], abs=1e-6), name
    both = np.concatenate([grey, grey[:, ::-1]], axis=1)
    assert composition.measures(both)["symmetry"] == pytest.approx(1)


def test_an_image_has_every_measure_at_any_size_and_shape() -> None:
    measurer = Measurer()
    for size in ((1, 1), (3, 900), (1500, 10), (40, 60)):
        row = measurer.prepare(plain((90, 20, 20), size))
        values = dict(zip(NAMES, row.tolist(), strict=True))
        assert values["faces"] == 0
        assert np.isnan(values["face_across"])
        assert np.isfinite([value for name, value in values.items() if name not in {"face_across", "face_down"}]).all()
    assert shrunk(plain((0, 0, 0), (1440, 700)), 720).size == (720, 350)
    blue = BY_NAME["main_colour"].classes.index("blue")
    assert list(BY_NAME["main_colour"].codes([0, np.nan, blue])) == [0, -1, blue]
    assert list(BY_NAME["faces"].codes([7, 3, 0, np.nan])) == [3, 3, 0, -1], "3+"


def test_another_smallest_face_is_another_version() -> None:
    assert Measurer().digest() == Measurer().digest() != Measurer(smallest_face=40).digest()
