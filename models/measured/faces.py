"""What faces say of an image's composition: how many, how large, and where. Never whose, and never how they feel."""

from __future__ import annotations

import numpy as np

from attune.models.measured.face_boxes import Boxes

MOST = 3  # from here on the class is "3+"


def measures(boxes: Boxes, width: int, height: int) -> dict[str, float]:
    """Of the faces' ``boxes`` (n, 4) in pixels: ``faces`` their number, ``face_share`` of the largest in the image's
    area, ``face_across`` and ``face_down`` its middle (0 left or top, 1 right or bottom; NaN without a face).
    """
    if not len(boxes):
        return {"faces": 0.0, "face_share": 0.0, "face_across": np.nan, "face_down": np.nan}
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    largest = boxes[int(areas.argmax())]
    return {
        "faces": float(len(boxes)),
        "face_share": float(areas.max()) / (width * height),
        "face_across": float(largest[0] + largest[2]) / 2 / width,
        "face_down": float(largest[1] + largest[3]) / 2 / height,
    }


def number_class(count: float) -> str:
    """The class of a number of faces: "0", "1", "2" or "3+"."""
    return f"{MOST}+" if count >= MOST else str(int(count))
