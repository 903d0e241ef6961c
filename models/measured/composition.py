"""Where an image draws the eye: saliency by the spectral residual (Hou and Zhang, CVPR 2007), and what follows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Grey = npt.NDArray[np.float64]
EDGE = 64  # saliency is of the whole, so a small image tells it
QUIET = 0.25  # of the mean saliency: a place below it is empty
THIRDS = np.array([[1, 1], [1, 2], [2, 1], [2, 2]]) / 3


def saliency(grey: Grey) -> Grey:
    """A map (h, w) that sums to 1: high where the image differs from what its own spectrum predicts. An image of one
    grey is salient everywhere alike.
    """
    spectrum = np.fft.fft2(grey - grey.mean())
    amplitude = np.abs(spectrum)
    if amplitude.max() < 1e-6 * grey.size:
        return np.full(grey.shape, 1 / grey.size)
    log = np.log1p(amplitude)  # drawn shapes have zeros in their spectrum, whose logarithm would drown the rest
    residual = log - ndimage.uniform_filter(log, 3, mode="wrap")
    residue = np.exp(residual + 1j * np.angle(spectrum))
    residue[0, 0] = 0  # the mean is gone: what is left of it has a phase by chance
    found = np.abs(np.fft.ifft2(residue)) ** 2
    smooth: Grey = ndimage.gaussian_filter(found, 2.5)
    share: Grey = smooth / smooth.sum()
    return share


def measures(grey: Grey) -> dict[str, float]:
    """Of ``grey`` (h, w), 0 to 255, shrunk to some 64 pixels: ``thirds`` the distance of the salient centre from the
    nearest crossing of the thirds (0 to .48 of the image's sides), ``central`` the share of saliency within the inner
    two thirds of both sides, ``empty_space`` the share of the area that is quiet, ``balance`` 1 where left and right
    weigh the same and 0 where all is on one side, ``symmetry`` the correlation of the image with its mirror image.
    """
    found = saliency(grey)
    height, width = grey.shape
    rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    centre = np.array([found.sum(axis=1) @ rows, found.sum(axis=0) @ columns])
    inner = found[height // 6 : height - height // 6, width // 6 : width - width // 6]
    left = float(found[:, : width // 2].sum())
    right = float(found[:, width - width // 2 :].sum())
    return {
        "thirds": float(np.linalg.norm(THIRDS - centre, axis=1).min()),
        "central": float(inner.sum()),
        "empty_space": float((found < QUIET / found.size).mean()),
        "balance": 1 - abs(left - right) / (left + right),
        "symmetry": _symmetry(grey),
    }


def _symmetry(grey: Grey) -> float:
    around = grey - grey.mean()
    size = float((around**2).sum())
    return float((around * around[:, ::-1]).sum()) / size if size > 1e-9 else 1.0
