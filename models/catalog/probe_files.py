"""The bytes of a probe: ``probe.safetensors``, a linear head that any program reads without Attune.

The format is public, ``docs/reference/probe-format.md`` shows a reader of ten lines; numpy and safetensors are all
this needs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from attune.models.errors import BadProbeFile, DataError
from attune.models.files import float_tensors

FILE_NAME = "probe.safetensors"
FORMAT_VERSION = 1
# One entry only: the library writes several in any order, and equal probes must have equal bytes.
_METADATA = {"format": f"attune-probe-{FORMAT_VERSION}"}


@dataclass(frozen=True, eq=False)
class ProbeWeights:
    """A probe as its file holds it, checked once at construction and read-only afterwards.

    ``weight`` float32 (k, d), ``bias`` float32 (k,), ``calibration`` float32 (k, 2) slope and offset; k = 1 for two
    classes, else one row per class (3 or more). Raises BadProbeFile on any other shape and on numbers not finite.
    """

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    calibration: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        for item in fields(self):
            array = np.array(getattr(self, item.name), dtype=np.float32)
            if not np.isfinite(array).all():
                raise BadProbeFile(
                    f"{item.name} contains numbers that are not finite. Train the probe again, then publish it."
                )
            array.setflags(write=False)
            object.__setattr__(self, item.name, array)
        k = len(self.weight) if self.weight.ndim == 2 else 0
        if k in (0, 2) or not self.weight.shape[1] or self.bias.shape != (k,) or self.calibration.shape != (k, 2):
            raise BadProbeFile(
                f"The probe has weight {self.weight.shape}, bias {self.bias.shape} and calibration "
                f"{self.calibration.shape}. Expected (k, d), (k,) and (k, 2), with k = 1 for 2 classes, else "
                "one row per class. docs/reference/probe-format.md describes the file."
            )

    @property
    def dimension(self) -> int:
        """d, the length of the vectors that the probe reads."""
        return int(self.weight.shape[1])

    @property
    def classes(self) -> int:
        """How many classes the probe tells apart: 2 for one row of weights."""
        return 2 if len(self.weight) == 1 else len(self.weight)

    def logits(self, x: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Calibrated ``slope * (x.w + b) + offset``, float32 (n, k), of unit-length embeddings ``x`` (n, d).

        With two classes (k = 1) a logit above 0 means the first class. Raises DataError where ``x`` has another shape.
        """
        vectors = np.asarray(x, dtype=np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self.dimension:
            raise DataError(
                f"The vectors have shape {vectors.shape}, but the probe expects (n, {self.dimension}). Use "
                "vectors of the encoder in the probe's manifest.json."
            )
        slope, offset = self.calibration.T
        logits: npt.NDArray[np.float32] = (vectors @ self.weight.T + self.bias) * slope + offset
        return logits

    def probabilities(self, x: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Probabilities float64 (n, classes), rows sum to 1, of unit-length embeddings ``x`` (n, d)."""
        return probabilities(self.logits(x))


def probabilities(logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Probabilities float64 (n, classes) of calibrated logits (n, k): a sigmoid for k = 1, a softmax otherwise."""
    z = np.asarray(logits, dtype=np.float64)
    if z.shape[1] == 1:
        z = np.column_stack([z, np.zeros(len(z))])  # a sigmoid is the softmax of (z, 0)
    shifted = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def probe_bytes(weight: npt.ArrayLike, bias: npt.ArrayLike, calibration: npt.ArrayLike) -> bytes:
    """The content of ``probe.safetensors``; equal numbers give equal bytes.

    ``weight`` (k, d), ``bias`` (k,), ``calibration`` (k, 2), kept as float32. Raises BadProbeFile as ``ProbeWeights``.
    """
    probe = ProbeWeights(*(np.asarray(part, dtype=np.float32) for part in (weight, bias, calibration)))
    return float_tensors.to_bytes(probe, _METADATA)


def read_probe(content: bytes, name: str = FILE_NAME) -> ProbeWeights:
    """The probe that ``content`` holds; ``name`` is what to call it in an error.

    Raises BadProbeFile where the bytes are not safetensors, or tensors are missing, of another dtype or shape.
    """
    try:
        return float_tensors.read(content, ProbeWeights)
    except float_tensors.NotTensors as error:
        raise BadProbeFile(f"{name} is not a safetensors file. Pull it again, or publish the probe again.") from error
    except float_tensors.OtherTensors as error:
        raise BadProbeFile(f"{name} {error} docs/reference/probe-format.md describes the file.") from error
