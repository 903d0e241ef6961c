"""ICC profiles made from three primaries and a curve, for files that describe their colours in other words.

So that one library converts all colours: a PNG's gAMA, cHRM or cICP becomes a profile of a few hundred bytes. Source:
ICC.1:2022, sections 8.3 (display profiles), 10.18 (parametric curves) and annex E (Bradford's adaptation to D50).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Points = Sequence[tuple[float, float]]  # x and y of white, red, green, blue
D65 = (0.3127, 0.3290)
BT709: Points = (D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
# By the code points of ITU-T H.273, table 2: the ones that Chromium knows.
PRIMARIES: dict[int, Points] = {
    1: BT709,
    4: ((0.310, 0.316), (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: (D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])


def power_curve(exponent: float) -> bytes:
    """The curve tag of light = value ** exponent."""
    return _parametric(0, exponent)


def _parametric(kind: int, *numbers: float) -> bytes:
    fixed = [round(min(max(number, -32767.0), 32767.0) * 65536) for number in numbers]
    return b"para\0\0\0\0" + struct.pack(f">HH{len(fixed)}i", kind, 0, *fixed)


SRGB_CURVE = _parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_VIDEO = power_curve(2.4)  # not the camera's curve but that of the screens it was meant for, as Chromium has it
TRANSFERS = {
    1: _VIDEO,
    4: power_curve(2.2),
    5: power_curve(2.8),
    6: _VIDEO,
    8: power_curve(1.0),
    13: SRGB_CURVE,
    14: _VIDEO,
    15: _VIDEO,
}


def matrix_profile(points: Points, curve: bytes) -> bytes:
    """A display profile of these primaries with ``curve`` for each; empty where they span no colours."""
    if any(y <= 0 for _, y in points):
        return b""
    white, *primaries = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in points)
    matrix = np.stack(primaries, axis=1)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-6:
        return b""
    matrix = matrix * np.linalg.solve(matrix, white)
    cones = _BRADFORD @ white
    if np.abs(cones).min() < 1e-6:
        return b""
    columns = (np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / cones) @ _BRADFORD @ matrix).T
    if not np.abs(columns).max() < 32:
        return b""
    tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _assembled(tags | {b"wtpt": _xyz(_D50)})


def _xyz(values: Sequence[float] | npt.NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _assembled(tags: dict[bytes, bytes]) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"", 0x04000000, b"mntr", b"RGB ", b"XYZ ").ljust(36, b"\0")
    head = (head + b"acsp").ljust(68, b"\0") + _xyz(_D50)[8:]
    return head.ljust(128, b"\0") + table + body
