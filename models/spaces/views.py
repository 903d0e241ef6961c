"""Several spaces from one look at each image: it is read and decoded once, and goes through the network once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from attune.models.spaces import layers
from attune.models.spaces.colour import DIMENSION, colour_vector
from attune.models.vectors.products import FloatArray

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder


@dataclass(frozen=True, eq=False)
class Views:
    """What ``embed_in_batches`` needs of an encoder, for layers of one (None: no layers) and for colour.

    A row of ``encode_prepared`` holds the pooled layers one after another, then the colour vector; ``split`` parts it.
    """

    encoder: OpenClipEncoder | None
    indices: Sequence[int]
    widths: Sequence[int]
    colour: bool

    @classmethod
    def of(cls, encoder: OpenClipEncoder | None, indices: Sequence[int], colour: bool) -> Views:
        """Views of the layers ``indices``, ascending. Raises EncoderError where the encoder shows no such layers."""
        if encoder is None or not indices:
            return cls(None, (), (), colour)
        maps = layers.blank(encoder, indices)
        return cls(encoder, tuple(indices), tuple(layers.pooled(one).shape[1] for one in maps), colour)

    def prepare(self, image: Image.Image) -> tuple[Any, FloatArray | None]:
        """One RGB image as the network takes it, and its colours. May run in a thread."""
        tensor = self.encoder.prepare(image) if self.encoder else None
        return tensor, colour_vector(image) if self.colour else None

    def encode_prepared(self, tensors: Sequence[tuple[Any, FloatArray | None]]) -> FloatArray:
        """The rows (n, d) float32 of prepared images."""
        width = sum(self.widths) + DIMENSION * self.colour
        if not tensors:
            return np.zeros((0, width), dtype=np.float32)
        parts: list[FloatArray] = []
        if self.encoder:
            import torch

            stacked = torch.stack([tensor for tensor, _ in tensors])
            parts += [layers.pooled(one) for one in layers.maps(self.encoder, stacked, self.indices)]
        if self.colour:
            parts.append(np.stack([colours for _, colours in tensors if colours is not None]))
        return np.concatenate(parts, axis=1)

    def split(self, rows: FloatArray) -> tuple[dict[int, FloatArray], FloatArray | None]:
        """The layers' pooled rows (n, 2c) by index, and the colour vectors where they are among the views."""
        ends = np.cumsum(self.widths, dtype=np.intp)
        by_layer = {
            index: rows[:, end - width : end] for index, width, end in zip(self.indices, self.widths, ends, strict=True)
        }
        return by_layer, rows[:, sum(self.widths) :] if self.colour else None
