"""How busy an image is: edges, fine grain and the entropy of its greys."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

EDGE = 40.0  # gradient of L a pixel (of 0 to 255 greys) that counts as an edge
LEVELS = 32  # of grey, for the entropy


def measures(grey: npt.NDArray[np.float64]) -> dict[str, float]:
    """Of ``grey`` (h, w), 0 to 255: ``edges`` the share of pixels on an edge (Sobel), ``detail`` the mean absolute
    Laplacian (fine grain, 0 to 255), ``entropy`` in bits (0 to 5) of the greys in 32 levels.
    """
    padded = np.pad(grey, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    columns = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    across, down = (rows[:, 2:] - rows[:, :-2]) / 4, (columns[2:] - columns[:-2]) / 4
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    counts = np.bincount((grey * (LEVELS / 256)).astype(np.intp).ravel(), minlength=LEVELS)
    shares = counts[counts > 0] / grey.size
    return {
        "edges": float((np.hypot(across, down) > EDGE).mean()),
        "detail": float(np.abs(around / 4 - grey).mean()),
        "entropy": float(-(shares * np.log2(shares)).sum()) + 0.0,
    }
