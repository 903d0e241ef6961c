"""Images read and resized once, as the network takes them, in a file that is gone when its process ends."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from attune.labeler.jobs.jobs import Report
from attune.labeler.records.schema import Asset
from attune.labeler.settings import Settings
from attune.models.encoders.embedding import embed_in_batches
from attune.models.vectors.products import FloatArray
from attune.workers.jobs.embed import pictures

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder

Halves = npt.NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Images that could be read: their ``ids`` (n,) and ``pixels`` (n, 3, h, w) float16, mapped; and those left out."""

    ids: list[str]
    pixels: Halves
    left_out: list[dict[str, str]]


@dataclass(frozen=True)
class _Reader:
    """What `embed_in_batches` asks for its vectors: here they are the pixels, a row an image."""

    encoder: OpenClipEncoder

    def prepare(self, image: Image.Image) -> FloatArray:
        return np.asarray(self.encoder.prepare(image).numpy(), dtype=np.float32).reshape(-1)

    def encode_prepared(self, tensors: Sequence[FloatArray]) -> FloatArray:
        return np.stack(tensors) if tensors else np.empty((0, 0), dtype=np.float32)


def prepare(settings: Settings, encoder: OpenClipEncoder, assets: Sequence[Asset], report: Report) -> Prepared:
    """Read ``assets``; ``report`` is told of (done, all). An image of 224 pixels takes 300 kB of disk in the workspace.

    The file has no name, so that a process killed at any instant leaves nothing. Raises OSError where the disk is full.
    """
    size: Any = encoder.model.visual.preprocess_cfg["size"]
    height, width = size if isinstance(size, list | tuple) else (size, size)
    folder = settings.workspace / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    ids: list[str] = []
    left_out: list[dict[str, str]] = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for batch in embed_in_batches(_Reader(encoder), pictures(settings, assets), settings.embed_batch):
            file.write(batch.vectors.astype(np.float16).tobytes())
            ids += batch.ids
            left_out += batch.left_out
            report(batch.done, len(assets))
        file.flush()
        shape = (len(ids), 3, height, width)
        pixels = np.memmap(file, np.float16, "r", shape=shape) if ids else np.empty(shape, dtype=np.float16)
    return Prepared(ids, pixels, left_out)
