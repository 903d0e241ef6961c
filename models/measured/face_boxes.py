"""Boxes of one image in the form of a cascade of detectors: which overlap, and how a network's correction moves them.

A box is (left, top, right, bottom) in pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]


def suppress(boxes: Boxes, scores: Boxes, most: float, by_smaller: bool = False) -> npt.NDArray[np.intp]:
    """Places of the boxes (n, 4) to keep, best score first: none overlaps a better one by more than ``most`` of their
    union, or of the smaller of the two.
    """
    area = np.prod(boxes[:, 2:] - boxes[:, :2] + 1, axis=1)
    waiting, kept = np.argsort(-scores, kind="stable"), []
    while len(waiting):
        best, others = waiting[0], waiting[1:]
        kept.append(best)
        low, high = np.maximum(boxes[best, :2], boxes[others, :2]), np.minimum(boxes[best, 2:], boxes[others, 2:])
        shared = np.prod(np.maximum(0, high - low + 1), axis=1)
        whole = np.minimum(area[best], area[others]) if by_smaller else area[best] + area[others] - shared
        waiting = others[shared <= most * whole]
    return np.array(kept, np.intp)


def moved(boxes: Boxes, by: Boxes, pixel: int = 1) -> Boxes:
    """Boxes (n, 4) moved by what a network says (n, 4), each as a share of the box's side."""
    sides = boxes[:, 2:] - boxes[:, :2] + pixel
    corrected: Boxes = boxes + by * np.concatenate([sides, sides], axis=1)
    return corrected


def squared(boxes: Boxes) -> Boxes:
    """The squares of whole pixels with the same middles and the longer sides."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.max(axis=1, keepdims=True)
    start = boxes[:, :2] + sides / 2 - longer / 2
    square: Boxes = np.fix(np.concatenate([start, start + longer], axis=1))
    return square
