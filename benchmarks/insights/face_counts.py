"""Montages of 0 to 4 photographs of one person each, on a poster's size: is the number of faces told?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from attune.models.evaluation.intervals import share_interval
from attune.models.measured.face_detector import FaceDetector
from attune.models.measured.measures import Measurer

WIDTH, HEIGHT, CELL = 480, 720, 240
MOST = 4
Box = tuple[int, int, int, int]


def montage(files: Sequence[Path], number: int, drawn: np.random.Generator) -> tuple[Image.Image, list[Box]]:
    """A poster of ``number`` photographs on a grainy gradient, and their places."""
    first, last = drawn.integers(0, 256, (2, 3))
    down = np.linspace(0, 1, HEIGHT)[:, None, None]
    ground = (first * (1 - down) + last * down) * np.ones((HEIGHT, WIDTH, 1))
    grain = drawn.normal(0, 6, ground.shape)
    image = Image.fromarray(np.clip(ground + grain, 0, 255).astype(np.uint8))
    cells = [(x, y) for x in range(0, WIDTH, CELL) for y in range(0, HEIGHT, CELL)]
    places: list[Box] = []
    for cell in drawn.permutation(len(cells))[:number]:
        side = int(drawn.integers(110, CELL))
        x, y = (int(start + drawn.integers(0, CELL + 1 - side)) for start in cells[cell])
        with Image.open(files[int(drawn.integers(len(files)))]) as photo:
            image.paste(photo.convert("RGB").resize((side, side)), (x, y))
        places.append((x, y, x + side, y + side))
    return image, places


def count_faces(folder: Path, draws: int, seed: int) -> list[dict[str, Any]]:
    """Share of ``draws`` montages whose number is told exactly, with its interval, and images measured a second."""
    files, drawn = sorted(folder.glob("*.jpg")), np.random.default_rng(seed)
    made = [(number % (MOST + 1), montage(files, number % (MOST + 1), drawn)[0]) for number in range(draws)]
    detector = FaceDetector()
    detector.find(made[0][1])
    told = [len(detector.find(image)[0]) for _, image in made]
    exact = sum(count == number for count, (number, _) in zip(told, made, strict=True))
    within = sum(abs(count - number) <= 1 for count, (number, _) in zip(told, made, strict=True))
    low, high = share_interval(exact, draws)
    measurer = Measurer()
    measurer.prepare(made[0][1])
    clock, busy = time.perf_counter(), time.process_time()
    for _, image in made:
        measurer.prepare(image)
    return [
        {
            "montages": draws, "exact": exact / draws, "low": low, "high": high, "within_one": within / draws,
            "images_a_second": draws / (time.perf_counter() - clock),
            "images_a_processor_second": draws / (time.process_time() - busy),
        }
    ]  # fmt: skip
