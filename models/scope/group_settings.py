"""How groups are chosen: sizes and shares, apart from the choosing, which needs scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupSettings:
    """How groups are made; chosen on one half of the benchmark's questions (``benchmarks.scoping``).

    ``size`` images are shown of a group, never fewer than ``smallest``. Groups come from the ``band`` images nearest
    to the line, ``each`` of them to a cluster on average, in ``kept`` components. At least ``least`` of a group lie on
    either side, and it points elsewhere, by a cosine below ``apart``, than the groups that were decided. The line
    leaves at least the share ``side`` of the images on either side.
    """

    side: float = 0.05
    size: int = 12
    smallest: int = 6
    band: int = 400
    each: int = 30
    kept: int = 32
    least: float = 0.15
    apart: float = 0.5
