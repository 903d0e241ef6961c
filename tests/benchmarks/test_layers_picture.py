"""The picture of both ends of a network: drawn by a seed, the nearest first, a frame around the same person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import layers_picture as picture


def test_the_nearest_are_shown_in_order_and_the_same_person_has_a_frame(tmp_path: Path) -> None:
    people = np.array(["a", "b", "a", "c", "b", "d", "e", "f"])
    images = [Image.new("RGB", (40, 30), (20 * place, 40, 90)) for place in range(8)]
    rows = np.random.default_rng(1).standard_normal((8, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    asked = picture.drawn(people)
    assert set(people[asked]) == {"a", "b"}, "only of them who have several"
    assert np.array_equal(asked, picture.drawn(people))
    for one in asked.tolist():
        near = picture.nearest(rows, one).tolist()
        assert one not in near
        assert (rows[near] @ rows[one]).tolist() == sorted((rows[near] @ rows[one]).tolist(), reverse=True)
    twin = rows.copy()
    twin[2], twin[4] = rows[0], rows[1]  # the second image of a person is the nearest of all
    picture.write(tmp_path / "out.png", images, people, {picture.EARLY: twin, picture.LATE: twin})
    sheet = Image.open(tmp_path / "out.png").convert("RGB")
    left, top = 2 * picture.BESIDE + picture.EDGE, picture.TOP
    rim = np.asarray(sheet)[top + 1, left + 1].astype(int)
    assert np.abs(rim - picture.SAME).max() < 12
    other = np.asarray(sheet)[top + 1, left + picture.EDGE + picture.GAP + 1].astype(int)
    assert np.abs(other - picture.SAME).max() > 40
