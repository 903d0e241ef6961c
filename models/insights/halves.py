"""Two halves of the titles that never meet: one finds questions, the other answers them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def discovery_half(title_ids: Iterable[str], salt: str = "") -> npt.NDArray[np.bool_]:
    """Which titles (n,) are for discovery; the others are for confirmation.

    By the sha256 of salt and id alone: a title stays in its half, whatever is added, in any order, on any computer.
    """
    return np.fromiter((hashlib.sha256(f"{salt}\0{one}".encode()).digest()[0] < 128 for one in title_ids), np.bool_)
